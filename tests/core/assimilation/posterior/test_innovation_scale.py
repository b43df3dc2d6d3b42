"""The factor on the prior's departures, and what it does to draws."""

from __future__ import annotations

import numpy as np
import pytest

from mlda_core.assimilation.posterior.innovation_scale import (
    LEAST,
    MOST,
    SPREAD_OF_LOG,
    prior_scale,
    scale_draws,
)


def test_without_observations_nothing_is_known_of_it(linear, prepare):
    _, problem = prepare(linear, count=0)
    assert prior_scale(problem.gain, np.zeros(0), 4).tolist() == [1.0] * 4


def test_departures_far_too_large_or_none_at_all_are_drawn_towards_one(linear, prepare):
    _, problem = prepare(linear, count=40)
    gain = problem.gain
    none, huge = (prior_scale(gain, d, 4) for d in (0 * gain.variance, 1e3 + gain.variance))
    assert (none < 1).all()
    assert (huge > 1).all()
    assert none.min() > LEAST
    assert huge.max() < MOST
    # A prior opinion of 0.3 in the logarithm: a number that is known exactly would reach the limit.
    assert np.log(huge.max()) > SPREAD_OF_LOG
    one = prior_scale(gain, 1e3 + gain.variance, 4, without=0)
    # psl says nothing now: it takes what the others do.
    tas = [v.name for v in linear.variables].index("tas")
    assert one == pytest.approx(np.full(4, one[tas]))


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
    assert made.noise is draws.noise
