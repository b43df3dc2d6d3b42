import dataclasses

import numpy as np
import pytest
from linear_cycle import kalman, linear_problem, lorenz_problem

from mlda_core.climate.errors import UserError
from mlda_core.cycling.cycle import Cycle
from mlda_core.cycling.operators import LinearOperator, NonlinearOperator
from mlda_core.cycling.problem import Observations


def test_over_a_linear_window_it_is_the_kalman_smoother_at_its_end():
    problem = linear_problem()
    means, _, _ = kalman(problem)
    steps = list(Cycle(problem, "4dvar", lag=5, window="overlapping", residual=1e-10).run())
    assert len(steps) == 6
    for step in steps:
        assert np.allclose(step.analysis.mean, means[step.cycle], atol=1e-7)


def test_a_moving_window_of_one_is_the_kalman_filter_at_its_first_cycle():
    problem = linear_problem()
    steps = list(Cycle(problem, "4dvar", lag=1).run())
    assert np.allclose(steps[1].analysis.mean, kalman(problem)[0][1])


def test_a_moving_window_starts_from_its_smoothed_start():
    problem = linear_problem()
    cycle = Cycle(problem, "4dvar", lag=2)
    a = np.linalg.matrix_power(problem.dynamics.matrix, problem.every)
    list(cycle.run(end=2))
    smoothed, first = cycle.carried["starts"][0], int(cycle.carried["first"])
    (step,) = cycle.run(end=3)
    assert (first, int(cycle.carried["first"])) == (0, 1)
    assert np.allclose(step.background.mean, a @ a @ a @ smoothed)


def test_an_overlapping_window_starts_from_the_forecast_before_its_observations():
    problem = linear_problem()
    cycle = Cycle(problem, "4dvar", lag=2, window="overlapping", residual=1e-10)
    steps = list(cycle.run(end=4))
    assert int(cycle.carried["first"]) == 2
    assert np.allclose(cycle.carried["starts"], [step.background.mean for step in steps[2:]])
    # Cycles 2 to 4 alone, from that forecast and with the same static covariance.
    again = dataclasses.replace(
        problem,
        initial=dataclasses.replace(problem.initial, mean=steps[2].background.mean),
        observations=problem.observations[2:5],
        times=problem.times[:5],
    )
    means, _, _ = kalman(again, start=True)
    assert np.allclose(steps[4].analysis.mean, means[-1], atol=1e-7)


def test_the_spread_of_an_overlapping_window_is_that_of_3dvar():
    problem = linear_problem()
    steps = list(Cycle(problem, "4dvar", lag=5, window="overlapping", residual=1e-10).run())
    still = list(Cycle(problem, "3dvar").run())
    for step, other in zip(steps, still, strict=True):
        assert np.allclose(step.background.sd, other.background.sd)
        assert np.allclose(step.analysis.sd, other.analysis.sd)
    assert next(Cycle(problem, "4dvar", lag=1).run()).analysis.sd is None


def test_both_windows_find_the_same_minimum_over_one_cycle():
    problem = lorenz_problem(cycles=1, every=2)
    settings = {"lag": 1, "factor": 0.02, "iterations": 10}
    moving, overlapping = (
        list(Cycle(problem, "4dvar", window=w, **settings).run())[-1].analysis.mean
        for w in ("moving", "overlapping")
    )
    assert np.allclose(moving, overlapping, atol=1e-3)


def test_a_nonlinear_operator_is_fitted():
    problem = lorenz_problem(cycles=1)
    square = NonlinearOperator(lambda x: x[..., :1] ** 2, 1)
    seen = Observations(square, np.array([25.0]), np.array([1e-4]))
    *_, last = Cycle(dataclasses.replace(problem, observations=[None, seen]), "4dvar").run()
    assert last.analysis.mean[0] ** 2 == pytest.approx(25, abs=0.01)


def test_observations_at_the_start_are_assimilated():
    problem = linear_problem()
    operator = LinearOperator.of_components([0], 4)
    seen = Observations(operator, np.array([9.0]), np.array([0.1]))
    b = problem.initial.covariance.factor @ problem.initial.covariance.factor.T
    wanted = problem.initial.mean + b[:, 0] * (9 - problem.initial.mean[0]) / (b[0, 0] + 0.1)
    with_start = dataclasses.replace(problem, observations=[seen, *problem.observations[1:]])
    first = next(Cycle(with_start, "4dvar").run())
    assert np.allclose(first.analysis.mean, wanted)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"lag": 0}, "1 or more"),
        ({"window": "still"}, "moving or overlapping"),
        ({"window": "overlapping", "residual": 0.0}, "above 0 and below 1"),
    ],
)
def test_settings_that_name_nothing_are_refused(settings, said):
    with pytest.raises(UserError, match=said):
        Cycle(lorenz_problem(), "4dvar", **settings)
