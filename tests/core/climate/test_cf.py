"""CF coordinates, and time axes that are not monthly."""

import numpy as np
import pytest
import xarray as xr

from mlda_core.climate.cf import (
    coordinates,
    fault_of_times,
    mid_month,
    step_of,
)
from mlda_core.climate.errors import UserError
from mlda_core.climate.grid import Grid
from mlda_core.climate.time_step import DAY, MONTH

MONTHS = ("1969-12", "1970-01", "2000-02")


def test_months_are_stamped_on_their_15th():
    stamps = mid_month(MONTHS)
    assert stamps.dtype == "datetime64[ns]"
    assert [str(t)[:10] for t in stamps] == ["1969-12-15", "1970-01-15", "2000-02-15"]
    np.testing.assert_array_equal(mid_month(np.array(MONTHS, "datetime64[M]")), stamps)


def test_coordinates_are_those_of_cf():
    grid = Grid(np.array([-10.0, 0.0, 10.0]), np.array([350.0, 360.0]))
    data = xr.Dataset(coords=coordinates(grid, MONTHS))
    assert dict(data.sizes) == {"time": 3, "lat": 3, "lon": 2}
    assert data["time"].attrs["standard_name"] == "time"
    assert data["lat"].attrs == {"standard_name": "latitude", "units": "degrees_north"}
    assert data["lon"].attrs == {"standard_name": "longitude", "units": "degrees_east"}
    # The attributes are the file's own: to change them changes no other file.
    data["lat"].attrs["units"] = "furlong"
    assert coordinates(grid, MONTHS)["lat"][2]["units"] == "degrees_north"


@pytest.mark.parametrize(
    ("times", "fault"),
    [
        (mid_month(MONTHS), ""),
        (np.array(["1980-01-01", "1980-01-31"], "datetime64[ns]"), "has the month 1980-01 twice"),
        (np.array(["1980-01-01", "NaT"], "datetime64[ns]"), "has times that are no dates"),
        (np.array([1.0, 2.0]), "has times that are no dates"),
        (None, "has no coordinate 'time'"),
    ],
)
def test_what_is_wrong_with_a_time_axis_is_said(times, fault):
    data = xr.Dataset(coords={} if times is None else {"time": times})
    found = fault_of_times(data, MONTH)
    assert found.startswith(fault)
    assert bool(found) == bool(fault)


DAYS = ("1984-02-29", "1984-03-01")
GRID = Grid(np.array([-10.0, 0.0, 10.0]), np.array([350.0, 360.0]))


@pytest.mark.parametrize(
    ("cell", "hour", "first"), [("point", "00", "1984-02-28T00"), ("mean", "12", "1984-02-29T00")]
)
def test_days_are_stamped_at_their_beginning_or_in_their_middle(cell, hour, first):
    data = xr.Dataset(coords=coordinates(GRID, DAYS, DAY, cell))
    assert data["time"].dtype == "datetime64[ns]"
    assert [str(t)[:13] for t in data["time"].values] == [f"{day}T{hour}" for day in DAYS]
    assert data["time"].attrs["bounds"] == "time_bnds"
    # Fluxes beside states are means over the 24 hours before.
    bounds = data["time_bnds"].values
    assert str(bounds[0, 0])[:13] == first
    assert np.all(bounds[:, 1] - bounds[:, 0] == np.timedelta64(1, "D"))
    assert DAY.labels(data["time"].values) == list(DAYS)


def test_a_daily_file_comes_back_with_its_step_and_bounds(tmp_path):
    field = (("time", "lat", "lon"), np.zeros((2, 3, 2)))
    data = xr.Dataset({"psl": field}, coordinates(GRID, DAYS, DAY), {"frequency": "day"})
    data.to_netcdf(tmp_path / "d.nc")
    with xr.open_dataset(tmp_path / "d.nc") as back:
        assert list(back.data_vars) == ["psl"], "the bounds are no field"
        np.testing.assert_array_equal(back["time"], data["time"])
        np.testing.assert_array_equal(back["time_bnds"], data["time_bnds"])
        assert step_of(back) is DAY
        assert fault_of_times(back, DAY) == ""
        assert fault_of_times(back, MONTH) == ""
    with xr.open_dataset(tmp_path / "d.nc", decode_cf=False) as raw:
        assert raw["time"].attrs["units"] == "hours since 1900-01-01"
        assert (
            raw["time_bnds"].attrs.get("units", "hours since 1900-01-01")
            == (raw["time"].attrs["units"])
        )
        np.testing.assert_array_equal(raw["time_bnds"], raw["time"].values[:, None] + [-12, 12])


def test_the_step_of_a_dataset():
    assert step_of(xr.Dataset()) is MONTH
    assert step_of(xr.Dataset(attrs={"frequency": "mon"})) is MONTH
    with pytest.raises(UserError, match=r"frequency is '6hr' and not mon or day; correct it\.$"):
        step_of(xr.Dataset(attrs={"frequency": "6hr"}))


def test_a_day_that_is_there_twice_is_said():
    times = np.array(["1984-02-29T00", "1984-02-29T12"], "datetime64[ns]")
    data = xr.Dataset(coords={"time": times})
    assert fault_of_times(data, DAY) == "has the day 1984-02-29 twice"
