import dataclasses

import numpy as np
import pytest
from linear_cycle import kalman, linear_problem, lorenz_problem

from mlda_core.climate.errors import UserError
from mlda_core.cycling.cycle import Cycle
from mlda_core.forecast.model_error import FactoredCovariance

ERROR = np.array([0.1, 0.2, 0.3, 0.4])


def test_over_a_linear_window_it_is_the_kalman_smoother_at_its_end():
    problem = linear_problem(error=ERROR)
    means, _, _ = kalman(problem)
    steps = list(Cycle(problem, "4dvar_weak", lag=5, window="overlapping", residual=1e-10).run())
    assert len(steps) == 6
    for step in steps:
        assert np.allclose(step.analysis.mean, means[step.cycle], atol=1e-7)


def test_the_strong_constraint_is_not():
    problem = linear_problem(error=ERROR)
    means, _, _ = kalman(problem)
    *_, last = Cycle(problem, "4dvar", lag=5, window="overlapping", residual=1e-10).run()
    assert np.abs(last.analysis.mean - means[-1]).max() > 0.01


def test_a_moving_window_carries_the_errors_of_its_steps():
    problem = linear_problem(error=ERROR)
    cycle = Cycle(problem, "4dvar_weak", lag=2)
    list(cycle.run(end=2))
    carried = cycle.carried
    a, x = problem.dynamics.matrix, carried["starts"][0]
    assert carried["errors"].shape == (4, 4)
    for error in carried["errors"]:
        x = a @ x + error
    (step,) = cycle.run(end=3)
    # The new cycle's steps have no error a priori.
    assert np.allclose(step.background.mean, a @ a @ x)
    assert cycle.carried["errors"].shape == (4, 4)


def test_it_asks_for_a_model_error():
    with pytest.raises(UserError, match="needs a model error"):
        list(Cycle(lorenz_problem(), "4dvar_weak").run())
    with pytest.raises(UserError, match="0 or more"):
        Cycle(lorenz_problem(), "4dvar_weak", model_error=-1.0)


def test_a_model_error_in_units_of_the_background_s():
    plain = linear_problem()
    root = plain.initial.covariance.factor
    # A cycle's error of 0.3 B, half at each of its two steps.
    q = 0.15 * root @ root.T
    known = dataclasses.replace(
        plain.dynamics, model_error=FactoredCovariance(np.linalg.cholesky(q))
    )
    settings = {"lag": 5, "window": "overlapping", "residual": 1e-10}
    *_, wanted = Cycle(dataclasses.replace(plain, dynamics=known), "4dvar_weak", **settings).run()
    *_, found = Cycle(plain, "4dvar_weak", model_error=0.3, **settings).run()
    assert np.allclose(found.analysis.mean, wanted.analysis.mean, atol=1e-7)
