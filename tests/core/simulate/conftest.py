"""Fixtures of tests/core/simulate."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from simulated import FIRST, LAST, LAT, LON, SHAPE

from mlda_core.simulate.sea import Boundary


@pytest.fixture(scope="session")
def boundary():
    """A sea with seasons, ice beyond 65 degrees, land on one meridian, five years of anomalies."""
    rng = np.random.default_rng(5)
    months = np.arange(12)[:, None, None]
    sea = 301.0 - 0.5 * np.abs(LAT)[:, None] + 0 * LON + np.cos(np.pi * months / 6)
    sea[:, np.abs(LAT) > 65] = 250.0
    ice = np.where(sea < 260, 1.0, 0.0)
    land = np.zeros(SHAPE)
    land[:, 3] = 1.0
    dims = ("time", "lat", "lon")
    fields = {"sst": sea, "icec": ice, "stl": sea - 3, "soilw_am": 0 * sea, "snowc": 0 * sea}
    climatology = xr.Dataset(
        {k: (dims, v) for k, v in fields.items()} | {"alb": (("lat", "lon"), 0 * land)},
        coords={"lat": LAT, "lon": LON},
    )
    anomalies = rng.normal(0, 1, (12 * (LAST - FIRST + 1), *SHAPE))
    return Boundary(climatology, land, anomalies, f"{FIRST}-01")
