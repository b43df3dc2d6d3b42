"""Region masks and means against areas on the sphere and a brute-force count."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlda_core.climate.grid import Grid
from mlda_core.climate.regions import REGIONS, Region, region_mask, regional_mean

LAT = np.degrees(np.arcsin(np.polynomial.legendre.leggauss(48)[0]))
GRID = Grid(LAT, np.arange(96) * 3.75)


def share_of_the_earth(region):
    """Area of a latitude-longitude box over the sphere's, by the formula for a zone."""
    width = 360 if region.east - region.west >= 360 else (region.east - region.west) % 360
    south, north = np.sin(np.radians([region.south, region.north]))
    return (north - south) / 2 * width / 360


def brute_force_mask(grid, region, fine=40):
    """Count the fine points of each cell, even in area, that lie in the box."""
    part = (np.arange(fine) + 0.5) / fine
    sines = np.sin(np.radians(grid.lat_edges))
    lat = np.degrees(np.arcsin(sines[:-1, None] + np.diff(sines)[:, None] * part))
    lon = grid.lon_edges[:-1, None] + np.diff(grid.lon_edges)[:, None] * part
    rows = ((lat >= region.south) & (lat <= region.north)).mean(axis=1)
    span = region.east - region.west
    width = 360 if span >= 360 else span % 360
    cols = ((lon - region.west) % 360 <= width).mean(axis=1)
    return np.outer(rows, cols)


@pytest.mark.parametrize("name", REGIONS)
def test_mask_holds_the_area_of_the_box(name):
    mask = region_mask(GRID, REGIONS[name])
    assert mask.min() >= 0
    assert mask.max() <= 1
    assert (mask * GRID.weights).sum() == pytest.approx(share_of_the_earth(REGIONS[name]), rel=1e-9)


@pytest.mark.parametrize("name", REGIONS)
def test_mask_is_that_of_a_count(name):
    region = REGIONS[name]
    np.testing.assert_allclose(region_mask(GRID, region), brute_force_mask(GRID, region), atol=0.03)


@settings(max_examples=60, deadline=None)
@given(st.integers(-90, 80), st.integers(5, 60), st.integers(-180, 359), st.integers(10, 350))
def test_any_box_on_either_longitude_convention(south, height, west, width):
    region = Region("box", south, min(south + height, 90), west, west + width)
    turned = Region("box", region.south, region.north, west % 360, (west + width) % 360)
    mask = region_mask(GRID, region)
    np.testing.assert_allclose(mask, region_mask(GRID, turned), atol=1e-9)
    np.testing.assert_allclose(mask, brute_force_mask(GRID, region), atol=0.05)
    assert (mask * GRID.weights).sum() == pytest.approx(share_of_the_earth(region), rel=1e-6)


def test_nino34_is_the_pacific_box_of_its_definition():
    inside = region_mask(GRID, REGIONS["nino34"]) > 0.5
    lat, lon = np.meshgrid(GRID.lat, GRID.lon, indexing="ij")
    assert inside.any()
    assert np.abs(lat[inside]).max() < 5
    assert lon[inside].min() >= 190
    assert lon[inside].max() <= 240


def test_mean_of_a_constant_is_the_constant_in_every_region():
    field = np.full(GRID.shape, 7.25)
    for region in REGIONS.values():
        assert float(regional_mean(field, GRID, region)) == pytest.approx(7.25)


def test_mean_of_sine_squared_over_the_tropics():
    # Integral of sin^2 over the zone 30S-30N: s^3 / 3 over s with s = sin 30.
    field = np.broadcast_to(np.sin(np.radians(GRID.lat))[:, None] ** 2, GRID.shape)
    mean = float(regional_mean(field, GRID, REGIONS["tropics"]))
    assert mean == pytest.approx(0.25 / 3, rel=0.01)


def test_globe_mean_weighs_by_area():
    field = np.where(np.abs(GRID.lat)[:, None] < 30, 1.0, 0.0) * np.ones(GRID.shape)
    # Half of the Earth lies between 30S and 30N, to the nearest row of cells.
    assert float(regional_mean(field, GRID, REGIONS["globe"])) == pytest.approx(0.5, abs=0.03)


def test_missing_cells_are_left_out():
    rng = np.random.default_rng(0)
    field = rng.normal(size=GRID.shape)
    field[:, ::3] = np.nan
    good = np.isfinite(field)
    expected = np.average(field[good], weights=GRID.weights[good])
    assert float(regional_mean(field, GRID, REGIONS["globe"])) == pytest.approx(expected)


def test_region_without_data_is_nan():
    field = np.ones(GRID.shape)
    field[np.abs(GRID.lat) < 20] = np.nan
    assert np.isnan(regional_mean(field, GRID, REGIONS["nino34"]))


def test_leading_dimensions_are_kept():
    rng = np.random.default_rng(0)
    fields = rng.normal(size=(3, 2, *GRID.shape)).astype(np.float32)
    means = regional_mean(fields, GRID, REGIONS["nino34"])
    assert means.shape == (3, 2)
    for index in np.ndindex(3, 2):
        single = regional_mean(fields[index], GRID, REGIONS["nino34"])
        assert means[index] == pytest.approx(float(single), rel=1e-5)


def test_hemispheres_average_to_the_globe():
    rng = np.random.default_rng(3)
    field = rng.normal(size=GRID.shape)
    parts = [regional_mean(field, GRID, REGIONS[name]) for name in ("south", "tropics", "north")]
    shares = [share_of_the_earth(REGIONS[name]) for name in ("south", "tropics", "north")]
    assert np.dot(parts, shares) == pytest.approx(regional_mean(field, GRID, REGIONS["globe"]))
