"""CF coordinates of the files that are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.errors import UserError
from mlda_core.climate.grid import Grid
from mlda_core.climate.time_step import MONTH, STEPS, Times, TimeStep

if TYPE_CHECKING:
    import xarray as xr

NORTH = {"standard_name": "latitude", "units": "degrees_north"}
EAST = {"standard_name": "longitude", "units": "degrees_east"}
# Of the daily time axis; a coordinate, so that every variable of a dataset is a field.
BOUNDS = "time_bnds"
Cell = Literal["mean", "point"]
_MID_MONTH = 14  # days after the first: the canonical stamp is the 15th
# Given, so that the bounds are written in the same units, as CF has it.
_ENCODING = {"units": "hours since 1900-01-01", "calendar": "proleptic_gregorian", "dtype": "i8"}
_NOON = np.timedelta64(12, "h")


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


def stamps_of(times: Times, step: TimeStep = MONTH, cell: Cell = "mean") -> NDArray[np.datetime64]:
    """Return the canonical time stamps of a dataset.

    Parameters
    ----------
    times : sequence of str, or ndarray of datetime64
        Of the step.
    step : TimeStep
    cell : {"mean", "point"}
        CF cell method in time: a mean over the step, or the state at its beginning, 00 UTC.

    Returns
    -------
    ndarray of datetime64[ns], of the same length
        Months: their 15th; means of days: noon; states: 00 UTC.
    """
    if step is MONTH:
        return mid_month(step.times(times))
    begin = step.bounds(times)[..., 0]
    return begin + _NOON if cell == "mean" else begin


def time_axis(times: Times, step: TimeStep = MONTH, cell: Cell = "mean") -> tuple[Any, ...]:
    """Return the coordinate ``time`` of months or days, for an :class:`xarray.Dataset`.

    Parameters
    ----------
    times, step, cell
        See :func:`stamps_of`.
    """
    stamps, attrs = stamps_of(times, step, cell), {"standard_name": "time"}
    if step is MONTH:
        return "time", stamps, attrs
    return "time", stamps, {**attrs, "bounds": BOUNDS}, dict(_ENCODING)


def time_coordinates(
    times: Times, step: TimeStep = MONTH, cell: Cell = "mean"
) -> dict[str, tuple[Any, ...]]:
    """Return ``time``, and of days also its bounds, for an :class:`xarray.Dataset`.

    Parameters
    ----------
    times, step, cell
        See :func:`stamps_of`. The bounds of days are theirs, 00 to 24 UTC; for states they are the
        24 hours before, over which fluxes beside them are means.
    """
    out: dict[str, tuple[Any, ...]] = {"time": time_axis(times, step, cell)}
    if step is not MONTH:
        shift = 0 if cell == "mean" else 1
        out[BOUNDS] = ("time", "bnds"), step.bounds(step.times(times) - shift)
    return out


def coordinates(
    grid: Grid, times: Times, step: TimeStep = MONTH, cell: Cell = "mean"
) -> dict[str, tuple[Any, ...]]:
    """Return the coordinates of maps.

    Parameters
    ----------
    grid : Grid
    times, step, cell
        See :func:`stamps_of`.

    Returns
    -------
    dict
        ``time``, of days with bounds, ``lat`` and ``lon``, for an :class:`xarray.Dataset`.
    """
    return {
        **time_coordinates(times, step, cell),
        "lat": ("lat", grid.lat, dict(NORTH)),
        "lon": ("lon", grid.lon, dict(EAST)),
    }


def step_of(data: xr.Dataset) -> TimeStep:
    """Return the time step of a canonical dataset, from its attribute ``frequency``.

    Raises
    ------
    UserError
        If the attribute is neither ``mon`` nor ``day``; without it a dataset is monthly.
    """
    said = str(data.attrs.get("frequency", MONTH.frequency))
    found = next((step for step in STEPS.values() if step.frequency == said), None)
    if found is None:
        known = " or ".join(step.frequency for step in STEPS.values())
        raise UserError(f"The dataset's frequency is '{said}' and not {known}; correct it.")
    return found


def fault_of_times(data: xr.Dataset, step: TimeStep) -> str:
    """Return why a dataset's time axis is not one of a time step; '' if it is.

    Returns
    -------
    str
        A predicate to follow the file's name, such as "has the month 1980-01 twice".
    """
    if "time" not in data.coords:
        return "has no coordinate 'time'"
    stamps = data["time"].to_numpy()
    if not np.issubdtype(stamps.dtype, np.datetime64) or np.isnat(stamps).any():
        return "has times that are no dates of the standard calendar"
    times, counts = np.unique(step.times(stamps), return_counts=True)
    twice = times[counts > 1]
    return f"has the {step} {twice[0]} twice" if twice.size else ""
