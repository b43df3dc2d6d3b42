"""CF coordinates of the files that are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.grid import Grid

if TYPE_CHECKING:
    import xarray as xr

NORTH = {"standard_name": "latitude", "units": "degrees_north"}
EAST = {"standard_name": "longitude", "units": "degrees_east"}
_MID_MONTH = 14  # days after the first: the canonical stamp is the 15th


def mid_month(months: Sequence[str] | NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """Return the canonical time stamps of months: the 15th of each.

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
    """Return the coordinate ``time`` of months, for an :class:`xarray.Dataset`."""
    return "time", mid_month(months), {"standard_name": "time"}


def coordinates(
    grid: Grid, months: Sequence[str] | NDArray[np.datetime64]
) -> dict[str, tuple[str, Any, dict[str, str]]]:
    """Return the coordinates of monthly maps.

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


def fault_of_months(data: xr.Dataset) -> str:
    """Return why a dataset's time axis is not monthly; '' if it is.

    Returns
    -------
    str
        A predicate to follow the file's name, such as "has 1980-01 twice".
    """
    if "time" not in data.coords:
        return "has no coordinate 'time'"
    stamps = data["time"].to_numpy()
    if not np.issubdtype(stamps.dtype, np.datetime64) or np.isnat(stamps).any():
        return "has times that are no dates of the standard calendar"
    months, counts = np.unique(stamps.astype("datetime64[M]"), return_counts=True)
    twice = months[counts > 1]
    return f"has the month {twice[0]} twice" if twice.size else ""
