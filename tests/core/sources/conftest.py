"""Fixtures of tests/core/sources."""

import numpy as np
import pytest
from downloads import DAYS, MONTHS, field, gaussian, write_psl
from psl_files import CRV3, ERSST, LAT, LON, PSL, R1, RAIN, TAS


@pytest.fixture
def crv3(tmp_path):
    """prmsl, air.2m and prate of 20CRv3; air.2m on a level of its own, as PSL has it."""
    write_psl(tmp_path / "prmsl.mon.mean.nc", "prmsl", PSL, LAT, LON, units="Pa", attrs=CRV3)
    write_psl(
        tmp_path / "air.2m.mon.mean.nc", "air", TAS, LAT, LON, units="degK", attrs=CRV3,
        level=(2.0, "m"),
    )  # fmt: skip
    write_psl(tmp_path / "prate.mon.mean.nc", "prate", RAIN, LAT, LON, units="kg/m^2/s", attrs=CRV3)
    return tmp_path


@pytest.fixture
def ncep(tmp_path):
    """R1 on its two grids, packed and not, and ERSSTv5 on a third."""
    write_psl(
        tmp_path / "slp.mon.mean.nc", "slp", PSL / 100, LAT, LON, units="millibars",
        attrs={**R1, "valid_range": np.float32([870.0, 1150.0])},
    )  # fmt: skip
    lat, lon = gaussian(10, 18)
    warm = field(MONTHS, lat, lon, mean=283, spread=10, seed=1)
    write_psl(
        tmp_path / "air.2m.mon.mean.nc", "air", warm, lat, lon, units="degK", attrs=R1,
        packed=(0.01, 477.65), level=(2.0, "m"),
    )  # fmt: skip
    rain = 3e-5 + 1e-5 * np.cos(field(MONTHS, lat, lon, mean=0, spread=2, seed=2))
    write_psl(
        tmp_path / "prate.sfc.mon.mean.nc", "prate", rain, lat, lon, units="Kg/m^2/s", attrs=R1
    )
    lat, lon = np.arange(88, -89, -8.0), np.arange(0, 360, 8.0)
    months = np.arange("1999-06", "2001-09", dtype="datetime64[M]")
    sea = field(months, lat, lon, mean=12, spread=9, seed=3)
    sea[:, 4:8, 3:9] = np.nan
    # As in the real file: the bounds are declared and never filled.
    write_psl(
        tmp_path / "sst.mnmean.nc", "sst", np.maximum(sea, -1.8), lat, lon, units="degC",
        months=months, time_units=DAYS, attrs=ERSST, fill=False,
        bounds=np.full((months.size, 2), 9.969209968386869e36),
    )  # fmt: skip
    return tmp_path
