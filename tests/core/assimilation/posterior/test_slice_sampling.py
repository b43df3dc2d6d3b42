"""Draws at observations, against closed forms and quadrature."""

from __future__ import annotations

import numpy as np
import pytest
from kind_posteriors import moments, prepared, rows
from scipy import stats

from mlda_core.assimilation.mode import modes_of
from mlda_core.assimilation.posterior.slice_sampling import draw_at_observations

MANY = 4000
NORMAL = "psl,,,2,1,mean,north,\ntas,50,10,-1,0.5,,,\ntas,45,12,1,0.5,,,\n"
CENSORED = "tas,50,10,much colder,{},report,,\n"


def mode_of(bundle, text):
    _, problem = prepared(bundle, rows(bundle, text))
    return modes_of(problem)[0], problem


def draw(mode, problem, n=MANY, seed=(1,)):
    return draw_at_observations(mode, problem.observed.likelihoods, n, list(seed))


def test_of_normal_errors_draws_are_of_the_normal_posterior(linear):
    """Nothing is left of the likelihood, and every step is taken."""
    mode, problem = mode_of(linear, NORMAL)
    gain = problem.gain
    prior = gain.error_covariance + gain.latent @ gain.latent.T
    covariance = prior - prior @ np.linalg.solve(prior + np.diag(problem.observed.variance), prior)
    found = draw(mode, problem)
    sd = np.sqrt(np.diag(covariance))
    assert np.abs((found.mean(axis=0) - mode.at) / sd).max() < 5 / np.sqrt(MANY)
    error = (np.cov(found.T) - covariance) / np.outer(sd, sd)
    assert np.abs(error).max() < 5 * np.sqrt(2 / MANY)


@pytest.mark.parametrize("error", [0.05, 0.2])
def test_of_an_end_class_draws_have_the_distribution_of_quadrature(linear, error):
    """Skewed as a truncated normal distribution is, which Laplace's approximation is not."""
    mode, problem = mode_of(linear, CENSORED.format(error))
    found = draw(mode, problem)[:, 0]
    mean, covariance, _ = moments(problem, linear, axes=4001)
    sd = np.sqrt(covariance[0, 0])
    assert found.mean() == pytest.approx(mean[0], abs=5 * sd / np.sqrt(MANY))
    assert found.std() == pytest.approx(sd, rel=0.06)
    assert stats.skew(found) < -0.5


def test_draws_are_those_of_their_seed(linear):
    mode, problem = mode_of(linear, CENSORED.format(0.2))
    one, same, other = (draw(mode, problem, 20, seed) for seed in ((1, 2), (1, 2), (1, 3)))
    assert one.shape == (20, 1)
    np.testing.assert_array_equal(one, same)
    assert (one != other).all()
