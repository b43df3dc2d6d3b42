"""The day of each time stamp, in the standard calendar and in UTC.

As for months (:mod:`mlda_core.sources.calendars`), the day follows from bounds or from a stamp
inside the day; at midnight a stamp may be the beginning of a mean's day or its end, which is never
guessed. A state is of the day that its stamp begins.

Days of a calendar without leap years (``noleap``) are those of their names, and 29 February is
absent. Those of ``360_day``, ``all_leap`` and ``julian`` are refused: their seasons, or days,
cannot be laid on real dates without adding or dropping some.
"""

from __future__ import annotations

import cftime
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mlda_core.climate.cf import Cell
from mlda_core.climate.time_step import DAY
from mlda_core.sources import SourceError
from mlda_core.sources.calendars import (
    ABOUT_A_DAY,
    EDGE,
    NO_LEAP,
    Edges,
    FileTimes,
    Stamp,
    bounds_of,
    refuse_repeated,
    refuse_unreadable,
    stamp_of,
)
from mlda_core.sources.time_axes import EPOCH, Axis, axis_of

_CALENDARS = {"standard", "gregorian", "proleptic_gregorian", *NO_LEAP}
_A_MONTH = 27.0  # d: wider bounds and gaps are those of months
_NEAR_NOON = 1 / 24  # d: tolerance of --stamp middle


def days_of(
    data: xr.Dataset,
    name: str,
    where: object,
    *,
    cell: Cell = "mean",
    stamp: Stamp = "",
    begins: str = "",
) -> FileTimes:
    """Return the days of an undecoded time axis.

    Parameters
    ----------
    data : Dataset
        Opened with ``decode_times=False``.
    name : str
        The time coordinate.
    where : object
        Name of the file in messages.
    cell : {"mean", "point"}
        Of the variable: a mean or sum over days, or the state at the stamps.
    stamp : {"", "start", "end", "middle"}
        Where in its day the stamp of a mean lies, from the user; bounds take precedence.
    begins : str
        Provider whose convention is to stamp days at their beginning; empty if none is known.

    Raises
    ------
    SourceError
        If the calendar's days are not real ones, a stamp is unreadable, ambiguous between two days
        or duplicated, a state is not of 00 UTC, or the file is monthly.
    """
    time = data[name]
    axis = axis_of(time, where)
    if axis.calendar not in _CALENDARS:
        raise SourceError(
            f"{where} has the calendar {axis.calendar}, whose days are not those of the standard "
            "one; convert the file first, such as by xarray's convert_calendar('standard', "
            "align_on='year'), or prepare monthly means of it."
        )
    if axis.form not in {"since", "day"}:
        raise SourceError(
            f"{where} has {name} in months or years, which tell no days; leave out --step day."
        )
    days = axis.days(time.values)
    refuse_unreadable(days, axis, where, DAY)
    edges = Edges(axis.calendar)
    _refuse_months(edges, days, where)
    index = np.empty(days.size, dtype=np.int64)
    methods = []
    bounds, bounds_name = bounds_of(data, time, axis)
    bounded = np.isfinite(bounds).all(axis=1) & (cell == "mean")
    if bounded.any():
        index[bounded] = _by_bounds(edges, bounds[bounded], where)
        methods.append(f"by the bounds {bounds_name}")
    rest = ~bounded
    if rest.any():
        if cell == "point":
            index[rest] = _of_states(edges, days[rest], where)
            methods.append("by the times of the states")
        else:
            index[rest], how = _by_stamps(edges, days[rest], axis, where, stamp, begins)
            methods.append(how)
    names, month_days = _named(index, edges)
    refuse_repeated(where, names, DAY)
    return FileTimes(names, month_days, " and ".join(methods), DAY, axis.calendar, cell)


def _named(
    index: NDArray[np.int64], edges: Edges
) -> tuple[NDArray[np.datetime64], NDArray[np.float64]]:
    """Return the dates of days since :data:`EPOCH`, and the lengths of their calendar months."""
    dates = cftime.num2date(index, EPOCH, edges.calendar, only_use_cftime_datetimes=True)
    names = np.array([f"{d.year:04d}-{d.month:02d}-{d.day:02d}" for d in dates], "datetime64[D]")
    begin, end = edges.of(np.array([12 * d.year + d.month - 1 for d in dates]))
    return names, end - begin


def _refuse_months(edges: Edges, days: NDArray[np.float64], where: object) -> None:
    if days.size > 1 and np.abs(np.diff(days)).min() >= _A_MONTH:
        raise SourceError(
            f"{where} has its first times on {edges.show(days[0])} and {edges.show(days[1])}, as "
            "monthly files have; leave out --step day."
        )


def _by_bounds(edges: Edges, bounds: NDArray[np.float64], where: object) -> NDArray[np.int64]:
    """Return the days that the greater part of each interval lies in."""
    width, middle = bounds[:, 1] - bounds[:, 0], bounds.mean(axis=1)
    wrong = (width < ABOUT_A_DAY[0]) | (width > ABOUT_A_DAY[1])
    if wrong.any():
        at = int(wrong.argmax())
        remedy = "leave out --step day" if width[at] >= _A_MONTH else "give daily means"
        raise SourceError(
            f"{where} holds means or sums over {width[at]:.4g} d, not over days; {remedy}."
        )
    halves = np.abs(middle - np.round(middle)) <= EDGE
    if halves.any():
        low, high = bounds[int(halves.argmax())]
        raise SourceError(
            f"{where} has bounds from {edges.show(low)} to {edges.show(high)}, half in one day and "
            "half in the next; give means over days of UTC."
        )
    return np.floor(middle).astype(np.int64)


def _of_states(edges: Edges, days: NDArray[np.float64], where: object) -> NDArray[np.int64]:
    off = np.abs(days - np.round(days)) > EDGE
    if off.any():
        raise SourceError(
            f"{where} has the state of {edges.show(days[int(off.argmax())])}, and a daily dataset "
            "has those of 00 UTC; select them, such as by 'cdo selhour,0 IN.nc OUT.nc'."
        )
    return np.round(days).astype(np.int64)


def _by_stamps(
    edges: Edges,
    days: NDArray[np.float64],
    axis: Axis,
    where: object,
    stamp: Stamp,
    begins: str,
) -> tuple[NDArray[np.int64], str]:
    """Return the days from the stamps of means, and how they were determined."""
    within = np.floor(days + EDGE).astype(np.int64)
    midnight = np.abs(days - within) <= EDGE
    if axis.form == "day" and midnight.all():
        return within, "by their own numbers"
    stated = stamp or stamp_of(axis.attrs, DAY)
    if not stamp and not midnight.any():
        return within, "by stamps within the days"
    refuse_repeated(where, _named(within, edges)[0], DAY)
    if not stated and not begins:
        at = int(midnight.argmax())
        raise SourceError(
            f"{where} is stamped {edges.show(days[at])}, and nothing tells whether that is the "
            "start or the end of its day; give --stamp start or --stamp end."
        )
    place = stated or "start"
    off = np.abs(days - within - 0.5) > _NEAR_NOON if place == "middle" else ~midnight
    if stamp and off.any():
        raise SourceError(
            f"{where} is stamped {edges.show(days[int(off.argmax())])}, which is not the {place} "
            "of a day; give another --stamp, or leave it out."
        )
    index = np.where(midnight & (place == "end"), within - 1, within)
    if stamp:
        return index, f"by --stamp {stamp}"
    if stated:
        return index, f"by the axis' own words, at their {stated}"
    return index, f"by {begins}'s convention, at their start (else give --stamp end)"
