"""Axes by their attributes."""

import numpy as np
import pytest
import xarray as xr
from cf_files import EAST, HIGH, JAN, LAT, LON, LOW, NORTH, SHAPE, SINCE, months, temperature, write
from refusals import refusal

from mlda_core.sources.prepare import read_files


@pytest.mark.parametrize(("time", "lat", "lon"), [("T", "Y", "X"), ("t", "nav_lat", "nav_lon")])
def test_axes_of_any_name(tmp_path, time, lat, lon):
    stamps = (time, (LOW + HIGH) / 2, {"units": "days since 2020-01-01"})
    write(tmp_path / "f.nc", {"tas": temperature()}, time=stamps, lat=lat, lon=lon)
    data = read_files([tmp_path])
    assert months(data) == JAN
    np.testing.assert_allclose(data["tas"][0], 283 + SHAPE, rtol=1e-6)


def test_a_curvilinear_grid_is_refused_with_the_remedy(tmp_path):
    """tos of CMIP6 table Omon on its native grid gn."""
    lat2, lon2 = np.meshgrid(LAT, LON, indexing="ij")
    data = xr.Dataset(
        {"tos": (("time", "j", "i"), 285 + SHAPE,
                 {"units": "K", "standard_name": "sea_surface_temperature"})},
        {"time": ("time", (LOW + HIGH) / 2, SINCE),
         "latitude": (("j", "i"), lat2, NORTH), "longitude": (("j", "i"), lon2, EAST)},
    )  # fmt: skip
    data.to_netcdf(tmp_path / "tos_Omon.nc")
    assert "cdo remapcon" in refusal(tmp_path)


def test_a_rotated_pole_is_no_latitude(tmp_path):
    rotated = {"units": "degrees", "standard_name": "grid_latitude", "axis": "Y"}
    path = tmp_path / "f.nc"
    data = write(path, {"tas": temperature()}, lat="rlat", lon="rlon")
    data["rlat"].attrs = rotated
    data["rlon"].attrs = {**rotated, "standard_name": "grid_longitude", "axis": "X"}
    path.unlink()
    data.to_netcdf(path)
    assert "no coordinate 'lat'" in refusal(path)
