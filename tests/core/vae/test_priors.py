"""Priors of the latent vector: what each can do before and after training."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from azula.denoise import GaussianDenoiser
from azula.linalg.covariance import DiagonalCovariance
from scipy import stats

from mlda_core.vae.denoising import LogSchedule, denoised
from mlda_core.vae.latent_prior import (
    PriorError,
    WithDenoiser,
    WithDensity,
    WithTransport,
    context_of,
)
from mlda_core.vae.prior_training import Codes, PriorTraining, loss_of, train_prior
from mlda_core.vae.priors import PRIORS, TRAINED, prior_of

LENGTH = 4


def toy(n, *, seed=0, mixed=False):
    """Codes whose first number is skewed, whose second follows the season, and the rest N(0, I)."""
    rng = np.random.default_rng(seed)
    calendar = rng.integers(1, 13, n)
    z = rng.standard_normal((n, LENGTH))
    z[:, 0] = rng.gamma(2.0, size=n) / np.sqrt(2.0) - np.sqrt(2.0)
    z[:, 1] = 0.6 * z[:, 1] + np.cos(2 * np.pi * (calendar - 0.5) / 12)
    if mixed:
        z *= 3.0
    return Codes(z, np.full_like(z, 0.05), calendar, np.full(n, mixed))


LONG = PriorTraining(epochs=60, rate=4e-3, weight_decay=0.01, patience=60)


@pytest.fixture(scope="module")
def trained():
    """Every trainable prior, fitted to the toy beside months of three times its size."""
    out = {}
    for key in TRAINED:
        prior = PRIORS[key].build(LENGTH, {})
        codes = toy(2500).joined(toy(600, seed=5, mixed=True))
        out[key] = prior, train_prior(prior, codes, toy(600, seed=1), LONG)
    return out


def test_the_priors_are_found_and_say_what_they_can_do():
    assert list(PRIORS) == ["gaussian", "flow", "diffusion"]
    assert TRAINED == ("flow", "diffusion")
    protocols = WithDensity, WithTransport, WithDenoiser
    can = {
        key: tuple(isinstance(kind.build(3, {}), p) for p in protocols)
        for key, kind in PRIORS.items()
    }
    assert can == {
        "gaussian": (True, True, True),
        "flow": (True, True, False),
        "diffusion": (False, False, True),
    }
    # An analysis needs the map; what a kind says is what its prior has.
    assert all(kind.analysis == can[key][1] for key, kind in PRIORS.items())


def test_an_untrained_prior_is_the_normal_distribution():
    rng = np.random.default_rng(0)
    z, calendar = rng.standard_normal((7, LENGTH)), np.arange(1, 8)
    gaussian, flow, diffusion = (PRIORS[key].build(LENGTH, {}) for key in PRIORS)
    expected = stats.multivariate_normal(np.zeros(LENGTH)).logpdf(z)
    np.testing.assert_allclose(gaussian.log_density(z, calendar), expected)
    np.testing.assert_allclose(flow.log_density(z, calendar), expected, atol=1e-4)
    np.testing.assert_allclose(flow.sample(5, 3, 2), gaussian.sample(5, 3, 2), atol=1e-6)
    x = torch.from_numpy(z).float()
    for t in (0.1, 0.5, 0.9):
        exact = gaussian.denoiser(3)(x, torch.tensor(t)).mean
        torch.testing.assert_close(diffusion.denoiser(3)(x, torch.tensor(t)).mean, exact)
    # The flow of probability leaves draws of N(0, I) where they are.
    *_, carried = denoised(gaussian.denoiser(3), x)
    torch.testing.assert_close(carried, x, atol=5e-3, rtol=0)


def test_the_integration_keeps_the_spread_of_narrow_and_of_wide_distributions():
    variance = torch.tensor([1.0, 0.3, 0.1, 0.01, 0.001])
    mean = torch.linspace(-2.0, 2.0, 5)
    denoiser = GaussianDenoiser(mean, DiagonalCovariance(variance), LogSchedule())
    signs = torch.stack([torch.ones(5), -torch.ones(5)])
    *_, ends = denoised(denoiser, signs)
    torch.testing.assert_close((ends[0] - ends[1]) / 2, variance.sqrt(), rtol=0.03, atol=0)
    torch.testing.assert_close((ends[0] + ends[1]) / 2, mean, rtol=0, atol=0.03)


def test_training_stops_at_what_is_best_on_months_held_out(trained):
    held_out = toy(600, seed=1)
    for key, (prior, history) in trained.items():
        assert history.loss < history.loss_at_start, key
        assert loss_of(prior, held_out) == pytest.approx(history.loss, rel=1e-6)
        assert 0 < history.best_epoch <= history.epochs
    # Where there is nothing to be learnt the start is kept.
    rng = np.random.default_rng(3)

    def normal(n):
        z = rng.standard_normal((n, LENGTH))
        return Codes(z, np.zeros_like(z), np.ones(n, int), np.zeros(n, bool))

    fresh = PRIORS["flow"].build(LENGTH, {})
    hasty = PriorTraining(epochs=30, rate=5e-2, weight_decay=0.0, patience=5)
    history = train_prior(fresh, normal(40), normal(4000), hasty)
    assert history.loss <= history.loss_at_start
    assert history.epochs < 30


def test_a_trained_flow_is_a_density_that_knows_the_season_and_the_skewness(trained):
    flow, _ = trained["flow"]
    fresh = toy(4000, seed=2)
    gain = flow.log_density(fresh.mean, fresh.calendar) - PRIORS["gaussian"].build(
        LENGTH, {}
    ).log_density(fresh.mean, fresh.calendar)
    # Of the season alone: -log(.6) and half of what the variance, .86 without it, lacks of one.
    assert gain.mean() > -np.log(0.6) + 0.5 * (0.86 - 1.0)
    winter, summer = flow.sample(3000, 1, 0), flow.sample(3000, 7, 0)
    assert winter[:, 1].mean() == pytest.approx(np.cos(np.pi / 12), abs=0.15)
    assert summer[:, 1].mean() == pytest.approx(-np.cos(np.pi / 12), abs=0.15)
    assert stats.skew(winter[:, 0]) > 0.5
    # Months under mixed seas, three times as large, do not widen the draws.
    assert winter[:, 2:].std() == pytest.approx(1.0, abs=0.15)
    # The density is that of the draws: by the change of variables, derivatives taken one by one.
    z = torch.from_numpy(winter[:3]).float()
    transport = flow.transport(1)
    base = transport.inverse(z)
    torch.testing.assert_close(transport.forward(base), z, atol=1e-3, rtol=0)
    for one, expected in zip(z, flow.log_density(winter[:3], np.ones(3, int)), strict=True):
        slope = torch.autograd.functional.jacobian(lambda v: transport.inverse(v[None])[0], one)
        normal = stats.multivariate_normal(np.zeros(LENGTH)).logpdf(transport.inverse(one[None]))
        assert normal + float(torch.linalg.slogdet(slope)[1]) == pytest.approx(expected, abs=1e-3)


def test_a_trained_diffusion_draws_what_it_was_trained_on(trained):
    diffusion, _ = trained["diffusion"]
    winter, summer = diffusion.sample(3000, 1, 0), diffusion.sample(3000, 7, 0)
    assert winter[:, 1].mean() == pytest.approx(np.cos(np.pi / 12), abs=0.15)
    assert summer[:, 1].mean() == pytest.approx(-np.cos(np.pi / 12), abs=0.15)
    assert winter[:, 1].std() == pytest.approx(0.6, abs=0.1)
    assert stats.skew(winter[:, 0]) > 0.5
    assert winter[:, 2:].std() == pytest.approx(1.0, abs=0.12)


def test_a_training_is_repeated_to_the_bit():
    settings = PriorTraining(epochs=2)
    for key in TRAINED:
        first, again = (PRIORS[key].build(LENGTH, {}) for _ in range(2))
        for prior in (first, again):
            train_prior(prior, toy(300), toy(100, seed=1), settings)
        for a, b in zip(
            first.network.state_dict().values(), again.network.state_dict().values(), strict=True
        ):
            assert torch.equal(a, b)
        np.testing.assert_array_equal(first.sample(3, 5, 1), again.sample(3, 5, 1))


def test_the_context_holds_the_season_and_the_kind_of_sea():
    context = context_of(torch.tensor([1, 7]), mixed=torch.tensor([False, True]))
    assert context.shape == (2, 6)
    assert context[:, -1].tolist() == [0.0, 1.0]
    assert float((context[0, :-1] - context[1, :-1]).abs().max()) > 1


def test_what_cannot_be_had_is_refused_in_a_sentence(monkeypatch):
    with pytest.raises(PriorError, match="no prior 'guess'; use one of gaussian, flow, diffusion"):
        prior_of("guess")
    with pytest.raises(ValueError, match="900 couplings"):
        PRIORS["flow"].build(4, {"transforms": 900})
    for key, package in (("flow", "zuko"), ("diffusion", "azula")):
        # As where the extra is not installed.
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(PriorError, match=rf"needs the library {package}.*\[priors\]"):
            PRIORS[key].build(4, {})
