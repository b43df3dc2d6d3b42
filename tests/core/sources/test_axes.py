"""Longitudes in canonical order."""

import numpy as np
import pytest
from downloads import MONTHS, field, write_psl
from psl_files import CRV3, LAT, LON, upright

from mlda_core.sources.axes import eastwards
from mlda_core.sources.prepare import read_files


def test_longitudes_from_minus_180_are_turned(tmp_path):
    east = np.arange(-180, 180, 30.0)
    values = field(MONTHS, LAT, east, mean=101_000, spread=500)
    write_psl(tmp_path / "prmsl.mon.mean.nc", "prmsl", values, LAT, east, units="Pa", attrs=CRV3)
    data = read_files([tmp_path])
    np.testing.assert_array_equal(data["lon"], LON)
    np.testing.assert_allclose(data["psl"][0], upright(np.roll(values, 6, axis=2)), rtol=2e-7)


@pytest.mark.parametrize("west", [-20.0, 340.0])
def test_a_region_across_greenwich_stays_in_one_piece(tmp_path, west):
    lon = west + np.arange(0, 60, 10.0)
    lat = np.arange(70, 30, -10.0)
    values = field(MONTHS, lat, lon, mean=101_000, spread=500)
    write_psl(tmp_path / "prmsl.mon.mean.nc", "prmsl", values, lat, lon, units="Pa", attrs=CRV3)
    data = read_files([tmp_path])
    np.testing.assert_array_equal(data["lon"], np.arange(340, 400, 10))
    np.testing.assert_allclose(data["psl"][0], upright(values), rtol=2e-7)


@pytest.mark.parametrize(
    ("lon", "axis", "order"),
    [
        # The first meridian again at the end, for plotting.
        ([0, 90, 180, 270, 360], [0, 90, 180, 270], [0, 1, 2, 3]),
        ([-180, -90, 0, 90, 180], [0, 90, 180, 270], [2, 3, 0, 1]),
        # 32-bit steps stay round, and descending files are turned.
        (np.float32([2.4999998, 5.0]), [2.5, 5], [0, 1]),
        ([20, 10, 0, 350], [350, 360, 370, 380], [3, 2, 1, 0]),
        ([100], [100], [0]),
    ],
)
def test_longitudes_ascend_in_one_piece(lon, axis, order):
    found, positions = eastwards(np.asarray(lon))
    np.testing.assert_array_equal(found, axis)
    np.testing.assert_array_equal(positions, order)
