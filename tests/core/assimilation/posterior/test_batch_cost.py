"""The cost of many members at once."""

from __future__ import annotations

import numpy as np
import pytest

from mlda_core.assimilation.cost import DecodedCost
from mlda_core.assimilation.posterior.batch_cost import BATCH, BatchCost


def test_without_perturbations_each_members_cost_is_the_analysis_own(curved, prepare):
    _, problem = prepare(curved)
    n = BATCH + 3
    values = np.tile(problem.observed.value, (n, 1))
    zeta = 0.5 * np.random.default_rng(0).standard_normal((n, curved.n_latent))
    made = BatchCost(problem, values, np.zeros_like(zeta))
    cost, gradient = made.evaluate(zeta, np.arange(n))
    one = DecodedCost(problem)
    for i in (0, BATCH - 1, BATCH, n - 1):
        expected, slope = one.value_and_gradient(zeta[i])
        assert cost[i] == pytest.approx(expected, rel=1e-4)
        np.testing.assert_allclose(gradient[i], slope, rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(made.z(zeta)[i], one.z(zeta[i]))
    states, left = made.states(zeta)
    for i in (0, n - 1):
        x, departures = one.at(zeta[i])
        np.testing.assert_allclose(states[i], x, atol=1e-4)
        np.testing.assert_allclose(left[i], departures, atol=1e-4)


def test_a_member_keeps_its_own_observations_and_mean_in_any_company(curved, prepare):
    _, problem = prepare(curved)
    rng = np.random.default_rng(1)
    values = problem.observed.value + rng.standard_normal((3, len(problem.used)))
    means = rng.standard_normal((3, curved.n_latent))
    made = BatchCost(problem, values, means)
    zeta = rng.standard_normal((3, curved.n_latent))
    cost, gradient = made.evaluate(zeta, np.arange(3))
    some, slopes = made.evaluate(zeta[[2, 0]], np.array([2, 0]))
    np.testing.assert_allclose(some, cost[[2, 0]], rtol=1e-5)
    np.testing.assert_allclose(slopes, gradient[[2, 0]], rtol=1e-3, atol=1e-3)
    # At its own mean nothing but the misfit is left.
    away, _ = made.evaluate(means, np.arange(3))
    _, left = made.states(means)
    white = left @ problem.gain.whitener.T
    np.testing.assert_allclose(away, 0.5 * (white**2).sum(axis=1), rtol=1e-3)


def test_minima_tell_how_many_have_converged(curved, prepare):
    _, problem = prepare(curved)
    values = np.tile(problem.observed.value, (4, 1))
    start = np.random.default_rng(2).standard_normal((4, curved.n_latent))
    steps = BatchCost(problem, values, np.zeros_like(start)).minima(start)
    told = []
    while True:
        try:
            told.append(next(steps))
        except StopIteration as end:
            last = end.value
            break
    assert [p.total for p in told] == [4] * len(told)
    assert [p.done for p in told] == sorted(p.done for p in told)
    assert told[-1].done == int(last.converged.sum()) == 4


def test_a_prior_without_a_decoder_is_refused(linear, prepare):
    _, problem = prepare(linear, "enoi")
    with pytest.raises(ValueError, match="no decoder; draw in closed form"):
        BatchCost(problem, np.zeros((1, 0)), np.zeros((1, 0)))
