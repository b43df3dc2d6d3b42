"""HadUK-Grid, on a crop made with the real layout."""

import netCDF4
import numpy as np
import pytest
import xarray as xr
from downloads import write_haduk

from mlda_core.sources import SourceError
from mlda_core.sources.prepare import read_files, recognise
from mlda_core.sources.regrid import grid_of_step

DAYS_2020 = np.array([31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
SEA = np.ones((7, 6), bool)
SEA[1:6, 2:5] = False


def land_only(mean, spread, seed=0):
    values = mean + spread * np.random.default_rng(seed).normal(size=(12, *SEA.shape))
    values[:, SEA] = np.nan
    return values


TAS, RAIN, SUN = land_only(9, 5), land_only(100, 20, 1), land_only(120, 30, 2)


@pytest.fixture
def crop(tmp_path):
    for name, values, units, method in (
        ("tas", TAS, "degC", "mid_range within days time: mean over days"),
        ("rainfall", RAIN, "mm", "sum"),
        ("sun", SUN, "hour", "sum"),
    ):
        path = tmp_path / f"{name}_hadukgrid_uk_60km_mon_202001-202012.nc"
        write_haduk(path, name, values, units=units, method=method)
    return tmp_path


def test_the_projected_grid_is_kept(crop):
    assert recognise([crop]) == "haduk"
    data = read_files([crop])
    assert dict(data.sizes) == {"member": 1, "time": 12, "y": 7, "x": 6}
    assert list(data.data_vars) == ["tas", "pr", "sund", "crs"]
    assert data["tas"].dims == ("member", "time", "y", "x")
    assert data["lat"].dims == data["lon"].dims == ("y", "x")
    assert data["y"].attrs["standard_name"] == "projection_y_coordinate"
    assert np.all(np.diff(data["y"]) > 0)
    assert data["crs"].attrs["grid_mapping_name"] == "transverse_mercator"
    assert data["tas"].attrs["grid_mapping"] == "crs"
    assert 0 <= float(data["lon"].min()) <= float(data["lon"].max()) < 360
    for name in ("tas", "pr", "sund"):
        assert np.array_equal(np.isnan(data[name][0]).all("time"), SEA)


def test_sums_over_months_of_different_lengths_become_rates(crop):
    data = read_files([crop])
    days = DAYS_2020[:, None, None]
    np.testing.assert_allclose(data["tas"][0], TAS + 273.15, rtol=1e-6)
    np.testing.assert_allclose(data["pr"][0], RAIN / days / 86400, rtol=1e-6)
    np.testing.assert_allclose(data["sund"][0], SUN * 3600 / days, rtol=1e-6)
    assert {n: data[n].attrs["units"] for n in ("tas", "pr", "sund")} == {
        "tas": "K",
        "pr": "kg m-2 s-1",
        "sund": "s",
    }
    assert [str(t)[:10] for t in data["time"].values[:2]] == ["2020-01-15", "2020-02-15"]


def test_rows_from_the_north_are_turned(crop):
    path = crop / "tas_hadukgrid_uk_60km_mon_202001-202012.nc"
    with netCDF4.Dataset(path, "a") as data:
        for name in ("projection_y_coordinate", "latitude", "tas"):
            axis = 1 if name == "tas" else 0
            data[name][:] = np.flip(np.ma.filled(data[name][:], np.nan), axis)
    np.testing.assert_allclose(read_files([path])["tas"][0], TAS + 273.15, rtol=1e-6)


def test_it_survives_a_file(crop, tmp_path):
    path = tmp_path / "made.nc"
    read_files([crop]).to_netcdf(path)
    with xr.open_dataset(path) as data:
        assert data["tas"].dims == ("member", "time", "y", "x")


def test_daily_files_are_refused(tmp_path):
    values = np.concatenate([RAIN, RAIN, RAIN[:7]])
    path = tmp_path / "rainfall_hadukgrid_uk_60km_day_20200101-20200131.nc"
    write_haduk(path, "rainfall", values, units="mm", method="sum", frequency="day")
    with pytest.raises(SourceError, match=r"over 1 d .*give the monthly file\.$"):
        read_files([path])


def wide(values):
    """A projected field without sea, of the crop's grid: every cell has a value."""
    return np.broadcast_to(values, (12, *SEA.shape)).copy()


def test_regridding_to_latitudes_and_longitudes(tmp_path):
    path = tmp_path / "tas_hadukgrid_uk_60km_mon_202001-202012.nc"
    # 60 km cells that lie 60/111 degrees apart northwards: the field is its latitude, less 40.
    north = 8.8 + 60 / 111 * np.arange(7)
    write_haduk(path, "tas", wide(north[:, None]), units="degC")
    data = read_files([path], grid=grid_of_step("1x1.5"), covered_only=True)
    assert data["tas"].dims == ("member", "time", "lat", "lon")
    inner = data["tas"][0, 0].isel(lat=slice(1, -1)).values - 273.15 + 40
    truth = np.broadcast_to(data["lat"].values[1:-1, None], inner.shape)
    assert np.isfinite(inner).any()
    np.testing.assert_allclose(inner[np.isfinite(inner)], truth[np.isfinite(inner)], atol=0.06)
    # In one piece, past 360 across Greenwich.
    assert np.allclose(np.diff(data["lon"]), 1.5)
    assert data["lon"].values[0] < 360
