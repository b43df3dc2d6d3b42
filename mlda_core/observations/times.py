"""Determine the month of each row of an observation table from its time columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.interpolation import ObservationError
from mlda_core.climate.months import (
    DayOrMonthError,
    MonthError,
    is_day_first,
    month_number,
)
from mlda_core.climate.time_step import MONTH, TimeStep
from mlda_core.observations.cells import Cells, quoted, shown
from mlda_core.observations.columns import Times

# Decimal years have two or three decimals: within this distance of a month's end, in months, the
# month is ambiguous.
_NEAR = 0.07
_DECIMAL = re.compile(r"[0-9]{4}[.,][0-9]*[1-9][0-9]*")


def months_of_rows(
    cells: Cells, day_first: bool | None, step: TimeStep = MONTH
) -> tuple[NDArray[Any], dict[int, str], list[str]]:
    """Return the month or day of each row.

    Parameters
    ----------
    cells : Cells
        With at least one entry in ``roles.times``.
    day_first : bool or None
        How to read 05/04/1997 if no other date of the column is unambiguous.
    step : TimeStep
        Whether rows are of months or of days.

    Returns
    -------
    months : ndarray of str, shape (n,)
        ``YYYY-MM`` or ``YYYY-MM-DD``, '' if unknown.
    reasons : dict of int to str
        Why a row's month is unknown, by index from 0.
    notes : list of str

    Raises
    ------
    ObservationError
        If the table has a year and no month, or a month and no year.
    """
    ways = cells.roles.times
    read = [_of(way, cells, day_first, step) for way in ways]
    notes: list[str] = []
    # A time column without any date, such as clock times, is ignored if another one has dates.
    good = [i for i, (months, *_) in enumerate(read) if (months != "").any()] or [0]
    notes += read[good[0]][2]
    notes += [
        f"Column {ways[i].words} holds no dates and is left out."
        for i in range(len(ways))
        if i not in good and ways[i].date >= 0
    ]
    if good == [0]:
        _check_halves(ways[0], cells, read[0][0])
    months, reasons = read[good[0]][0].copy(), dict(read[good[0]][1])
    for i in good[1:]:
        other = read[i][0]
        for row in map(int, np.flatnonzero((other != months) & (other != "") & (months != ""))):
            reasons[row] = (
                f"its times disagree: {months[row]} by {ways[good[0]].words}, {other[row]} by "
                f"{ways[i].words}"
            )
    for row in reasons:
        months[row] = ""
    return months, reasons, notes


def _of(
    way: Times, cells: Cells, day_first: bool | None, step: TimeStep
) -> tuple[NDArray[Any], dict[int, str], list[str]]:
    if way.date >= 0:
        return _of_dates(cells.columns[way.date], day_first, step)
    months = np.full(len(cells), "", object)
    reasons = {}
    for i, (y, m) in enumerate(zip(cells.columns[way.year], cells.columns[way.month], strict=True)):
        year, month = shown(y), shown(m)
        found, number = re.fullmatch(r"([0-9]{4})(?:\.0*)?", year), month_number(month)
        if step is not MONTH:
            reasons[i] = f"its year and month say no {step}; give a column 'time'"
        elif found and number:
            months[i] = f"{found[1]}-{number:02d}"
        elif not year or not month:
            reasons[i] = f"its {'year' if not year else 'month'} is empty"
        else:
            reasons[i] = f"year '{quoted(year)}' and month '{quoted(month)}' are no month"
    return months, reasons, []


def _of_dates(
    column: NDArray[Any], day_first: bool | None, step: TimeStep
) -> tuple[NDArray[Any], dict[int, str], list[str]]:
    texts = [shown(cell) for cell in column]
    first = {text: cell for text, cell in zip(texts, column, strict=True) if text}
    if day_first is None:
        readings = {is_day_first(text) for text in first} - {None}
        day_first = readings.pop() if len(readings) == 1 else None
    found: dict[str, str] = {}
    faults = {"": "its time is empty"}
    decimal = [text for text in first if _DECIMAL.fullmatch(text)]
    for text, cell in first.items():
        try:
            found[text] = step.parse(text if isinstance(cell, str) else cell, day_first=day_first)
        except DayOrMonthError as error:
            faults[text] = f"the time '{quoted(text)}' {error.fault}"
        except MonthError as error:
            # Faults of a date have their own wording; otherwise describe the accepted format.
            unread = f"not a {step}" in error.fault
            wrong = f"is no date such as {step.example}" if unread else error.fault
            faults[text] = f"the time '{quoted(text)}' {wrong}"
    # Among decimal years, an integer is the beginning of a year.
    whole = [t for t in first if re.fullmatch(r"[0-9]{4}(?:\.0*)?", t)] if decimal else []
    if step is not MONTH:
        # A decimal year of three digits is a third of a day off.
        decimal, whole = [], []
    decimals = _of_decimals([*decimal, *whole])
    found.update(decimals[0])
    faults.update(decimals[1])
    out = np.array([found.get(text, "") for text in texts], object)
    notes = ["Decimal years are taken for the beginning of their months."] if decimals[2] else []
    return out, {i: faults[t] for i, t in enumerate(texts) if t not in found}, notes


def _of_decimals(texts: Sequence[str]) -> tuple[dict[str, str], dict[str, str], bool]:
    """Read decimal years as mid-month, or all as the beginning of months, with a note."""
    years = {t: float(t.replace(",", ".")) for t in texts}
    months = {t: 12.0 * (y - int(y)) for t, y in years.items()}
    found, faults = {}, {}
    as_number = _month_after_point(texts)
    begins = bool(texts) and all(abs(m - round(m)) < _NEAR for m in months.values())
    for text, m in months.items():
        year, near = int(years[text]), abs(m - round(m)) < _NEAR
        if as_number:
            faults[text] = (
                f"the time '{text}' may be a decimal year or a year and a month; write it as "
                "YYYY-MM"
            )
        elif near and not begins:
            faults[text] = (
                f"the time '{text}' lies where one month ends and another begins; write it as "
                "YYYY-MM"
            )
        else:
            index = round(m) if near else int(m)
            found[text] = f"{year + index // 12:04d}-{index % 12 + 1:02d}"
    return found, faults, begins and bool(found)


def _month_after_point(texts: Sequence[str]) -> bool:
    """Whether all values could be year, point and month: 1997.12."""
    ends = [re.split("[.,]", t)[1] if not t.isdigit() else "" for t in texts]
    return bool(texts) and all(
        len(e) <= 2 and e != "" and 1 <= int(e.ljust(2, "0")) <= 12 for e in ends
    )


def _check_halves(way: Times, cells: Cells, months: NDArray[Any]) -> None:
    """Refuse a table with only a year or only a month."""
    if way.date < 0 or (months != "").any() or not len(cells):
        return
    texts = [t for t in map(shown, cells.columns[way.date]) if t]
    if not texts:
        return
    for pattern, half, other in (
        (r"[0-9]{4}(?:\.0*)?", "year", "month"),
        (r"(?:0?[1-9]|1[0-2])(?:\.0*)?|[A-Za-z]{3,9}\.?", "month", "year"),
    ):
        whole = all(re.fullmatch(pattern, t) for t in texts)
        if whole and (half == "year" or all(month_number(t) for t in texts)):
            raise ObservationError(
                f"The column {way.words} says the {half} and no {other}; add a column '{other}', "
                "or write the time as YYYY-MM."
            )
