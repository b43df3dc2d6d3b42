"""N(0, I): what the other priors are compared with."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from mlda_core.vae.priors.gaussian import PRIOR, Gaussian


def test_its_density_is_that_of_the_normal_distribution_and_integrates_to_one():
    z, calendar = np.random.default_rng(0).standard_normal((7, 4)), np.arange(1, 8)
    expected = stats.multivariate_normal(np.zeros(4)).logpdf(z)
    np.testing.assert_allclose(Gaussian(4).log_density(z, calendar), expected)
    axis = np.linspace(-9.0, 9.0, 1801)
    density = np.exp(Gaussian(1).log_density(axis[:, None], np.full(axis.size, 5)))
    assert np.trapezoid(density, axis) == pytest.approx(1.0, abs=1e-9)


def test_draws_are_normal_and_of_a_seed_and_a_month():
    drawn = Gaussian(2).sample(5000, 3, 1)
    assert drawn.shape == (5000, 2)
    assert stats.kstest(drawn.ravel(), "norm").pvalue > 0.001
    np.testing.assert_array_equal(Gaussian(2).sample(5000, 3, 1), drawn)
    for month, seed in ((4, 1), (3, 2)):
        assert np.abs(Gaussian(2).sample(5000, month, seed) - drawn).max() > 1


def test_its_denoiser_is_exact():
    """The mean of z given x = signal z + sd noise is that of a regression on x."""
    denoiser = PRIOR.build(3, {}).denoiser(7)
    x = torch.randn((4, 3), generator=torch.Generator().manual_seed(0)).double()
    for t in torch.tensor([0.0, 0.4, 1.0]).double():
        signal, sd = denoiser.schedule(t)
        expected = signal / (signal**2 + sd**2) * x
        torch.testing.assert_close(denoiser(x, t).mean, expected)


def test_it_is_mapped_by_nothing_and_has_no_network():
    assert PRIOR.build(3, {}).transport(1) is None
    assert not PRIOR.trained
    with pytest.raises(ValueError, match="no network"):
        PRIOR.build(3, {"hidden": 4})
