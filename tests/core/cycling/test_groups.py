import numpy as np

from mlda_core.cycling.groups import mean_in_groups, ratio


def test_each_component_gets_the_mean_of_its_group():
    values, groups = np.array([1.0, 5.0, 2.0, 3.0, 4.0]), np.array([1, 0, 1, 1, 0])
    assert np.allclose(mean_in_groups(values, groups), [2.0, 4.5, 2.0, 2.0, 4.5])


def test_nothing_is_divided_by_zero():
    found = ratio(np.array([1.0, 2.0]), np.array([4.0, 0.0]))
    assert found.tolist() == [0.25, 0.0]
