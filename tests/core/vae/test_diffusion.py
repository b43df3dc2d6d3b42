"""The diffusion model: N(0, I) before training, what it was trained on afterwards."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from priors import LENGTH, jolted
from scipy import stats

from mlda_core.vae.denoising import LEAST, MOST
from mlda_core.vae.diffusion import Backbone, Diffusion, DiffusionShape
from mlda_core.vae.latent_prior import context_of
from mlda_core.vae.priors import PRIORS


def test_untrained_it_denoises_as_the_normal_distribution():
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((7, LENGTH))).float()
    gaussian, diffusion = (PRIORS[key].build(LENGTH, {}) for key in ("gaussian", "diffusion"))
    for t in (0.1, 0.5, 0.9):
        exact = gaussian.denoiser(3)(x, torch.tensor(t)).mean
        torch.testing.assert_close(diffusion.denoiser(3)(x, torch.tensor(t)).mean, exact)
    drawn = diffusion.sample(5, 3, 2)
    np.testing.assert_allclose(drawn, gaussian.sample(5, 3, 2), atol=0.02)


@pytest.mark.slow
def test_trained_it_draws_what_it_was_trained_on(trained):
    diffusion, _ = trained("diffusion")
    winter, summer = diffusion.sample(3000, 1, 0), diffusion.sample(3000, 7, 0)
    assert winter[:, 1].mean() == pytest.approx(np.cos(np.pi / 12), abs=0.15)
    assert summer[:, 1].mean() == pytest.approx(-np.cos(np.pi / 12), abs=0.15)
    assert winter[:, 1].std() == pytest.approx(0.6, abs=0.1)
    assert stats.skew(winter[:, 0]) > 0.5
    assert winter[:, 2:].std() == pytest.approx(1.0, abs=0.12)


@pytest.mark.parametrize("ratio", [0.1, 1.0, 20.0])
def test_the_loss_is_the_error_of_the_denoiser(monkeypatch, ratio):
    """Over that variance of z given z with noise which N(0, I) would have."""
    monkeypatch.setattr("mlda_core.vae.diffusion._TRAINED_ABOUT", math.log(ratio))
    monkeypatch.setattr("mlda_core.vae.diffusion._TRAINED_WITHIN", 0.0)
    diffusion = jolted("diffusion", LENGTH, 0.05)
    z = 2.0 * torch.randn((50, LENGTH), generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        loss = diffusion.loss(z, context_of(torch.full((50,), 7)), torch.Generator().manual_seed(3))
    # The same random numbers: the levels first.
    again = torch.Generator().manual_seed(3)
    torch.randn(50, generator=again)
    noise = torch.randn(z.shape, generator=again)
    x = (z + ratio * noise) / math.sqrt(1 + ratio**2)
    t = (math.log(ratio) - math.log(LEAST)) / (math.log(MOST) - math.log(LEAST))
    with torch.no_grad():
        mean = diffusion.denoiser(7)(x, torch.tensor(t)).mean
    variance = ratio**2 / (1 + ratio**2)
    error = ((mean - z) ** 2).sum(dim=1) / variance
    assert loss.shape == (50,)
    torch.testing.assert_close(loss, error, rtol=1e-3, atol=1e-3)


def test_the_loss_of_normal_numbers_is_at_its_least_before_training():
    """Then each is a sum of squares of normal numbers, whatever the level of noise."""
    z = torch.randn((4000, LENGTH), generator=torch.Generator().manual_seed(1))
    context = context_of(torch.ones(4000, dtype=torch.int64))
    losses = {}
    for size in (0.0, 0.05):
        prior = jolted("diffusion", LENGTH, size)
        with torch.no_grad():
            losses[size] = prior.loss(z, context, torch.Generator().manual_seed(2)).numpy()
    assert stats.kstest(losses[0.0], stats.chi2(LENGTH).cdf).pvalue > 0.001
    assert losses[0.05].mean() > losses[0.0].mean()


def test_the_network_depends_on_the_noise_and_on_the_season():
    backbone = Backbone(3, 8)
    torch.nn.init.ones_(backbone.leave.weight)
    x = torch.ones((2, 3))
    winter, summer = context_of(torch.tensor([1])), context_of(torch.tensor([7]))
    with torch.no_grad():
        out = backbone(x, torch.tensor(0.0), winter)
        assert out.shape == (2, 3)
        assert not torch.allclose(out, backbone(x, torch.tensor(1.0), winter))
        assert not torch.allclose(out, backbone(x, torch.tensor(0.0), summer))


def test_draws_are_of_a_seed_and_a_month_and_the_shape_is_kept():
    diffusion = Diffusion(3, DiffusionShape(hidden=16))
    assert diffusion.shape == {"hidden": 16}
    drawn = diffusion.sample(5, 2, 7)
    assert drawn.shape == (5, 3)
    np.testing.assert_array_equal(diffusion.sample(5, 2, 7), drawn)
    for month, seed in ((3, 7), (2, 8)):
        assert np.abs(diffusion.sample(5, month, seed) - drawn).max() > 0.1


@pytest.mark.parametrize("hidden", [0, 513])
def test_a_network_without_units_or_with_too_many_is_refused(hidden):
    with pytest.raises(ValueError, match=f"a denoiser of {hidden} units"):
        DiffusionShape(hidden=hidden)
