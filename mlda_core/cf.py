"""Coordinates as the CF conventions have them, for every file that is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlda_core.grid import Grid

NORTH = {"standard_name": "latitude", "units": "degrees_north"}
EAST = {"standard_name": "longitude", "units": "degrees_east"}
_MID_MONTH = 14  # days after the first: the canonical stamp is the 15th


def mid_month(months: Sequence[str] | NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """Return the canonical stamps of months, the 15th of each.

    Parameters
    ----------
    months : sequence of str or ndarray of datetime64[M]
        ``YYYY-MM`` each.

    Returns
    -------
    ndarray of datetime64[ns], of the same length
    """
    days = np.asarray(months, "datetime64[M]").astype("datetime64[D]") + _MID_MONTH
    stamps: NDArray[np.datetime64] = days.astype("datetime64[ns]")
    return stamps


def time_axis(months: Sequence[str] | NDArray[np.datetime64]) -> tuple[str, Any, dict[str, str]]:
    """Return the coordinate ``time`` of some months, for an :class:`xarray.Dataset`."""
    return "time", mid_month(months), {"standard_name": "time"}


def coordinates(
    grid: Grid, months: Sequence[str] | NDArray[np.datetime64]
) -> dict[str, tuple[str, Any, dict[str, str]]]:
    """Return the coordinates of maps of some months.

    Parameters
    ----------
    grid : Grid
    months : sequence of str or ndarray of datetime64[M]
        ``YYYY-MM`` each.

    Returns
    -------
    dict
        ``time``, ``lat`` and ``lon``, for an :class:`xarray.Dataset`.
    """
    return {
        "time": time_axis(months),
        "lat": ("lat", grid.lat, dict(NORTH)),
        "lon": ("lon", grid.lon, dict(EAST)),
    }
