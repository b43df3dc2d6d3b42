"""VAE-Var with a diffusion prior: with N(0, I) as its prior it is VAE-Var again."""

import numpy as np
import pytest
import torch
from azula.denoise import GaussianDenoiser
from azula.linalg.covariance import IsotropicCovariance
from learnt_errors import CODES, OPERATOR, SIZE, dense, errors_of, exact, last, problem_of
from priors import jolted

from mlda_core.climate.errors import UserError
from mlda_core.cycling.methods.vae_var_diffusion import VaeVarDiffusion
from mlda_core.vae.denoising import LogSchedule

METHOD = "vae_var_diffusion"


def test_an_untrained_prior_has_the_mean_of_the_kalman_update():
    errors = errors_of(priors={"diffusion": jolted("diffusion", CODES, 0.0)})
    step = last(problem_of(errors), METHOD, draws=4)
    slope = errors.slope(1)
    mean, sd = exact(slope.T @ slope + dense(errors.rest))
    # What is left is the integration's: draws of opposite noise have no other error here.
    np.testing.assert_allclose(step.analysis.mean, mean, atol=0.01)
    np.testing.assert_allclose(step.analysis.sd, sd, atol=1e-4)


class Elsewhere:
    """A prior that is N(m, I), known by its exact denoiser."""

    n_latent = CODES

    def __init__(self, mean):
        self.mean = torch.from_numpy(mean).float()

    def denoiser(self, month):
        assert month == 1
        return GaussianDenoiser(self.mean, IsotropicCovariance(1.0), LogSchedule())


def test_another_prior_gives_its_own_kalman_update():
    mean = np.array([1.0, -0.5, 0.3])
    errors = errors_of(priors={"diffusion": Elsewhere(mean)})
    problem = problem_of(errors)
    step = last(problem, METHOD, draws=4)
    slope, seen = errors.slope(1), problem.observations[1]
    moved = mean @ slope
    covariance = slope.T @ slope + dense(errors.rest)
    h = OPERATOR.matrix_at(np.zeros(SIZE))
    gain = covariance @ h.T @ np.linalg.inv(h @ covariance @ h.T + np.diag(seen.variance))
    expected = moved + gain @ (seen.values - h @ moved)
    plain = last(problem)
    assert np.abs(plain.analysis.mean - expected).max() > 0.1
    np.testing.assert_allclose(step.analysis.mean, expected, atol=0.02)
    again = last(problem, METHOD, draws=4)
    np.testing.assert_array_equal(step.analysis.mean, again.analysis.mean)


def test_it_needs_a_prior_and_settings_that_mean_something():
    with pytest.raises(UserError, match="mlda cycle train --prior diffusion"):
        last(problem_of(errors_of()), METHOD)
    for wrong in ({"draws": 3}, {"draws": 0}, {"factor": 0.5}):
        with pytest.raises(UserError, match=r"even number|leave factor out"):
            VaeVarDiffusion(**wrong)
