"""Minimisation by preconditioned L-BFGS."""

from __future__ import annotations

import numpy as np

from mlda_core.assimilation.solver import minimise


def test_the_solver_minimises_what_is_not_quadratic():
    def rosenbrock(x):
        a, b = 1 - x[0], x[1] - x[0] ** 2
        return a * a + 100 * b * b, np.array([-2 * a - 400 * x[0] * b, 200 * b])

    *_, last = minimise(rosenbrock, np.array([-1.2, 1.0]), np.eye(2), max_steps=200)
    assert last.converged
    np.testing.assert_allclose(last.x, [1.0, 1.0], atol=0.01)
