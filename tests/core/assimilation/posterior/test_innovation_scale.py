"""The factor on the posterior variance, and what it does to draws."""

from __future__ import annotations

import numpy as np
import pytest

from mlda_core.assimilation.posterior.innovation_scale import (
    LEAST,
    MOST,
    SPREAD_OF_LOG,
    posterior_scale,
    scale_draws,
)


def test_without_observations_nothing_is_known_of_it(linear, prepare):
    _, problem = prepare(linear, count=0)
    assert posterior_scale(problem.gain, np.zeros(0), 4).tolist() == [1.0] * 4


def test_departures_far_too_large_or_none_at_all_are_drawn_towards_one(linear, prepare):
    _, problem = prepare(linear, count=40)
    gain = problem.gain
    none, huge = (posterior_scale(gain, d, 4) for d in (0 * gain.variance, 1e3 + gain.variance))
    observed = sorted({int(v) for v in gain.places.variable})
    assert (none[observed] < 1).all()
    assert (huge[observed] > 1).all()
    assert none.min() > LEAST
    assert huge.max() < MOST
    # A prior opinion of 0.3 in the logarithm: a number that is known exactly would reach the limit.
    assert np.log(huge.max()) > SPREAD_OF_LOG
    # What is not observed, or made the background, keeps its variance.
    others = [v for v in range(4) if v not in observed]
    assert others
    assert (huge[others] == 1).all()
    assert posterior_scale(gain, 1e3 + gain.variance, 4, without=observed[0])[observed[0]] == 1


def test_the_factor_is_that_of_observations_left_out_one_by_one(linear, prepare):
    """The closed form equals as many analyses, each without one observation."""
    _, problem = prepare(linear, count=25)
    gain, n = problem.gain, len(problem.gain.places)
    rng = np.random.default_rng(5)
    departures = rng.standard_normal(n)
    squares, expected = np.zeros(n), np.zeros(n)
    total = np.linalg.inv(gain.total_inverse)
    for i in range(n):
        rest = np.arange(n) != i
        weights = np.linalg.solve(total[np.ix_(rest, rest)], total[rest, i])
        squares[i] = (departures[i] - weights @ departures[rest]) ** 2
        expected[i] = total[i, i] - weights @ total[rest, i] - gain.variance[i]
    found = posterior_scale(gain, departures, 4)
    for v in {int(v) for v in gain.places.variable}:
        own = gain.places.variable == v
        factor = (squares - gain.variance)[own].sum() / expected[own].sum()
        doubt = 2 * ((expected + gain.variance)[own] ** 2).sum() / expected[own].sum() ** 2
        weight = SPREAD_OF_LOG**2 / (SPREAD_OF_LOG**2 + doubt)
        assert np.log(found[v]) == pytest.approx(weight * np.log(np.clip(factor, LEAST, MOST)))


@pytest.mark.parametrize("method", ["vae", "enoi"])
def test_departures_of_the_state_are_scaled_and_latent_vectors_stay(linear, prepare, method):
    engine, problem = prepare(linear, method)
    draws = engine.draws.of(problem, 3, 0)
    scale = np.array([4.0, 1.0, 0.25, 1.0])
    made = scale_draws(problem, draws, scale)
    factor, gain = problem.gain.prior.factor, problem.gain

    def whole(of):
        if factor is None:
            return of.error, of.error_at
        zeta = of.zeta.astype(np.float32)
        return of.error + zeta @ factor, of.error_at + of.zeta @ gain.latent.T

    (before, before_at), (after, after_at) = whole(draws), whole(made)
    root = np.sqrt(scale)
    by_cell = np.repeat(root, linear.grid.weights.size)
    np.testing.assert_allclose(after, by_cell * before, atol=1e-4)
    np.testing.assert_allclose(after_at, root[gain.places.variable] * before_at, atol=1e-5)
    assert made.zeta is draws.zeta
    np.testing.assert_allclose(made.noise, root[gain.places.variable] * draws.noise)
