"""Conservative regridding: what it keeps, where it leaves holes, and the grids it goes to."""

import numpy as np
import pytest
import xarray as xr
from downloads import gaussian
from hypothesis import given, settings
from hypothesis import strategies as st

from mlda_core.climate.grid import Grid
from mlda_core.sources import SourceError
from mlda_core.sources.regrid import Regridder, crop, grid_like, grid_of_step, shares


def with_poles(step):
    return Grid(np.arange(-90, 90.1, step), np.arange(0, 360, step))


GRIDS = {
    "poles": with_poles(10.0),
    "step": grid_of_step("7.5"),
    "gauss": Grid(gaussian(16, 32)[0][::-1], gaussian(16, 32)[1]),
    "shifted": Grid(grid_of_step("9").lat, np.arange(40) * 9.0 + 4.5),
}


@pytest.mark.parametrize("source", GRIDS)
@pytest.mark.parametrize("target", GRIDS)
@given(seed=st.integers(0, 1000))
@settings(max_examples=5, deadline=None)
def test_global_means_are_kept(source, target, seed):
    old, new = GRIDS[source], GRIDS[target]
    fields = np.random.default_rng(seed).normal(size=(2, *old.shape))
    made = Regridder(old, new)(fields)
    assert made.dtype == np.float32
    np.testing.assert_allclose(
        (made * new.weights).sum((1, 2)), (fields * old.weights).sum((1, 2)), atol=1e-6
    )


@pytest.mark.parametrize("source", GRIDS)
def test_a_constant_stays_and_an_equal_grid_changes_nothing(source):
    old = GRIDS[source]
    for new in GRIDS.values():
        made = Regridder(old, new)(np.full((1, *old.shape), 101_325.0))
        np.testing.assert_allclose(made, 101_325.0, rtol=1e-7)
    fields = np.random.default_rng(0).normal(size=(2, *old.shape))
    np.testing.assert_allclose(Regridder(old, old)(fields), fields, rtol=1e-5, atol=1e-6)


def test_means_of_four_cells():
    old = Grid(np.arange(-88.75, 90, 2.5), np.arange(0, 360, 2.5) + 1.25)
    new = Grid(np.arange(-87.5, 90, 5.0), np.arange(0, 360, 5.0) + 2.5)
    fields = np.random.default_rng(0).normal(size=(1, *old.shape))
    area = old.weights
    parts = [np.reshape(a, (36, 2, 72, 2)).sum(axis=(1, 3)) for a in (fields[0] * area, area)]
    np.testing.assert_allclose(Regridder(old, new)(fields)[0], parts[0] / parts[1], atol=1e-6)


def test_missing_cells_weigh_nothing_until_they_are_too_many():
    old = Grid(np.arange(-88.75, 90, 2.5), np.arange(0, 360, 2.5) + 1.25)
    new = Grid(np.arange(-87.5, 90, 5.0), np.arange(0, 360, 5.0) + 2.5)
    fields = np.full((1, *old.shape), 3.0)
    equator = 36  # the rows either side of it, alike in area
    fields[0, equator, 0] = np.nan
    fields[0, equator : equator + 2, 2:4] = np.nan
    fields[0, equator, 2] = 3.0
    made = Regridder(old, new, 0.5)(fields)[0]
    row = equator // 2
    assert made[row, 0] == pytest.approx(3.0)
    assert np.isnan(made[row, 1]), "a quarter is less than half"
    assert np.isfinite(Regridder(old, new, 0.2)(fields)[0, row, 1])
    assert np.isnan(Regridder(old, new, 0.9)(fields)[0, row, 0])
    assert np.isfinite(made).sum() == made.size - 1


def test_what_the_source_does_not_cover_is_missing():
    old = Grid(np.arange(30, 71, 10.0), np.arange(340, 400, 10.0))
    made = Regridder(old, GRIDS["step"])(np.ones((1, *old.shape)))[0]
    inside = np.isfinite(made)
    assert np.all(made[inside] == 1)
    lat, lon = GRIDS["step"].lat, GRIDS["step"].lon
    assert lat[inside.any(1)].min() > 20
    east = (lon[inside.any(0)] + 180) % 360 - 180
    assert (east.min(), east.max()) == (-22.5, 30.0)


def test_part_of_a_global_grid_that_a_region_covers():
    old = Grid(np.arange(30, 71, 10.0), np.arange(340, 400, 10.0))
    part = crop(grid_of_step("7.5"), [old], 0.5)
    np.testing.assert_allclose(part.lon, np.arange(337.5, 391, 7.5))
    assert part.lat.min() > 25
    assert part.lat.max() < 75
    assert np.isfinite(Regridder(old, part)(np.ones((1, *old.shape)))).all()
    whole = grid_of_step("7.5")
    kept = crop(whole, [GRIDS["poles"]], 0.5)
    np.testing.assert_array_equal(kept.lat, whole.lat)
    np.testing.assert_array_equal(kept.lon, whole.lon)
    with pytest.raises(SourceError, match="smaller steps"):
        crop(grid_of_step("45"), [old], 0.5)


def test_shares_sum_to_one_where_the_source_covers():
    lat, lon = shares(GRIDS["gauss"], GRIDS["poles"])
    np.testing.assert_allclose(lat.sum(0), 1)
    np.testing.assert_allclose(lon.sum(0), 1)


def test_grids_by_their_step():
    grid = grid_of_step("2.5")
    assert grid.shape == (72, 144)
    assert grid.is_global
    assert (grid.lat[0], grid.lon[0]) == (-88.75, 0)
    assert grid_of_step("2x3").shape == (90, 120)


@pytest.mark.parametrize("text", ["7", "0", "-2", "wide", "2x3x4", "2x7", "90", "nan", ""])
def test_steps_that_make_no_grid(text):
    with pytest.raises(SourceError, match=r"--grid.*\.$"):
        grid_of_step(text)


def test_the_grid_of_a_file(tmp_path):
    path = tmp_path / "like.nc"
    xr.Dataset(coords={"latitude": [60.0, 50, 40], "longitude": [0.0, 10, 20]}).to_netcdf(path)
    grid = grid_like(path)
    np.testing.assert_array_equal(grid.lat, [40, 50, 60])
    flat = tmp_path / "flat.nc"
    xr.Dataset(coords={"lat": (("y", "x"), np.zeros((2, 2)))}).to_netcdf(flat)
    for wrong in (flat, tmp_path / "nowhere.nc"):
        with pytest.raises(SourceError, match=wrong.name):
            grid_like(wrong)


def test_the_longitudes_of_another_file_become_canonical(tmp_path):
    lat = np.arange(-80, 81, 40.0)
    for lon, first, last in (
        (np.arange(-180, 180, 30.0), 0, 330),
        (np.arange(0, 361, 30.0), 0, 330),
        (np.arange(-20, 21, 10.0), 340, 380),
        (np.array([340.0, 350, 0, 10, 20]), 340, 380),
        (np.array([0.0, 10, 20, 340, 350]), 340, 380),
        (np.arange(100, 151, 10.0), 100, 150),
    ):
        path = tmp_path / "like.nc"
        xr.Dataset(coords={"lat": lat, "lon": lon}).to_netcdf(path)
        axis = grid_like(path).lon
        assert (axis[0], axis[-1]) == (first, last)
        assert np.all(np.diff(axis) > 0)
