"""The denoiser of the posterior: exact where all is normal, and otherwise as azula's."""

from __future__ import annotations

import pytest
import torch
from azula.guidance import MMPSDenoiser
from azula.linalg.covariance import IsotropicCovariance
from priors import jolted

from mlda_core.assimilation.posterior.moment_matching import MomentMatching
from mlda_core.vae.priors import PRIORS

LENGTH = 6


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture
def observations(generator):
    """Nine linear observations of five latent vectors: operator and values."""
    return torch.randn((9, LENGTH), generator=generator), torch.randn((5, 9), generator=generator)


def guided(prior, observations):
    operator, y = observations
    left_axes, singular, axes = torch.linalg.svd(operator, full_matrices=False)
    return MomentMatching(prior, lambda z: (y - z @ operator.T) @ left_axes, singular, axes)


def noisy(prior, t, generator):
    signal, sd = prior.schedule(torch.tensor(t))
    z, noise = (torch.randn((5, LENGTH), generator=generator) for _ in range(2))
    return signal * z + sd * noise


def test_guidance_is_that_of_azula(observations, generator):
    """With a linear operator, for a prior that is not normal."""
    operator, y = observations
    prior = jolted("diffusion", LENGTH, 0.03).denoiser(7)
    mine = guided(prior, observations)
    theirs = MMPSDenoiser(
        prior, y, lambda z: z @ operator.T, IsotropicCovariance(1.0), solver="cg", iterations=60
    )
    # Below the noise from which on the covariance is that of N(0, I).
    for t in (0.65, 0.5, 0.3, 0.05):
        x = noisy(prior, t, generator)
        torch.testing.assert_close(
            mine(x, torch.tensor(t)).mean, theirs(x, torch.tensor(t)).mean, atol=2e-3, rtol=2e-3
        )


# Noise over signal of .003 to 100: the covariance is the denoiser's, then that of N(0, I).
@pytest.mark.parametrize("t", [0.0, 0.3, 0.6, 0.7, 1.0])
def test_of_a_normal_prior_it_is_the_mean_of_the_normal_posterior(observations, generator, t):
    operator, y = (part.double() for part in observations)
    prior = PRIORS["gaussian"].build(LENGTH, {}).denoiser(7)
    x = noisy(prior, t, generator)
    signal, sd = (s.double() for s in prior.schedule(torch.tensor(t)))
    # Precisions of z ~ N(0, I), of x = signal z + sd noise, and of y = operator z + noise.
    precision = (1 + (signal / sd) ** 2) * torch.eye(LENGTH) + operator.T @ operator
    seen = signal / sd**2 * x.double() + y @ operator
    expected = torch.linalg.solve(precision, seen.T).T
    found = guided(prior, observations)(x, torch.tensor(t)).mean
    torch.testing.assert_close(found.double(), expected, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("t", [0.4, 0.9])
def test_observations_that_say_nothing_leave_the_mean_of_the_prior(generator, t):
    prior = jolted("diffusion", LENGTH, 0.03).denoiser(7)
    x = noisy(prior, t, generator)
    axes = torch.eye(LENGTH)
    blind = MomentMatching(prior, lambda z: 1.0 + z, torch.zeros(LENGTH), axes)
    met = MomentMatching(prior, torch.zeros_like, torch.ones(LENGTH), axes)
    expected = prior(x, torch.tensor(t)).mean
    for denoiser in (blind, met):
        torch.testing.assert_close(denoiser(x, torch.tensor(t)).mean, expected)
        assert denoiser.schedule is prior.schedule
