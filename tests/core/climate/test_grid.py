"""Areas and edges of the grid, against spherical geometry worked out another way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlda_core.climate.grid import Grid


def gaussian(nlat=48, nlon=96):
    lat = np.degrees(np.arcsin(np.polynomial.legendre.leggauss(nlat)[0]))
    return Grid(lat, np.arange(nlon) * 360 / nlon)


def regular(step):
    return Grid(np.arange(-90 + step / 2, 90, step), np.arange(0, 360, step))


def test_shape_and_centres():
    grid = gaussian()
    assert grid.shape == (48, 96) == grid.weights.shape
    assert grid.lat_edges.shape == (49,)
    assert grid.lon_edges.shape == (97,)
    assert np.all((grid.lat_edges[:-1] < grid.lat) & (grid.lat < grid.lat_edges[1:]))
    assert np.all((grid.lon_edges[:-1] < grid.lon) & (grid.lon < grid.lon_edges[1:]))


def test_edges_tile_the_globe():
    grid = gaussian()
    assert (grid.lat_edges[0], grid.lat_edges[-1]) == (-90, 90)
    assert grid.lon_edges[-1] - grid.lon_edges[0] == pytest.approx(360)


@pytest.mark.parametrize("grid", [gaussian(), regular(2.5), regular(7.5)], ids=str)
def test_weights_sum_to_one_and_mirror_at_the_equator(grid):
    assert grid.weights.sum() == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(grid.weights, grid.weights[::-1], rtol=1e-9)
    assert np.ptp(grid.weights, axis=1).max() < 1e-15, "a row is a circle of latitude"


def test_weights_are_areas_found_by_counting_random_points():
    """A Monte Carlo count of points even on the sphere: a way that shares no formula."""
    grid = regular(30.0)
    rng = np.random.default_rng(0)
    points = rng.normal(size=(400_000, 3))
    lat = np.degrees(np.arcsin(points[:, 2] / np.linalg.norm(points, axis=1)))
    lon = np.degrees(np.arctan2(points[:, 1], points[:, 0])) % 360
    # The first cell is centred on Greenwich: its western half is at 345..360.
    lon = np.where(lon >= grid.lon_edges[-1], lon - 360, lon)
    count, _, _ = np.histogram2d(lat, lon, bins=(grid.lat_edges, grid.lon_edges))
    sd = np.sqrt(grid.weights / len(points))
    assert np.abs(count / len(points) - grid.weights).max() < 5 * sd.max()


def test_weights_are_close_to_the_gaussian_quadrature():
    grid = gaussian()
    quadrature = np.polynomial.legendre.leggauss(48)[1] / 2
    rows = grid.weights.sum(axis=1)
    np.testing.assert_allclose(rows[1:-1], quadrature[1:-1], rtol=2e-3)
    # The polar caps are 5.8 % larger: cells end half way between Gaussian latitudes.
    np.testing.assert_allclose(rows, quadrature, rtol=0.06)


def test_weights_integrate_a_smooth_function():
    grid = gaussian()
    field = np.broadcast_to(np.sin(np.radians(grid.lat))[:, None] ** 2, grid.shape)
    assert (grid.weights * field).sum() == pytest.approx(1 / 3, abs=2e-3)


def test_row_of_a_pole_centred_grid_is_a_cap():
    grid = Grid(np.arange(-90, 91, 10.0), np.arange(0, 360, 10.0))
    cap = (1 - np.sin(np.radians(85))) / 2
    assert grid.lat_edges[-1] == 90
    assert grid.weights[-1].sum() == pytest.approx(cap, rel=1e-9)


def test_regional_grid_keeps_its_own_edges():
    grid = Grid(np.array([40.0, 45.0, 50.0]), np.array([0.0, 5.0, 10.0, 15.0]))
    np.testing.assert_allclose(grid.lat_edges, [37.5, 42.5, 47.5, 52.5])
    np.testing.assert_allclose(grid.lon_edges, [-2.5, 2.5, 7.5, 12.5, 17.5])
    assert not grid.is_global
    assert grid.weights.sum() == pytest.approx(1)


def test_global_grids_are_known_as_periodic():
    assert gaussian().is_global
    assert regular(2.5).is_global
    assert not Grid(np.array([0.0, 1.0]), np.arange(0, 350, 10.0)).is_global


@given(
    st.lists(st.integers(-8900, 8900), min_size=2, max_size=40, unique=True),
    st.lists(st.integers(0, 35900), min_size=2, max_size=40, unique=True),
)
def test_any_ascending_axes_give_positive_weights_that_sum_to_one(lat, lon):
    grid = Grid(np.sort(lat) / 100, np.sort(lon) / 100)
    assert np.all(grid.weights > 0)
    assert grid.weights.sum() == pytest.approx(1)
    assert np.all(np.diff(grid.lat_edges) > 0)


@pytest.mark.parametrize(
    ("lat", "lon", "culprit"),
    [
        ([10.0, 0.0], [0.0, 1.0], "lat"),
        ([0.0, 10.0], [5.0, 5.0], "lon"),
        ([0.0], [0.0, 1.0], "lat"),
        ([-91.0, 0.0], [0.0, 1.0], "lat"),
        ([0.0, np.nan], [0.0, 1.0], "lat"),
        ([[0.0, 1.0]], [0.0, 1.0], "lat"),
    ],
)
def test_impossible_axes_are_refused_by_name(lat, lon, culprit):
    with pytest.raises(ValueError, match=rf"grid's {culprit}"):
        Grid(np.array(lat), np.array(lon))
