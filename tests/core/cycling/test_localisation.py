import numpy as np
import pytest

from mlda_core.climate.errors import UserError
from mlda_core.cycling.localisation import Localisation, on_a_circle
from mlda_core.cycling.operators import LinearOperator

AT = np.array([0, 3, 9])
OPERATOR = LinearOperator.of_components(AT, 10, AT[:, None].astype(float))


def test_weights_fall_with_the_distance_round_the_circle():
    weights = on_a_circle(10, 3.0).weights(OPERATOR)
    assert weights.shape == (10, 3)
    assert weights[0, 0] == 1
    assert weights[0, 2] == weights[8, 2] == weights[2, 1]
    assert 0 < weights[0, 2] < 1
    assert weights[6, 0] < weights[7, 0] < weights[8, 0]


def test_neighbours_of_a_group_share_the_mean_of_their_distances():
    single, double = on_a_circle(10, 3.0), on_a_circle(10, 3.0, batch=2)
    assert double.weights(OPERATOR).shape == (5, 3)
    # 4 and 5 are at 1 and 2 from 3, and 1.5 is between their weights.
    low, high = sorted(single.weights(OPERATOR)[[4, 5], 1])
    assert low < double.weights(OPERATOR)[2, 1] < high
    of_components = double.of_components(OPERATOR)
    assert np.array_equal(of_components[4], of_components[5])


def test_the_taper_between_observations_is_one_at_themselves():
    between = on_a_circle(10, 3.0, batch=2).between(OPERATOR)
    assert np.array_equal(np.diag(between), np.ones(3))
    assert np.array_equal(between, between.T)


def test_members_hold_every_component_once():
    local = Localisation(
        np.array([2, 0, 2, 1, 2]), np.zeros((3, 1)), lambda a, b: np.zeros((len(a), len(b))), 1.0
    )
    assert local.members.tolist() == [[1, -1, -1], [3, -1, -1], [0, 2, 4]]


def test_weights_are_those_of_the_operator_asked_last():
    local = on_a_circle(10, 3.0)
    other = LinearOperator.of_components([5], 10, np.array([[5.0]]))
    assert local.weights(OPERATOR).shape == (10, 3)
    assert local.weights(other).shape == (10, 1)
    assert local.weights(OPERATOR).shape == (10, 3)


def test_what_cannot_localise_is_refused():
    with pytest.raises(UserError, match="positive"):
        on_a_circle(10, 0.0)
    with pytest.raises(UserError, match="divisor"):
        on_a_circle(10, 1.0, batch=3)
    with pytest.raises(UserError, match="places"):
        on_a_circle(10, 1.0).weights(LinearOperator.of_components([1], 10))
