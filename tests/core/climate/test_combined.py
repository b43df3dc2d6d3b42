"""Places combined to means and differences."""

from __future__ import annotations

import numpy as np
import pytest

from mlda_core.climate.combined import CombinedPlaces, combine
from mlda_core.climate.grid import Grid
from mlda_core.climate.interpolation import ObservationOperator

GRID = Grid(np.arange(-80.0, 81, 20), np.arange(0.0, 360, 30))
OPERATOR = ObservationOperator(GRID, np.ones((2, *GRID.shape), bool))
STATES = np.random.default_rng(0).standard_normal((3, 2 * GRID.lat.size * GRID.lon.size))


def at(lat, lon, variable=0):
    return OPERATOR.locate(variable, lat, lon)


def combined():
    """A mean of three places, a place, and a difference of two places of the other variable."""
    parts = [
        [(np.array([0.5, 0.25, 0.25]), at([10.0, 33.0, -7.0], [5.0, 100.0, 359.0]))],
        [(1.0, at([50.0], [10.0]))],
        [(1.0, at([50.0], [10.0], 1)), (-1.0, at([-20.0], [200.0], 1))],
    ]
    lat, lon = np.array([12.0, 50.0, 50.0]), np.array([7.0, 10.0, 10.0])
    return combine(parts, lat, lon, np.zeros(3, bool))


def test_sums_over_cells_are_those_over_points():
    places = combined()
    points = places.points.interpolate(STATES)
    mean = 0.5 * points[0] + 0.25 * points[1] + 0.25 * points[2]
    expected = np.stack([mean, points[3], points[4] - points[5]])
    np.testing.assert_allclose(places.interpolate(STATES), expected, atol=1e-6)
    np.testing.assert_allclose(places.add_up(points), expected, atol=1e-6)
    np.testing.assert_allclose(places.add_up(points.T, axis=1), expected.T, atol=1e-6)
    np.testing.assert_allclose(places.weight.sum(axis=1), [1.0, 1.0, 0.0], atol=1e-12)
    assert places.variable.tolist() == [0, 0, 1]


def test_cells_that_several_points_share_are_there_once_and_padded_with_nothing():
    twice = [[(np.array([0.5, 0.5]), at([10.0, 10.0], [5.0, 5.0]))], [(1.0, at([0.0], [30.0]))]]
    places = combine(twice, np.zeros(2), np.zeros(2), np.zeros(2, bool))
    assert len(np.unique(places.index[0])) == places.index.shape[1] == 4
    # The second is at the centre of a cell: the rest of its row has the weight zero.
    assert sorted(places.weight[1]) == [0.0, 0.0, 0.0, pytest.approx(1.0)]
    np.testing.assert_allclose(
        places.interpolate(STATES)[0], at([10.0], [5.0]).interpolate(STATES)[0], atol=1e-6
    )


def test_a_difference_of_a_place_and_itself_is_zero():
    here = at([10.0], [5.0])
    places = combine([[(1.0, here), (-1.0, here)]], np.zeros(1), np.zeros(1), np.zeros(1, bool))
    np.testing.assert_array_equal(places.interpolate(STATES), 0.0)


def test_combined_places_keep_what_each_is_of():
    places = combined()
    back = places.where(np.array([2, 0, 1]))
    assert isinstance(back, CombinedPlaces)
    assert back.names == [places.names[i] for i in (2, 0, 1)]
    np.testing.assert_array_equal(back.interpolate(STATES), places.interpolate(STATES)[[2, 0, 1]])
    points = back.points.interpolate(STATES)
    np.testing.assert_allclose(back.add_up(points), back.interpolate(STATES), atol=1e-6)
    by_mask = places.where(np.array([True, False, True]))
    assert by_mask.names == [places.names[0], places.names[2]]


def test_none_of_them_are_no_places():
    none = combined().where(np.zeros(3, bool))
    assert len(none) == 0
    assert none.names == []
    assert none.interpolate(STATES).shape == (0, 3)
    assert none.add_up(np.zeros((0, 5))).shape == (0, 5)


def test_names_are_equal_for_the_same_combination_only():
    places = combined()
    assert places.names == combined().names
    assert len(set(places.names)) == 3
    # A single place has the name that it has alone, so that what is kept of it is found.
    assert places.names[1] == at([50.0], [10.0]).names[0]
    parts = [[(c, at([10.0, 33.0], [5.0, 100.0]))] for c in ([0.5, 0.5], [0.25, 0.75])]
    one, other = combine(
        [[(np.array(c), p) for c, p in terms] for terms in parts],
        np.zeros(2),
        np.zeros(2),
        np.zeros(2, bool),
    ).names
    assert one != other
