import dataclasses

import numpy as np
import torch
from linear_cycle import kalman, linear_problem, lorenz_problem

from mlda_core.cycling.cycle import Cycle
from mlda_core.cycling.operators import NonlinearOperator
from mlda_core.cycling.problem import Observations
from mlda_core.forecast.dynamics import advance
from mlda_core.forecast.model_error import FactoredCovariance


def test_with_the_kalman_filters_covariance_it_is_the_kalman_filter():
    problem = linear_problem(cycles=1)
    a = np.linalg.matrix_power(problem.dynamics.matrix, problem.every)
    b = FactoredCovariance(a @ problem.initial.covariance.factor)
    *_, last = Cycle(dataclasses.replace(problem, background=b), "3dvar").run()
    means, covs, _ = kalman(problem)
    assert np.allclose(last.analysis.mean, means[1])
    assert np.allclose(last.analysis.sd**2, np.diag(covs[1]))


def test_the_factor_scales_the_covariance():
    problem = lorenz_problem(cycles=1)
    *_, last = Cycle(problem, "3dvar", factor=0.1).run()
    background = advance(problem.dynamics, problem.initial.mean[None], range(1))[0]
    moved = 1.3 / 2.3 * (problem.observations[1].values - background[::2])
    assert np.allclose(last.analysis.mean[::2], background[::2] + moved)
    assert np.allclose(last.background.sd**2, 1.3)


def test_a_nonlinear_operator_is_linearised_at_each_background():
    problem = lorenz_problem(cycles=2)
    cube = NonlinearOperator(lambda x: (x[..., :1] / 2) ** 3, 1)
    seen = Observations(cube, np.array([4.0]), np.array([1.0]))
    *_, last = Cycle(dataclasses.replace(problem, observations=[None, seen, seen]), "3dvar").run()
    x = float(last.background.mean[0])
    slope = float(torch.tensor(3 * (x / 2) ** 2 / 2))
    moved = 13 * slope / (13 * slope**2 + 1) * (4 - (x / 2) ** 3)
    assert np.isclose(last.analysis.mean[0], x + moved)
