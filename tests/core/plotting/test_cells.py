"""Cells on maps: every one where it lies, by its exact edges."""

import numpy as np
import pytest
from shapely import Polygon

from mlda_core.climate.grid import Grid
from mlda_core.climate.projections import POLAR_EDGE
from mlda_core.plotting.cells import Cells, project
from mlda_core.plotting.projections import GLOBAL, PLAIN, frame_of


def area(quads):
    """Areas of quadrilaterals by the shoelace formula."""
    x, y = quads.x, quads.y
    return 0.5 * np.abs(np.sum(x * np.roll(y, -1, 1) - y * np.roll(x, -1, 1), axis=1))


def drawn(grid, field, name):
    return project(grid.lon_edges, grid.lat_edges, field, GLOBAL[name])


@pytest.mark.parametrize("name", ["robinson", "atlantic", "platecarree"])
def test_cells_cover_the_globe_without_gap_or_overlap(grid, name):
    quads = drawn(grid, np.zeros(grid.shape), name)
    crs = GLOBAL[name]
    x0, _, x1, _ = crs.boundary.bounds
    # Straight sides cut a little off Robinson's round rim.
    assert area(quads).sum() == pytest.approx(Polygon(crs.boundary.coords).area, rel=0.02)
    assert quads.x.min() == pytest.approx(x0, rel=1e-3)
    assert quads.x.max() == pytest.approx(x1, rel=1e-3)
    # None is stretched across the map.
    assert (np.ptp(quads.x, axis=1) < 0.2 * (x1 - x0)).all()


@pytest.mark.parametrize("name", GLOBAL)
def test_a_cell_on_the_seam_is_there_as_two_parts(grid, name):
    seam = GLOBAL[name].proj4_params["lon_0"] - 180.0
    values = np.tile(np.arange(16.0), (8, 1))
    quads = drawn(grid, values, name)
    rows = np.unique(quads.lat).size
    column = int(np.argmin(np.abs((grid.lon - seam + 180) % 360 - 180)))
    halves = int(abs((grid.lon[column] - seam + 180) % 360 - 180) < 11.2)
    counts = [int((quads.values == k).sum()) for k in range(16)]
    assert counts == [rows * (1 + halves * (k == column)) for k in range(16)]


def test_corners_are_the_grids_own_edges(grid, field):
    quads = drawn(grid, field, "platecarree")
    corners = PLAIN.transform_points(GLOBAL["platecarree"], quads.x, quads.y)
    lat = np.unique(np.round(corners[..., 1], 6))
    assert lat == pytest.approx(grid.lat_edges, abs=1e-5)
    lon = np.unique(np.round(corners[..., 0] % 360.0, 4))
    inner = lon[(lon > 1e-3) & (lon < 360 - 1e-3)]
    assert inner == pytest.approx(np.sort(grid.lon_edges[1:] % 360), abs=1e-3)


def test_values_stay_with_their_cells_and_missing_ones_are_kept(grid, field):
    quads = drawn(grid, field, "robinson")
    for value, lat, lon in zip(quads.values, quads.lat, quads.lon, strict=True):
        i = np.abs((grid.lat_edges[1:] + grid.lat_edges[:-1]) / 2 - lat).argmin()
        j = np.abs(grid.lon - lon).argmin()
        assert value == field[i, j] or (np.isnan(value) and np.isnan(field[i, j]))
    assert np.isnan(quads.values).sum() == 3


@pytest.mark.parametrize(("name", "sign"), [("north", 1), ("south", -1)])
def test_polar_maps_reach_the_pole_and_end_at_their_edge(grid, field, name, sign):
    quads = drawn(grid, field, name)
    assert (sign * quads.lat > 0).all()
    radius = np.hypot(quads.x, quads.y)
    assert radius.min() < 1.0
    lat = PLAIN.transform_points(GLOBAL[name], quads.x, quads.y)[..., 1]
    assert (sign * lat).min() == pytest.approx(POLAR_EDGE, abs=1e-6)


def test_a_region_across_greenwich_is_whole_on_a_map_of_its_own():
    region = Grid(np.arange(37.5, 61, 2.5), np.arange(345.0, 376, 2.5))
    frame = frame_of("", region)
    quads = project(region.lon_edges, region.lat_edges, np.ones(region.shape), frame.crs)
    assert quads.values.size == 10 * 13
    x0, x1, y0, y1 = frame.limits
    assert x0 < quads.x.min() < quads.x.max() < x1
    assert y0 < quads.y.min() < quads.y.max() < y1
    # Equal area.
    share = area(quads) / area(quads).sum()
    assert np.sort(share) == pytest.approx(np.sort(region.weights.ravel()), rel=0.01)


def test_a_region_on_a_map_of_the_globe_is_cut_at_the_seam_only():
    region = Grid(np.arange(37.5, 61, 2.5), np.arange(345.0, 376, 2.5))
    crs = GLOBAL["robinson"]
    quads = project(region.lon_edges, region.lat_edges, np.ones(region.shape), crs)
    # The cells centred on Greenwich are two parts.
    assert quads.values.size == 10 * 14
    width = crs.x_limits[1] - crs.x_limits[0]
    assert np.ptp(quads.x, axis=1).max() < 0.02 * width


def test_the_element_holds_the_field_itself(grid, field):
    cells = Cells((grid.lon_edges, grid.lat_edges, field), ["lon", "lat"], "value")
    assert np.array_equal(cells.dimension_values("value", flat=False), field, equal_nan=True)
    assert cells.interface.coords(cells, "lat", edges=True) == pytest.approx(grid.lat_edges)
    assert cells.crs == PLAIN
