import dataclasses

import numpy as np
import pytest
from linear_cycle import lorenz_problem

from mlda_core.climate.errors import UserError
from mlda_core.cycling.covariance import Gaussian
from mlda_core.cycling.operators import LinearOperator
from mlda_core.cycling.problem import Observations
from mlda_core.forecast.model_error import DiagonalCovariance

OPERATOR = LinearOperator.of_components([0, 1], 3)


def test_times_of_steps_and_cycles():
    days = np.arange("2001-02-27", "2001-03-06", dtype="datetime64[D]")
    problem = dataclasses.replace(lorenz_problem(cycles=3, every=2), times=days)
    assert problem.cycles == 3
    assert str(problem.time(1)) == "2001-03-01"
    assert [str(t) for t in problem.steps(1, 2)] == ["2001-03-01", "2001-03-02"]


def test_the_background_is_the_climatology_unless_given():
    problem = lorenz_problem()
    assert problem.background_at(1) is problem.climatology.covariance
    given = DiagonalCovariance(np.ones(8))
    assert dataclasses.replace(problem, background=given).background_at(1) is given


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"times": np.arange(3)}, "have 7 times, not 3"),
        ({"every": 0}, "every >= 1"),
        ({"initial": Gaussian(np.zeros(3), DiagonalCovariance(np.ones(3)))}, "8 components"),
    ],
)
def test_a_problem_that_does_not_fit_is_refused(changed, said):
    with pytest.raises(UserError, match=said):
        dataclasses.replace(lorenz_problem(), **changed)


@pytest.mark.parametrize(
    ("values", "variance", "said"),
    [
        ([1.0], [1.0, 1.0], "as many"),
        ([1.0, np.nan], [1.0, 1.0], "leave it out"),
        ([1.0, 2.0], [1.0, 0.0], "leave it out"),
    ],
)
def test_observations_that_do_not_fit_are_refused(values, variance, said):
    with pytest.raises(UserError, match=said):
        Observations(OPERATOR, np.array(values), np.array(variance))


def test_the_deviation_is_the_root_of_the_variance():
    observed = Observations(OPERATOR, np.zeros(2), np.array([4.0, 9.0]))
    assert observed.sd.tolist() == [2.0, 3.0]
