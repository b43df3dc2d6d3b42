"""Projections: the right cell under every pixel, and lines that do not cross the map."""

import numpy as np
import pytest

from app.maps import projections
from app.maps.projections import (
    EXTENT,
    NX,
    NY,
    on_map,
    pixel_map,
    projection,
    to_lonlat,
    to_map,
)
from mlda_core.climate.grid import Grid
from mlda_core.climate.projections import KEYS

GRID = Grid(np.linspace(-87.5, 87.5, 36), np.arange(0.0, 360.0, 5.0))


def centres():
    x0, x1, y0, y1 = EXTENT
    x = x0 + (x1 - x0) * (np.arange(NX) + 0.5) / NX
    y = y0 + (y1 - y0) * (np.arange(NY) + 0.5) / NY
    return np.meshgrid(x, y)


@pytest.mark.parametrize("key", KEYS)
def test_every_map_fills_its_two_to_one_frame(key):
    x0, x1, y0, y1 = EXTENT
    assert (x1 - x0) == 2 * (y1 - y0)
    x, y = projection(key).outline
    assert 0.97 <= max(np.abs(y).max() / y1, np.abs(x).max() / x1) <= 1.0


@pytest.mark.parametrize("key", KEYS)
def test_every_pixel_shows_the_cell_that_it_lies_in(key):
    pixels = pixel_map(key, GRID)
    lon, lat = to_lonlat(key, *centres())
    shown = pixels.inside
    assert 0.3 < shown.mean() <= 1.0
    row, col = np.divmod(pixels.index[shown], GRID.lon.size)
    assert np.abs(GRID.lat[row] - lat[shown]).max() <= 2.5001
    away = (GRID.lon[col] - lon[shown] + 180) % 360 - 180
    assert np.abs(away).max() <= 2.5001
    assert (pixels.index[~shown] == -1).all()


@pytest.mark.parametrize("key", KEYS)
def test_a_smooth_field_is_drawn_as_it_is(key):
    lon, lat = np.meshgrid(np.radians(GRID.lon), np.radians(GRID.lat))
    drawn = pixel_map(key, GRID).project(np.sin(lat) + np.cos(lat) * np.cos(lon))
    where_lon, where_lat = to_lonlat(key, *centres())
    expected = np.sin(np.radians(where_lat)) + np.cos(np.radians(where_lat)) * np.cos(
        np.radians(where_lon)
    )
    inside = np.isfinite(drawn) & (np.abs(where_lat) < 85)
    assert np.abs(drawn - expected)[inside].max() < 0.01


def test_missing_cells_stay_missing_and_do_not_bleed():
    field = np.ones(GRID.shape)
    field[:, 10:20] = np.nan
    drawn = pixel_map("platecarree", GRID).project(field)
    assert np.isnan(drawn).mean() == pytest.approx(10 / 72, abs=0.01)
    assert np.nanmax(np.abs(drawn - 1)) < 1e-5


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("lines", ["coast", "graticule"])
def test_lines_stay_on_the_map_and_never_cross_it(key, lines):
    shown = projection(key)
    x, y = getattr(shown, lines)
    x0, x1, y0, y1 = EXTENT
    assert np.nanmin(x) >= x0 * 1.001
    assert np.nanmax(x) <= x1 * 1.001
    assert np.nanmin(y) >= y0 * 1.001
    assert np.nanmax(y) <= y1 * 1.001
    assert len(x) > 100
    if lines == "coast":
        assert np.nanmax(np.hypot(np.diff(x), np.diff(y))) < 0.1 * (x1 - x0)


def test_a_regional_grid_shows_its_region_only():
    grid = Grid(np.linspace(40.0, 60.0, 21), np.linspace(10.0, 40.0, 31))
    pixels = pixel_map("platecarree", grid)
    lon, lat = to_lonlat("platecarree", *centres())
    inside = pixels.inside
    assert 0 < inside.mean() < 0.05
    assert lat[inside].min() > 39
    assert lon[inside].max() < 41


@pytest.mark.parametrize("west", [-20.0, 340.0])
def test_a_region_across_greenwich_is_shown_on_both_sides(west):
    grid = Grid(np.linspace(40.0, 60.0, 21), west + np.linspace(0.0, 40.0, 41))
    pixels = pixel_map("platecarree", grid)
    lon, _ = to_lonlat("platecarree", *centres())
    east = (lon[pixels.inside] + 180) % 360 - 180
    assert east.min() == pytest.approx(-20.5, abs=0.5)
    assert east.max() == pytest.approx(20.5, abs=0.5)
    drawn = pixels.project(np.broadcast_to(grid.lon - west - 20, grid.shape).astype(np.float32))
    shown = drawn.ravel()[pixels.inside.ravel()]
    inner = np.abs(east) < 20
    np.testing.assert_allclose(shown[inner], east[inner], atol=1e-3)


def test_an_unknown_projection_is_refused():
    with pytest.raises(ValueError, match="mercator"):
        projections.crs_of("mercator")


@pytest.mark.parametrize("key", KEYS)
def test_places_go_to_the_map_and_back(key):
    rng = np.random.default_rng(3)
    lon, lat = rng.uniform(-360, 720, 500), rng.uniform(-89.9, 89.9, 500)
    x, y = to_map(key, lon, lat)
    shown = np.isfinite(x)
    assert shown.mean() > 0.3
    back_lon, back_lat = to_lonlat(key, x[shown], y[shown])
    assert np.abs((back_lon - lon[shown] + 180) % 360 - 180).max() < 1e-9
    assert np.abs(back_lat - lat[shown]).max() < 1e-9
    assert all(on_map(key, a, b) for a, b in zip(x[shown], y[shown], strict=True))


@pytest.mark.parametrize("key", ["robinson", "atlantic", "north", "south"])
def test_a_corner_of_the_map_is_off_the_globe(key):
    assert not on_map(key, 1.97, 0.97)


@pytest.mark.parametrize(("key", "middle", "torn"), [("robinson", 180, 0), ("atlantic", 0, 180)])
def test_either_robinson_is_torn_on_the_far_side_only(key, middle, torn):
    lat = np.full(2, 50.0)
    x, _ = to_map(key, np.array([middle - 1.0, middle + 1.0]), lat)
    assert abs(x[1] - x[0]) < 0.05
    x, _ = to_map(key, np.array([torn - 1.0, torn + 1.0]), lat)
    assert abs(x[1] - x[0]) > 2
    coast = projection(key).coast
    steps = np.hypot(np.diff(coast[0]), np.diff(coast[1]))
    assert np.nanmax(steps) < 0.2
    # A box over the middle is one stretch of longitude.
    _, _, west, east = projections.box_to_region(key, {"x0": -0.1, "x1": 0.1, "y0": 0, "y1": 0.1})
    assert (west - middle + 180) % 360 - 180 < 0 < (east - middle + 180) % 360 - 180
    assert (east - west) % 360 < 30


def test_a_polar_map_does_not_show_the_other_pole():
    x, _ = to_map("north", np.array([0.0, 0.0]), np.array([60.0, -60.0]))
    assert np.isfinite(x).tolist() == [True, False]
