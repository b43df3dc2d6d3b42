"""Filters of codes with the rest beside them, against the Kalman update of both."""

from types import SimpleNamespace

import numpy as np
import pytest

from mlda_core.climate.errors import UserError
from mlda_core.cycling.covariance import Gaussian, LocalisedSample, columns
from mlda_core.cycling.cycle import Cycle
from mlda_core.cycling.latent_method import LatentMethod
from mlda_core.cycling.latent_space import LatentSpace
from mlda_core.cycling.localisation import on_a_circle
from mlda_core.cycling.method import Workspace
from mlda_core.cycling.methods import CYCLED, cycled_method
from mlda_core.cycling.operators import LinearOperator, NonlinearOperator
from mlda_core.cycling.problem import Observations, Problem
from mlda_core.forecast.koopman import LinearDynamics
from mlda_core.forecast.model_error import DiagonalCovariance

RNG = np.random.default_rng(5)
SIZE, CODES = 8, 3
PATTERNS = RNG.standard_normal((CODES, SIZE))
AT = np.array([1, 4, 6])
OPERATOR = LinearOperator.of_components(AT, SIZE, AT[:, None].astype(float))


class LinearSpace(LatentSpace):
    """Codes of a line of eight components."""

    def season(self, time):
        """Return the same season always."""
        del time
        return 1

    def decode(self, z, time, *, linear=False):
        """Return the states of codes; the network adds a half."""
        del time
        return z @ PATTERNS + (0.0 if linear else 0.5)


@pytest.fixture
def problem():
    rest = LocalisedSample(0.3 * RNG.standard_normal((6, SIZE)), on_a_circle(SIZE, 2.0))
    matrix, error = 0.6 * np.eye(CODES), 0.2 * np.eye(CODES)
    bundle = SimpleNamespace(n_latent=CODES, calendar_month=lambda season: season)
    space = LinearSpace(bundle, LinearDynamics(matrix, error), np.full(SIZE, 0.5), rest)
    observations = [
        Observations(OPERATOR, RNG.standard_normal(3), np.full(3, 0.1)) for _ in range(4)
    ]
    climate = Gaussian(np.zeros(SIZE), DiagonalCovariance(np.ones(SIZE)))
    dynamics = SimpleNamespace(name="none", size=SIZE, model_error=None)
    return Problem(dynamics, np.arange(4), observations, climate, climate, latent=space)


def test_codes_and_rest_get_the_kalman_update_of_both(problem):
    method = cycled_method("enkf_latent").configured(members=40)
    work, generator = Workspace(problem), np.random.default_rng(0)
    state = method.start(work, generator)
    state["rest"] = RNG.standard_normal(SIZE)
    observations = problem.observations[0]
    done = method.analyse(work, state, 0, observations, generator)
    # The covariance of (z, r) is that of the members, and that of the rest.
    p = np.cov(state["members"].T)
    whole = LinearOperator.of_components(np.arange(SIZE), SIZE, np.arange(SIZE)[:, None] * 1.0)
    r, _ = columns(problem.latent.rest, whole, np.zeros(SIZE))
    h = OPERATOR.matrix_at(None)
    joint = PATTERNS.T @ p @ PATTERNS + r
    s = h @ joint @ h.T + np.diag(observations.variance)
    before = state["members"].mean(axis=0) @ PATTERNS + 0.5 + state["rest"]
    gain = joint @ h.T @ np.linalg.inv(s)
    wanted = before + gain @ (observations.values - h @ before)
    np.testing.assert_allclose(done.estimate.mean, wanted, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(method.estimate(work, state, 0).mean, before)


def test_without_observations_the_rest_fades_and_codes_are_stepped(problem):
    method = cycled_method("pf_optimal_latent").configured(particles=20)
    work, generator = Workspace(problem), np.random.default_rng(0)
    state = method.start(work, generator)
    state["rest"] = np.ones(SIZE)
    after = method.forecast(work, state, 1, generator)
    np.testing.assert_allclose(after["rest"], 0.5)
    np.testing.assert_allclose(after["states"], 0.6 * state["states"])


KEYS = [key for key, method in CYCLED.items() if isinstance(method, LatentMethod)]


def settings_of(key):
    return {"members": 12} if key == "enkf_latent" else {"particles": 30}


@pytest.mark.parametrize("key", KEYS)
def test_observations_bring_the_estimate_nearer_to_them(problem, key):
    for step in Cycle(problem, key, **settings_of(key)).run():
        values = problem.observations[step.cycle].values
        before, after = (
            np.abs(OPERATOR.observe(e.mean[None])[0] - values).sum()
            for e in (step.background, step.analysis)
        )
        assert after < before


@pytest.mark.parametrize("key", KEYS)
def test_a_run_that_is_resumed_gives_the_same_bits(problem, key):
    settings = settings_of(key)
    whole = list(Cycle(problem, key, **settings).run())
    first = Cycle(problem, key, **settings)
    list(first.run(1))
    second = Cycle(problem, key, **settings)
    second.resume(first.state())
    for one, other in zip(whole[2:], second.run(), strict=True):
        np.testing.assert_array_equal(one.analysis.mean, other.analysis.mean)
        np.testing.assert_array_equal(one.analysis.sd, other.analysis.sd)


def test_a_problem_without_a_latent_space_is_refused(problem):
    without = Problem(
        problem.dynamics,
        problem.times,
        problem.observations,
        problem.initial,
        problem.climatology,
    )
    with pytest.raises(UserError, match="latent space of a bundle"):
        next(Cycle(without, "enkf_latent").run())


def test_operators_that_are_not_linear_are_refused(problem):
    square = NonlinearOperator(lambda x: x[..., :1] ** 2, 1)
    observations = Observations(square, np.ones(1), np.ones(1))
    method = cycled_method("enkf_latent").configured(members=10)
    work, generator = Workspace(problem), np.random.default_rng(0)
    state = method.start(work, generator)
    with pytest.raises(UserError, match="linear observation operators only"):
        method.analyse(work, state, 0, observations, generator)
