import numpy as np
import pytest
import torch

from mlda_core.climate.errors import UserError
from mlda_core.cycling.operators import LinearOperator, NonlinearOperator

RNG = np.random.default_rng(0)
STATES = RNG.standard_normal((3, 6))
MATRIX = RNG.standard_normal((4, 6)) * (RNG.random((4, 6)) < 0.5)


def test_all_ways_of_a_linear_operator_agree():
    operator = LinearOperator.of_dense(MATRIX)
    wanted = STATES @ MATRIX.T
    assert operator.size == 4
    assert np.allclose(operator.observe(STATES), wanted)
    assert np.allclose(operator.apply(torch.from_numpy(STATES)).numpy(), wanted)
    assert np.array_equal(operator.matrix_at(STATES[0]), MATRIX)


def test_components_are_picked():
    operator = LinearOperator.of_components([4, 1], 6)
    assert np.array_equal(operator.observe(STATES), STATES[:, [4, 1]])


@pytest.mark.parametrize("at", [[6], [-1], []])
def test_a_component_that_is_not_there_is_refused(at):
    with pytest.raises(UserError, match="0 to 5"):
        LinearOperator.of_components(at, 6)


def test_the_derivative_of_a_nonlinear_operator_is_its_slope():
    operator = NonlinearOperator(lambda x: torch.sin(x[..., :2]) * x[..., 2:4], 2)
    x, dx, h = STATES[0], RNG.standard_normal(6), 1e-6
    ahead, behind = operator.observe((x + h * dx)[None]), operator.observe((x - h * dx)[None])
    assert np.allclose(operator.matrix_at(x) @ dx, (ahead - behind)[0] / (2 * h), atol=1e-8)
