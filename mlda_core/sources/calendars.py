"""The month of each time stamp, in any calendar of the CF conventions.

The month follows from bounds, or from a stamp inside the month. A stamp on the edge between two
months may mark the beginning of the later one (most reanalyses) or the end of the earlier one
(CESM and others): the known provider's convention decides, or ``--stamp``; it is never guessed.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import cftime
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mlda_core.climate.cf import Cell
from mlda_core.climate.time_step import DAY, MONTH, TimeStep
from mlda_core.climate.units import shown
from mlda_core.sources import SourceError
from mlda_core.sources.time_axes import EPOCH, Axis, axis_of

Stamp = Literal["", "start", "end", "middle"]
STAMPS: tuple[Stamp, ...] = ("start", "end", "middle")

EDGE = 1 / 1440  # d: a stamp within this of an edge counts as on it
_NEAR_EDGE, _NEAR_MIDDLE = 2.0, 4.0  # d: tolerances of --stamp start and end, and of middle
_LATE = 0.75  # d before the end: forecasts start there, but no monthly mean is stamped there
# d: the width of a day's bounds. cdo's run from the first of the day's times to its last.
ABOUT_A_DAY = (0.7, 1.05)
NO_LEAP = {"noleap", "365_day"}
_BOUNDS_NAMES = ("{}_bnds", "{}_bounds", "{}_bnd", "{}_bound", "{}_edges", "bounds_{}", "bnds_{}")
_CLIMATOLOGY_NAMES = ("climatology_bounds", "climatology_bnds")
# Attributes may state where the stamps lie. NOAA PSL writes those of _PSL with monthly means,
# and with daily ones, which it stamps at their beginning.
_WORDS: tuple[tuple[Stamp, re.Pattern[str]], ...] = (
    ("end", re.compile(r"\bend of\b")),
    ("start", re.compile(r"\b(begin|beginning|start) of\b")),
)
_PSL = {
    MONTH: {"delta_t": "0000-01-00", "avg_period": "0000-01-00"},
    DAY: {"delta_t": "0000-00-01", "avg_period": "0000-00-01"},
}


@dataclass(frozen=True, eq=False)
class FileTimes:
    """The months or days of a file's time axis.

    Parameters
    ----------
    names : ndarray of datetime64[M] or datetime64[D], shape (n,)
        In file order.
    days : ndarray of float, shape (n,)
        Lengths of their calendar months in the file's calendar, to turn monthly amounts into daily
        ones.
    told_by : str
        How they were determined, for display.
    step : TimeStep
    calendar : str
        cftime's name.
    cell : {"mean", "point"}
        CF cell method in time: means over the step, or states at its beginning.
    """

    names: NDArray[np.datetime64]
    days: NDArray[np.float64]
    told_by: str = ""
    step: TimeStep = MONTH
    calendar: str = "standard"
    cell: Cell = "mean"

    def has(self, time: np.datetime64) -> bool:
        """Whether there is such a time in the calendar: ``noleap`` has no 29 February."""
        return self.calendar not in NO_LEAP or not str(time).endswith("-02-29")


def months_of(
    data: xr.Dataset, name: str, where: object, *, stamp: Stamp = "", begins: str = ""
) -> FileTimes:
    """Return the months of an undecoded time axis.

    Parameters
    ----------
    data : Dataset
        Opened with ``decode_times=False``.
    name : str
        The time coordinate.
    where : object
        Name of the file in messages.
    stamp : {"", "start", "end", "middle"}
        Where in its month a stamp lies, from the user; bounds take precedence.
    begins : str
        Provider whose convention is to stamp months at their beginning; empty if none is known.

    Raises
    ------
    SourceError
        If a stamp is unreadable, ambiguous between two months, duplicated or of a climatology,
        or if bounds do not span one month.
    """
    time = data[name]
    axis = axis_of(time, where)
    days = axis.days(time.values)
    refuse_unreadable(days, axis, where)
    bounds, bounds_name = bounds_of(data, time, axis)
    bounded = np.isfinite(bounds).all(axis=1)
    index = np.empty(days.size, dtype=np.int64)
    calendar = Edges(axis.calendar)
    methods = []
    if bounded.any():
        index[bounded] = _by_bounds(calendar, days[bounded], bounds[bounded], where)
        methods.append(f"by the bounds {bounds_name}")
    rest = ~bounded
    if rest.any():
        if axis.names_months:
            index[rest] = calendar.month(days[rest])
            methods.append("by their own numbers")
        elif stamp:
            index[rest] = _by_position(calendar, days[rest], stamp, where)
            methods.append(f"by --stamp {stamp}")
        else:
            index[rest], how = _by_stamps(calendar, days[rest], axis, where, begins)
            methods.append(how)
    names = (index - 1970 * 12).astype("datetime64[M]")
    refuse_repeated(where, names)
    low, high = calendar.of(index)
    return FileTimes(names, high - low, " and ".join(methods), calendar=axis.calendar)


class Edges:
    """Beginnings and ends of months, in days of a calendar; months are 12 * year + month - 1."""

    def __init__(self, calendar: str) -> None:
        self.calendar = calendar

    def month(self, days: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the month that each day lies in."""
        # Stamps that round to midnight count as midnight.
        dates = cftime.num2date(
            days + EDGE / 2, EPOCH, self.calendar, only_use_cftime_datetimes=True
        )
        return np.array([12 * d.year + d.month - 1 for d in np.atleast_1d(dates)], dtype=np.int64)

    def of(self, index: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the beginnings and ends of months."""
        low, high = (
            cftime.date2num(
                [cftime.datetime(m // 12, m % 12 + 1, 1, calendar=self.calendar) for m in months],
                EPOCH,
                self.calendar,
            )
            for months in (index.tolist(), (index + 1).tolist())
        )
        return np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)

    def show(self, day: float) -> str:
        """Return a day as text, with the hour where it is not midnight."""
        date = cftime.num2date(day, EPOCH, self.calendar, only_use_cftime_datetimes=True)
        text = f"{date.year:04d}-{date.month:02d}-{date.day:02d}"
        return f"{text} {date.hour:02d}:{date.minute:02d}" if date.hour or date.minute else text


def refuse_unreadable(
    days: NDArray[np.float64], axis: Axis, where: object, step: TimeStep = MONTH
) -> None:
    """Refuse an axis without times, with unreadable ones, or with the years of a climatology."""
    missing = np.flatnonzero(~np.isfinite(days))
    if missing.size:
        others = f" and at {missing.size - 1} others" if missing.size > 1 else ""
        raise SourceError(
            f"{where} has no readable {axis.name} at position {missing[0] + 1} of {days.size}"
            f"{others} (missing, or no date in '{shown(axis.units)}'); take these "
            f"{step.plural} out or give them their times."
        )
    if not days.size:
        raise SourceError(f"{where} has no {axis.name}; give a file with {step.plural}.")
    if days.min() < 0:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", cftime.CFWarning)
            first = cftime.num2date(
                days.min(), EPOCH, axis.calendar, only_use_cftime_datetimes=True
            )
        raise SourceError(
            f"{where} begins in the year {first.year}, as climatologies do; give the "
            f"{step.adjective} means themselves."
        )


def bounds_of(data: xr.Dataset, time: xr.DataArray, axis: Axis) -> tuple[NDArray[np.float64], str]:
    """Return the bounds (n, 2) in days, NaN where missing, and their name for messages."""
    found = np.full((time.size, 2), np.nan)
    for name, pair in () if axis.names_months else _candidates(data, time):
        values = np.stack([axis.days(part.values, part.attrs.get("units")) for part in pair], 1)
        # Some files declare bounds but never write them: 9.97e36 is netCDF's default fill value.
        with np.errstate(invalid="ignore"):
            real = np.isfinite(values).all(axis=1) & (values[:, 0] < values[:, 1])
        if real.any():
            return np.where(real[:, None], values, np.nan), name
    return found, ""


def _candidates(
    data: xr.Dataset, time: xr.DataArray
) -> Iterator[tuple[str, tuple[xr.DataArray, xr.DataArray]]]:
    """Yield candidates for bounds: by attribute, by usual names, by shape and units."""
    attrs = {**time.encoding, **time.attrs}
    conventional = [
        pattern.format(axis) for axis in (time.name, "time") for pattern in _BOUNDS_NAMES
    ]
    named = [attrs.get("bounds"), attrs.get("climatology"), *conventional, *_CLIMATOLOGY_NAMES]
    shaped = [
        n
        for n in data.variables
        if data[n].attrs.get("units") and data[n].attrs["units"] == attrs.get("units")
    ]
    lower = {str(n).lower(): str(n) for n in data.variables}
    for name in dict.fromkeys([*(str(n) for n in named if n), *map(str, shaped)]):
        actual = lower.get(name.lower())
        if actual is None or actual == time.name:
            continue
        pair = data[actual]
        if pair.ndim == 2 and pair.dims[0] in time.dims and pair.shape == (time.size, 2):
            yield f"'{actual}'", (pair[:, 0], pair[:, 1])
    # GFDL's convention.
    one, other = (lower.get(n) for n in ("average_t1", "average_t2"))
    if one and other and data[one].dims == data[other].dims == time.dims:
        yield f"'{one}' and '{other}'", (data[one], data[other])


def _by_bounds(
    calendar: Edges, days: NDArray[np.float64], bounds: NDArray[np.float64], where: object
) -> NDArray[np.int64]:
    low, high = bounds[:, 0], bounds[:, 1]
    index = calendar.month(0.5 * (low + high))
    begin, end = calendar.of(index)
    width, length = high - low, end - begin
    # For monthly means of daily means, cdo's bounds run from noon of the first day to noon of the
    # last.
    slack = 1.05
    fits = (low >= begin - slack) & (high <= end + slack) & (abs(width - length) <= slack)
    if not fits.all():
        at = int(np.argmin(fits))
        month = f"{index[at] // 12:04d}-{index[at] % 12 + 1:02d}"
        if 27.0 <= width[at] <= 32.0:
            raise SourceError(
                f"{where} has bounds from {calendar.show(low[at])} to {calendar.show(high[at])}, "
                "which are those of no calendar month; give monthly means, or correct the bounds."
            )
        kind = "as climatologies do" if width[at] > 367 else f"{month}"
        remedy = "give the monthly file"
        if ABOUT_A_DAY[0] <= width[at] <= ABOUT_A_DAY[1]:
            remedy = f"add --step day, or {remedy}"
        raise SourceError(
            f"{where} holds means or sums over {width[at]:.4g} d ({kind}), not over months; "
            f"{remedy}."
        )
    far = np.flatnonzero((days < low - 32) | (days > high + 32))
    if far.size:
        raise SourceError(
            f"{where} is stamped {calendar.show(days[far[0]])} where its bounds begin "
            f"{calendar.show(low[far[0]])}; correct one of them."
        )
    return index


def _by_position(
    calendar: Edges, days: NDArray[np.float64], stamp: Stamp, where: object
) -> NDArray[np.int64]:
    """Return the months whose start, end or middle the stamps are, as the user specified."""
    within = calendar.month(days)
    begin, end = calendar.of(within)
    if stamp == "middle":
        index, off = within, np.abs(days - 0.5 * (begin + end)) - _NEAR_MIDDLE
    else:
        begun = np.where(days - begin <= end - days, within, within + 1)
        index = begun if stamp == "start" else begun - 1
        off = np.minimum(np.abs(days - begin), np.abs(end - days)) - _NEAR_EDGE
    if (off > 0).any():
        at = int(np.argmax(off))
        raise SourceError(
            f"{where} is stamped {calendar.show(days[at])}, which is not the {stamp} of a month; "
            "give another --stamp, or leave it out."
        )
    return index


def _by_stamps(
    calendar: Edges, days: NDArray[np.float64], axis: Axis, where: object, begins: str
) -> tuple[NDArray[np.int64], str]:
    """Return the months from the stamps alone, and how they were determined."""
    index = calendar.month(days)
    begin, end = calendar.of(index)
    after, before = days - begin, end - days
    if axis.coarse:
        # A twelfth of a year matches a month only to within 1.5 days.
        doubtful = np.abs(after - before) / 2 > _NEAR_MIDDLE
    else:
        doubtful = (np.abs(after) <= EDGE) | (before <= EDGE)
    stated = stamp_of(axis.attrs)
    if begins and not stated:
        late = np.flatnonzero(~doubtful & (before < _LATE))
        if late.size:
            raise SourceError(
                f"{where} is stamped {calendar.show(days[late[0]])}, where a forecast of the month "
                f"may begin, and {begins} has its stamps at the beginning of months; give the file "
                "with 'valid_time', or --stamp start or --stamp end."
            )
    if not doubtful.any():
        return index, "by stamps within the months"
    if stated or begins:
        index[doubtful] = _by_position(calendar, days[doubtful], stated or "start", where)
        how = (
            f"the axis' own words, at their {stated}"
            if stated
            else f"{begins}'s convention, at their start (else give --stamp end)"
        )
        return index, f"by {how}"
    at = int(np.argmax(doubtful))
    raise SourceError(
        f"{where} is stamped {calendar.show(days[at])}, and nothing tells whether that is the "
        "start or the end of its month; give --stamp start or --stamp end."
    )


def stamp_of(attrs: Mapping[str, object], step: TimeStep = MONTH) -> Stamp:
    """Return the stamps' position in the month or day from the axis' attributes, or ''."""
    words = " ".join(str(attrs.get(n, "")) for n in ("long_name", "description", "comment")).lower()
    stamps = {stamp for stamp, pattern in _WORDS if pattern.search(words)}
    if len(stamps) == 1:
        return stamps.pop()
    if all(str(attrs.get(n, "")).startswith(value) for n, value in _PSL[step].items()):
        return "start"
    return ""


def refuse_repeated(where: object, names: NDArray[np.datetime64], step: TimeStep = MONTH) -> None:
    """Refuse a month or day that is there more than once."""
    found, counts = np.unique(names, return_counts=True)
    if (counts > 1).any():
        first = int(np.argmax(counts > 1))
        remedy = {
            MONTH: "give monthly means, or daily ones with --step day, each of them once",
            DAY: "give one field a day: daily means, or the states at 00 UTC",
        }
        raise SourceError(f"{where} holds {found[first]} {counts[first]} times; {remedy[step]}.")
