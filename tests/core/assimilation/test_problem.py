"""A prepared assimilation, and its solution where the latent part is linear."""

from __future__ import annotations

import numpy as np
import pytest
from exact import table

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.methods import METHODS
from mlda_core.assimilation.options import Setting
from mlda_core.assimilation.problem import cost_of_linear, gaussian, interpolate
from mlda_core.climate.errors import StateError
from mlda_core.observations.standardised import standardise


@pytest.fixture(scope="module")
def engine(linear):
    return Assimilator(linear)


def problem_of(engine, method, used=slice(None)):
    observed = standardise(table(engine.bundle, 8), engine.bundle, 7)
    rows = np.arange(len(observed))[used]
    return engine.preparation.problem(observed, rows, 7, Setting(method=method))


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
    gain, d = problem.gain, problem.departures(problem.x_b)
    x, left, zeta = interpolate(gain, problem.x_b, d)
    np.testing.assert_allclose(problem.departures(x), left, atol=1e-3)
    least = cost_of_linear(gain, zeta, left)
    assert least.total < cost_of_linear(gain, 0 * zeta, d).total
    # The cost at the minimum is half of d^T (H B H^T + R)^-1 d.
    assert 2 * least.total == pytest.approx(d @ gain.total_inverse @ d, rel=1e-4)
    step = 0.05 * np.random.default_rng(0).standard_normal(zeta.size)
    for aside in (zeta + step, zeta - step):
        assert cost_of_linear(gain, aside, d - gain.latent @ aside).total > least.total


def test_without_a_latent_part_the_background_stays(engine):
    problem = problem_of(engine, "enoi")
    d = problem.departures(problem.x_b)
    x, left, zeta = interpolate(problem.gain, problem.x_b, d)
    assert x is problem.x_b
    np.testing.assert_allclose(left, d)
    assert zeta.size == 0


@pytest.mark.parametrize("method", ["vae", "eof"])
def test_a_latent_vector_and_its_zeta_are_inverse_where_there_is_a_decoder(engine, method):
    problem = problem_of(engine, method)
    z = np.linspace(-1.0, 1.0, problem.z_b.size)
    if method == "eof":
        assert problem.latent(z) is problem.latents(z[None]) is None
        with pytest.raises(StateError, match="The method eof has no latent vector; use vae"):
            problem.zeta(z)
        return
    np.testing.assert_allclose(problem.latent(problem.zeta(z)), z, atol=1e-6)
    np.testing.assert_allclose(problem.latents(np.stack([problem.zeta(z)] * 2)), [z, z], atol=1e-6)
    np.testing.assert_allclose(problem.latent(np.zeros(z.size)), problem.z_b)
    with pytest.raises(StateError, match=f"has {z.size} numbers"):
        problem.zeta(z[1:])


def test_the_residual_analysis_draws_a_state_to_the_observations(engine):
    problem = problem_of(engine, "vae")
    left = problem.departures(problem.x_b)
    drawn = problem.with_residual(problem.x_b, left)
    gain = problem.gain
    expected = problem.x_b + gain.residual_weights(left) @ gain.columns
    np.testing.assert_allclose(drawn, expected, atol=1e-5)
    assert np.linalg.norm(problem.departures(drawn)) < 0.9 * np.linalg.norm(left)
    alone = problem_of(engine, "vae_latent_only")
    assert alone.with_residual(alone.x_b, left) is alone.x_b
