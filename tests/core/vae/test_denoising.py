"""The noise schedule, and the integration that carries noise to draws."""

from __future__ import annotations

import itertools
import math

import torch
from azula.denoise import GaussianDenoiser
from azula.linalg.covariance import DiagonalCovariance

from mlda_core.vae.denoising import LEAST, MOST, STEPS, LogSchedule, denoised
from mlda_core.vae.priors import PRIORS


def test_noise_preserves_the_variance_and_its_ratio_is_even_in_the_logarithm():
    signal, sd = LogSchedule()(torch.linspace(0.0, 1.0, 5))
    torch.testing.assert_close(signal**2 + sd**2, torch.ones(5))
    expected = torch.linspace(math.log(LEAST), math.log(MOST), 5)
    torch.testing.assert_close(torch.log(sd / signal), expected, atol=1e-5, rtol=0)


def test_the_flow_of_probability_leaves_draws_of_the_normal_distribution_where_they_are():
    x = torch.randn((7, 4), generator=torch.Generator().manual_seed(0))
    *_, carried = denoised(PRIORS["gaussian"].build(4, {}).denoiser(3), x)
    torch.testing.assert_close(carried, x, atol=5e-3, rtol=0)


def test_the_integration_keeps_the_spread_of_narrow_and_of_wide_distributions():
    variance = torch.tensor([1.0, 0.3, 0.1, 0.01, 0.001])
    mean = torch.linspace(-2.0, 2.0, 5)
    denoiser = GaussianDenoiser(mean, DiagonalCovariance(variance), LogSchedule())
    signs = torch.stack([torch.ones(5), -torch.ones(5)])
    *_, ends = denoised(denoiser, signs)
    torch.testing.assert_close((ends[0] - ends[1]) / 2, variance.sqrt(), rtol=0.03, atol=0)
    torch.testing.assert_close((ends[0] + ends[1]) / 2, mean, rtol=0, atol=0.03)


def test_every_step_is_shown_and_more_of_them_are_nearer():
    variance, mean = torch.tensor([0.1]), torch.tensor([1.0])
    denoiser = GaussianDenoiser(mean, DiagonalCovariance(variance), LogSchedule())
    noise = torch.ones((3, 1))
    runs = [list(denoised(denoiser, noise, steps)) for steps in (8, STEPS, 128)]
    assert [len(run) for run in runs] == [8, STEPS, 128]
    assert all(x.shape == noise.shape for run in runs for x in run)
    exact = mean + variance.sqrt()
    errors = [float((run[-1] - exact).abs().max()) for run in runs]
    assert all(more < less for less, more in itertools.pairwise(errors))
    # Watching changes nothing, and it is the same draw each time.
    assert torch.equal(runs[1][-1], list(denoised(denoiser, noise))[-1])
