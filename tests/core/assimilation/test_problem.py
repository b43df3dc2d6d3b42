"""A prepared assimilation, and its solution where the latent part is linear."""

from __future__ import annotations

import numpy as np
import pytest
from exact import table

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.methods import METHODS
from mlda_core.assimilation.options import Setting
from mlda_core.assimilation.problem import (
    cost_of_linear,
    gaussian,
    interpolate,
    kept_variance,
    variance_at,
)
from mlda_core.climate.errors import StateError
from mlda_core.observations.standardised import standardise


@pytest.fixture(scope="module")
def engine(linear):
    return Assimilator(linear)


def problem_of(engine, method, used=slice(None)):
    observed = standardise(table(engine.bundle, 8), engine.bundle, 7)
    rows = np.arange(len(observed))[used]
    return engine.problem(observed, rows, 7, Setting(method=method))


def test_only_methods_with_a_gaussian_prior_have_a_problem():
    for key, method in METHODS.items():
        if method.posterior:
            assert gaussian(Setting(method=key)) is method
        else:
            with pytest.raises(StateError, match="no prior of its own; use one of vae"):
                gaussian(Setting(method=key))


def test_the_observations_used_are_the_rows_that_were_kept(engine):
    problem = problem_of(engine, "eof", slice(None, None, 2))
    assert len(problem.observed) == len(problem.used) < len(problem.every)
    np.testing.assert_array_equal(problem.observed.value, problem.every.value[::2])
    assert problem.gain.places.names == problem.observed.places.names


def test_the_linear_solution_has_the_least_cost(engine):
    problem = problem_of(engine, "eof")
    gain, d = problem.gain, engine.departures(problem, problem.x_b)
    x, left, zeta = interpolate(gain, problem.x_b, d)
    np.testing.assert_allclose(engine.departures(problem, x), left, atol=1e-3)
    least = cost_of_linear(gain, zeta, left)
    assert least.total < cost_of_linear(gain, 0 * zeta, d).total
    # The cost at the minimum is half of d^T (H B H^T + R)^-1 d.
    assert 2 * least.total == pytest.approx(d @ gain.total_inverse @ d, rel=1e-4)
    step = 0.05 * np.random.default_rng(0).standard_normal(zeta.size)
    for aside in (zeta + step, zeta - step):
        assert cost_of_linear(gain, aside, d - gain.latent @ aside).total > least.total


def test_without_a_latent_part_the_background_stays(engine):
    problem = problem_of(engine, "enoi")
    d = engine.departures(problem, problem.x_b)
    x, left, zeta = interpolate(problem.gain, problem.x_b, d)
    assert x is problem.x_b
    np.testing.assert_allclose(left, d)
    assert zeta.size == 0


@pytest.mark.parametrize("method", ["vae", "enoi"])
def test_observations_take_variance_away_and_all_is_kept_once(engine, method):
    gain = problem_of(engine, method).gain
    prior, posterior = (kept_variance(gain, stage) for stage in ("prior", "posterior"))
    assert (posterior <= prior + 1e-4).all()
    assert posterior.sum() < 0.99 * prior.sum()
    assert kept_variance(gain, "prior") is prior
    with pytest.raises(ValueError, match="read-only"):
        prior[0] = 0
    part = slice(5, 9)
    np.testing.assert_allclose(variance_at(gain, "posterior", part), posterior[part], rtol=1e-4)
