"""The linear, seasonal fit that training starts from."""

from __future__ import annotations

import numpy as np
import pytest

from mlda_core.vae.seasonal import season_weights, seasonal_components


def test_season_weights_are_circular():
    w = season_weights(1, np.arange(1, 13), width=1.2, floor=0.05)
    assert w[11] == pytest.approx(w[1])
    assert w[0] == pytest.approx(1.05)
    assert w[6] == pytest.approx(np.exp(-12.5) + 0.05)


def test_seasonal_components_recover_a_covariance_that_turns():
    rng = np.random.default_rng(1)
    n, cells = 12_000, 6
    months = np.tile(np.arange(1, 13), n // 12)
    sd = np.where(np.isin(months, (12, 1, 2)), 3.0, 1.0)
    x = np.zeros((n, cells), np.float32)
    x[:, 0] = rng.standard_normal(n) * sd
    x[:, 1] = rng.standard_normal(n) * 2
    x += 0.05 * rng.standard_normal(x.shape)
    start = seasonal_components(
        x, months, np.ones(cells), n_patterns=4, n_latent=2, noise=0.0025, width=0.3, floor=0.0
    )
    for month, expected in ((1, 9.0), (7, 1.0)):
        maps = start.patterns.T @ start.mixing[month - 1]
        cov = maps @ maps.T
        assert cov[0, 0] == pytest.approx(expected, rel=0.15)
        assert cov[1, 1] == pytest.approx(4.0, rel=0.15)
    # Rotated onto the year's solution: the same latent number moves the same cell all year.
    winter, summer = (np.abs(start.patterns.T @ start.mixing[m - 1]) for m in (1, 7))
    assert np.array_equal(winter[:2].argmax(axis=1), summer[:2].argmax(axis=1))


def test_prior_describes_only_the_samples_it_is_given():
    rng = np.random.default_rng(2)
    own = rng.standard_normal((2400, 3)).astype(np.float32)
    other = 10 * rng.standard_normal((2400, 3)).astype(np.float32)
    months = np.tile(np.arange(1, 13), 400)
    start = seasonal_components(
        np.concatenate([own, other]),
        months,
        np.ones(3),
        n_patterns=3,
        n_latent=3,
        noise=1e-4,
        prior=np.arange(4800) < 2400,
    )
    cov = start.mixing[4] @ start.mixing[4].T
    assert np.trace(cov) == pytest.approx(3.0, rel=0.1)
