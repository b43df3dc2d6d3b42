"""Minimisation of many costs at once."""

from __future__ import annotations

import numpy as np

from mlda_core.assimilation.posterior.batch_solver import minimise_batch
from mlda_core.assimilation.solver import minimise


def quadratic(hessians, centres):
    def evaluate(x, rows):
        away = x - centres[rows]
        slope = np.einsum("kij,kj->ki", hessians[rows], away)
        return 0.5 * (away * slope).sum(axis=1), slope

    return evaluate


def rosenbrock(x, _rows):
    a, b = 1 - x[:, 0], x[:, 1] - x[:, 0] ** 2
    slope = np.stack([-2 * a - 400 * x[:, 0] * b, 200 * b], axis=1)
    return a * a + 100 * b * b, slope


def test_a_quadratic_of_the_known_hessian_takes_one_step():
    rng = np.random.default_rng(0)
    root = rng.standard_normal((3, 3))
    hessian = root @ root.T + np.eye(3)
    centres = rng.standard_normal((5, 3))
    steps = list(
        minimise_batch(
            quadratic(np.tile(hessian, (5, 1, 1)), centres), np.zeros((5, 3)),
            np.linalg.inv(hessian),
        )
    )  # fmt: skip
    assert len(steps) == 2
    assert steps[-1].converged.all()
    np.testing.assert_allclose(steps[-1].x, centres, atol=1e-9)


def test_members_of_different_hessians_each_find_their_own_minimum():
    rng = np.random.default_rng(1)
    hessians = np.stack([np.diag(rng.uniform(0.2, 5.0, 4)) for _ in range(6)])
    centres = 3 * rng.standard_normal((6, 4))
    *_, last = minimise_batch(quadratic(hessians, centres), np.zeros((6, 4)), np.eye(4))
    assert last.converged.all()
    np.testing.assert_allclose(last.x, centres, atol=0.02)


def bowl(x, _rows):
    """Convex and far from a parabola, steep enough in one direction that steps are halved."""
    mixed = np.array([[1.0, 0.5], [0.0, 4.0], [-1.0, 1.0]])
    away = x @ mixed.T - np.array([1.0, -2.0, 0.5])
    cost = np.logaddexp(away, -away).sum(axis=1) + 0.05 * (x**2).sum(axis=1)
    return cost, np.tanh(away) @ mixed + 0.1 * x


def test_a_member_goes_the_way_that_it_goes_alone():
    starts = np.array([[-1.2, 1.0], [0.5, 0.5], [2.0, -1.0]])
    *_, together = minimise_batch(bowl, starts, np.eye(2), max_steps=200)
    assert together.converged.all()
    _, slope = bowl(together.x, None)
    np.testing.assert_allclose(slope, 0.0, atol=0.02)
    for i, start in enumerate(starts):
        *_, alone = minimise_batch(bowl, start[None], np.eye(2), max_steps=200)
        np.testing.assert_allclose(alone.x[0], together.x[i], atol=1e-6)
        *_, single = minimise(
            lambda x: tuple(p[0] for p in bowl(x[None], None)), start, np.eye(2), max_steps=200
        )
        np.testing.assert_allclose(single.x, together.x[i], atol=0.02)


def test_it_stops_after_the_steps_that_it_may_make_and_where_there_is_no_way_down():
    start = np.array([[-1.2, 1.0]])
    points = list(minimise_batch(rosenbrock, start, np.eye(2), max_steps=0))
    assert len(points) == 1
    np.testing.assert_array_equal(points[0].x, start)
    assert not points[0].converged.any()

    def uphill(x, rows):
        # Its gradient points the wrong way.
        cost, slope = rosenbrock(x, rows)
        return cost, -slope

    *_, last = minimise_batch(uphill, start, np.eye(2))
    np.testing.assert_array_equal(last.x, start)
    assert not last.converged.any()
