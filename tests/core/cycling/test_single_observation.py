"""One observation in a window of 4D-Var."""

import numpy as np
import pytest
import torch

from mlda_core.climate.errors import UserError
from mlda_core.cycling.covariance import Gaussian
from mlda_core.cycling.operators import LinearOperator
from mlda_core.cycling.problem import Observations, Problem
from mlda_core.cycling.single_observation import through_time
from mlda_core.forecast.model_error import FactoredCovariance

RNG = np.random.default_rng(1)
SIZE = 5
MATRIX = 0.5 * RNG.standard_normal((SIZE, SIZE))
ROOT = RNG.standard_normal((SIZE, SIZE))


class Linear:
    """``x' = M x``."""

    name, size, model_error = "linear", SIZE, None

    def step(self, states, time):
        """Step states."""
        del time
        return states @ torch.from_numpy(MATRIX).T


@pytest.fixture
def problem():
    covariance = FactoredCovariance(ROOT)
    gaussian = Gaussian(np.zeros(SIZE), covariance)
    return Problem(Linear(), np.arange(7), [None] * 7, gaussian, gaussian, background=covariance)


def test_increments_are_those_of_the_kalman_gain_carried_by_the_model(problem):
    operator = LinearOperator.of_components([2], SIZE)
    observations = Observations(operator, np.array([1.5]), np.array([0.3]))
    start = RNG.standard_normal(SIZE)
    found = through_time(problem, start, 1, 5, 3, observations)
    b, h = ROOT @ ROOT.T, operator.matrix_at(start) @ np.linalg.matrix_power(MATRIX, 2)
    gain = b @ h.T / (h @ b @ h.T + 0.3)
    first = gain[:, 0] * (1.5 - (h @ start)[0])
    np.testing.assert_array_equal(found.cycles, [1, 2, 3, 4, 5])
    for k, increment in enumerate(found.increments):
        np.testing.assert_allclose(
            increment, np.linalg.matrix_power(MATRIX, k) @ first, rtol=1e-6, atol=1e-9
        )
    np.testing.assert_allclose(found.background[0], start)


def test_a_cycle_outside_of_the_window_is_refused(problem):
    operator = LinearOperator.of_components([2], SIZE)
    observations = Observations(operator, np.array([1.5]), np.array([0.3]))
    with pytest.raises(UserError, match="not in the window"):
        through_time(problem, np.zeros(SIZE), 1, 3, 5, observations)
