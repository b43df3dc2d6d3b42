import dataclasses

import numpy as np
import pytest
from linear_cycle import kalman, linear_problem, lorenz_problem

from mlda_core.climate.errors import UserError
from mlda_core.cycling.cycle import Cycle
from mlda_core.cycling.operators import LinearOperator, NonlinearOperator
from mlda_core.cycling.problem import Observations


@pytest.mark.parametrize("minimiser", ["gauss_newton", "lbfgs"])
def test_over_a_linear_window_it_is_the_kalman_smoother_at_its_end(minimiser):
    problem = linear_problem()
    means, _, _ = kalman(problem)
    steps = list(
        Cycle(problem, "4dvar", lag=5, window="growing", minimiser=minimiser, iterations=40).run()
    )
    exact = minimiser == "gauss_newton"
    for step in steps:
        assert np.allclose(step.analysis.mean, means[step.cycle], atol=1e-8 if exact else 1e-2)


def test_a_moving_window_of_one_is_the_kalman_filter_at_its_first_cycle():
    problem = linear_problem()
    steps = list(Cycle(problem, "4dvar", lag=1).run())
    assert np.allclose(steps[1].analysis.mean, kalman(problem)[0][1])


def test_a_moving_window_starts_from_its_smoothed_start():
    problem = linear_problem()
    cycle = Cycle(problem, "4dvar", lag=2)
    a = np.linalg.matrix_power(problem.dynamics.matrix, problem.every)
    list(cycle.run(end=2))
    smoothed, first = cycle.carried["start"], int(cycle.carried["first"])
    (step,) = cycle.run(end=3)
    assert (first, int(cycle.carried["first"])) == (0, 1)
    assert np.allclose(step.background.mean, a @ a @ a @ smoothed)


def test_a_growing_window_starts_anew_from_its_analysis():
    problem = linear_problem()
    cycle = Cycle(problem, "4dvar", lag=2, window="growing")
    steps = list(cycle.run(end=3))
    assert int(cycle.carried["first"]) == 2
    # One window of one cycle from the analysis of cycle 2, with the same static covariance.
    again = dataclasses.replace(
        problem,
        initial=dataclasses.replace(problem.initial, mean=steps[2].analysis.mean),
        observations=[None, problem.observations[3]],
        times=problem.times[:3],
    )
    *_, wanted = Cycle(again, "4dvar").run()
    assert np.allclose(steps[3].analysis.mean, wanted.analysis.mean)


def test_gauss_newton_and_lbfgs_find_the_same_minimum():
    problem = lorenz_problem(cycles=3, every=2)
    found = [
        list(Cycle(problem, "4dvar", lag=2, factor=0.02, minimiser=m, iterations=60).run())[-1]
        for m in ("gauss_newton", "lbfgs")
    ]
    assert np.allclose(found[0].analysis.mean, found[1].analysis.mean, atol=0.02)
    assert found[0].diagnostics["cost"] == pytest.approx(found[1].diagnostics["cost"], rel=1e-3)


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
        ({"window": "still"}, "moving or growing"),
        ({"minimiser": "adam"}, "no minimiser .adam."),
    ],
)
def test_settings_that_name_nothing_are_refused(settings, said):
    with pytest.raises(UserError, match=said):
        Cycle(lorenz_problem(), "4dvar", **settings)
