"""Bilinear interpolation of fields to places, across Greenwich, at poles and at coasts."""

import numpy as np
import pytest

from mlda_core.climate.grid import Grid
from mlda_core.climate.interpolation import LEAST_COVER, ObservationError, ObservationOperator

GRID = Grid(np.arange(-80.0, 81, 20), np.arange(0.0, 360, 30))
EVERYWHERE = np.ones((1, *GRID.shape), bool)
WHOLE = ObservationOperator(GRID, EVERYWHERE)


def at(operator, field, lat, lon):
    return operator.apply(operator.locate(0, lat, lon), field[None])


def test_a_plane_is_interpolated_exactly_on_every_turn_of_longitude():
    plane = GRID.lat[:, None] + 0.0 * GRID.lon
    np.testing.assert_allclose(at(WHOLE, plane, [-33.0, 7.5, 80.0], [12.0, -100.0, 725.0]),
                               [-33.0, 7.5, 80.0], atol=1e-12)  # fmt: skip
    east = np.broadcast_to(GRID.lon, GRID.shape)
    np.testing.assert_allclose(at(WHOLE, east, [3.0, 3.0], [45.0, -315.0]), 45.0)


def test_a_place_across_greenwich_is_between_the_last_column_and_the_first():
    field = np.zeros(GRID.shape)
    field[:, -1], field[:, 0] = 4.0, 8.0
    np.testing.assert_allclose(at(WHOLE, field, [0.0, 0.0, 0.0], [330.0, 345.0, -1e-9]), [4, 6, 8])


def test_beyond_the_last_row_that_row_is_used():
    field = np.broadcast_to(GRID.lat[:, None], GRID.shape)
    np.testing.assert_allclose(at(WHOLE, field, [90.0, -90.0], [10.0, 10.0]), [80.0, -80.0])


def test_land_enters_no_observation_of_the_sea():
    mask = EVERYWHERE.copy()
    mask[0, 4, :4] = False
    operator = ObservationOperator(GRID, mask)
    field = np.where(mask[0], 5.0, np.nan)
    # Between sea to the north and land at the equator: the sea's share decides.
    lat = [19.0, 20 * LEAST_COVER + 0.1, 20 * LEAST_COVER - 0.1, 0.0]
    assert operator.observable(0, lat, [30.0] * 4).tolist() == [True, True, False, False]
    np.testing.assert_allclose(at(operator, field, lat[:2], [30.0] * 2), 5.0)
    places = operator.locate(0, lat[:2], [30.0] * 2)
    np.testing.assert_allclose(places.weight.sum(axis=1), 1)
    with pytest.raises(ObservationError, match=r"Observation 2 lies at 0\.00N 30\.00E.*delete it"):
        operator.locate(0, [19.0, 0.0], [30.0, 390.0])


def test_a_region_ends_at_the_edges_of_its_cells():
    region = Grid(np.array([40.0, 50.0, 60.0]), np.array([350.0, 360.0, 370.0]))
    operator = ObservationOperator(region, np.ones((1, 3, 3), bool))
    lat, lon = [50, 64.9, 65.1, 50, 50, 50], [0, 0, 0, -14.9, -15.1, 15.1]
    assert operator.observable(0, lat, lon).tolist() == [True, True, False, True, False, False]
    assert not operator.observable(0, [np.nan, 50], [0, np.nan]).any()


def test_states_are_interpolated_as_fields_are():
    rng = np.random.default_rng(0)
    states = rng.standard_normal((5, 2, *GRID.shape)).astype(np.float32)
    operator = ObservationOperator(GRID, np.ones((2, *GRID.shape), bool))
    places = operator.locate([0, 1, 1], [10.0, -50.0, 88.0], [5.0, 200.0, 359.0])
    found = places.interpolate(states.reshape(5, -1))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.T, operator.apply(places, states), atol=1e-5)
    part = places.where(np.array([2, 0]))
    assert part.lat.tolist() == [88.0, 10.0]
    assert part.names == [places.names[2], places.names[0]]


def test_names_of_places_tell_positions_apart_that_share_their_cells():
    """Beyond the last row many places have the same cells and weights."""
    names = WHOLE.locate(0, [85.0, 86.0, 85.0], [0.0, 0.0, 360.0]).names
    assert names[0] == names[2] != names[1]
