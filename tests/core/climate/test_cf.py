"""CF coordinates, and time axes that are not monthly."""

import numpy as np
import pytest
import xarray as xr

from mlda_core.climate.cf import coordinates, fault_of_months, mid_month
from mlda_core.climate.grid import Grid

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
    found = fault_of_months(data)
    assert found.startswith(fault)
    assert bool(found) == bool(fault)
