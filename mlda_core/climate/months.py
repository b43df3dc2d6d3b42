"""Parse the month, or the day, of a date in any usual form."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, NamedTuple

import cftime
import numpy as np
import pandas as pd

from mlda_core.climate.errors import UserError

_NAMES = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_NAMED = {
    **{name: i for i, name in enumerate(_NAMES, 1)},
    **{name[:3]: i for i, name in enumerate(_NAMES, 1)},
    "sept": 9,
}
_WORD = "|".join(sorted(_NAMED, key=len, reverse=True))
_CLOCK = (
    r"(?:(?:[T ]|, )\s*(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::[0-9]{2}(?:[.,][0-9]+)?)?"
    r"(?:\s*[AP]M)?|[T ][0-9]{2})?\s*(?P<zone>Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})?"
)
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        # 1997-12, 1997/12, 1997M12; 199712 and 199712.0
        r"(?P<year>[0-9]{4})(?:[-/]|-?M)(?P<month>[0-9]{1,2})",
        r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?:\.0*)?",
        # 12/1997, 12.1997
        r"(?P<month>[0-9]{1,2})[-/.](?P<year>[0-9]{4})",
        # 1997-12-31T23:00:00Z, 1997/12/31, 19971231, 1997123100
        rf"(?P<year>[0-9]{{4}})(?P<s>[-/.])(?P<month>[0-9]{{1,2}})(?P=s)(?P<day>[0-9]{{1,2}}){_CLOCK}",
        rf"(?P<year>[0-9]{{4}})(?P<month>[0-9]{{2}})(?P<day>[0-9]{{2}})(?:[0-9]{{2}}){{0,3}}(?:\.0*)?{_CLOCK}",
        # 31.12.1997: with full stops the day always comes first
        rf"(?P<day>[0-9]{{1,2}})\.(?P<month>[0-9]{{1,2}})\.(?P<year>[0-9]{{4}}){_CLOCK}",
        # Dec 1997, 31-Dec-1997, December 31, 1997; 1997 Dec, 1997-Dec-31
        rf"(?:(?P<day>[0-9]{{1,2}})[-/. ]*)?(?P<word>{_WORD})[-/. ,]*(?P<year>[0-9]{{4}}){_CLOCK}",
        rf"(?P<word>{_WORD})\.? +(?P<day>[0-9]{{1,2}}),? +(?P<year>[0-9]{{4}}){_CLOCK}",
        rf"(?P<year>[0-9]{{4}})[-/. ]*(?P<word>{_WORD})(?:[-/. ]+(?P<day>[0-9]{{1,2}}))?{_CLOCK}",
    )
)
# 31/12/1997 or 12/31/1997
_SLASHED = re.compile(
    rf"(?P<a>[0-9]{{1,2}})(?P<s>[-/])(?P<b>[0-9]{{1,2}})(?P=s)(?P<year>[0-9]{{4}}){_CLOCK}",
    re.IGNORECASE,
)
# Their days are not those of the same names in the standard calendar.
_OTHER_DAYS = {"360_day", "julian"}


class MonthError(UserError):
    """A value cannot be read as a month, or as a day where days are asked for.

    Parameters
    ----------
    given : str
        The value, as text.
    fault : str
        What is wrong with it and the remedy, to follow the value in a sentence.
    """

    def __init__(self, given: str, fault: str) -> None:
        shown = "".join(c if c.isprintable() else "?" for c in given)
        super().__init__(f"'{shown if len(shown) <= 40 else f'{shown[:39]}…'}' {fault}.")
        self.fault = fault


class DayOrMonthError(MonthError):
    """A date such as 05/04/1997 has two readings."""


class _Wanted(NamedTuple):
    """What is read of a date: its name, and the remedy that messages end with."""

    name: str
    remedy: str

    def label(self, given: str, year: int, month: int, day: int | None) -> str:
        """Return the label of a date.

        Raises
        ------
        MonthError
            If there is no such month or day.
        """
        if not (1 <= month <= 12 and 0 <= year <= 9999):
            raise MonthError(given, f"is not a {self.name}; {self.remedy}")
        if self is _MONTH:
            return f"{year:04d}-{month:02d}"
        if day is None:
            raise MonthError(given, f"is a month and no day; {self.remedy}")
        try:
            return dt.date(year, month, day).isoformat()
        except ValueError as error:
            raise MonthError(given, f"is a day that is in no calendar; {self.remedy}") from error


_MONTH = _Wanted("month", "write it as YYYY-MM, such as 1997-12")
_DAY = _Wanted("day", "write it as YYYY-MM-DD, such as 1997-12-05")


def month_of(value: Any, *, day_first: bool | None = None) -> str:
    """Return the month of a date or a month in any usual form.

    Parameters
    ----------
    value : str, int, date, datetime, Timestamp, Period, datetime64, cftime.datetime, 0-d array
        Text and numbers as ``1997-12``, ``199712``, ISO dates with or without a clock time and a
        zone, ``1997/12/31``, ``31.12.1997``, ``31/12/1997``, ``12/1997``, ``Dec 1997``.
    day_first : bool, optional
        How to read ``05/04/1997``, which is refused without it; not needed for dates with one
        reading only.

    Returns
    -------
    str
        ``YYYY-MM``, as written: a date whose month is another in UTC is refused.

    Raises
    ------
    MonthError
        If it is no date or month, or has two readings; the message quotes it.
    """
    return _label(value, _MONTH, day_first)


def day_of(value: Any, *, day_first: bool | None = None) -> str:
    """Return the day of a date in any usual form.

    Parameters
    ----------
    value : str, int, date, datetime, Timestamp, Period, datetime64, cftime.datetime, 0-d array
        As for :func:`month_of`, with a day.
    day_first : bool, optional
        As for :func:`month_of`.

    Returns
    -------
    str
        ``YYYY-MM-DD`` of the standard calendar, as written: a date whose day is another in UTC is
        refused.

    Raises
    ------
    MonthError
        If it is no date, has no day or two readings, or is of a calendar whose days are not those
        of the standard one (``360_day``, ``julian``); the message quotes it.
    """
    return _label(value, _DAY, day_first)


def _label(value: Any, wanted: _Wanted, day_first: bool | None) -> str:
    if isinstance(value, np.ndarray) or hasattr(value, "dims"):
        array = np.asarray(value)
        if array.size != 1:
            raise MonthError(
                f"an array of {array.size}", f"is not a {wanted.name}; {wanted.remedy}"
            )
        value = array.reshape(-1)[0]
    if isinstance(value, str):
        return _of_text(value, wanted, day_first)
    if isinstance(value, int | float | np.number) and not isinstance(
        value, bool | np.bool_ | np.timedelta64
    ):
        number = float(value)
        text = f"{number:.0f}" if number.is_integer() else repr(number)
        return _of_text(text, wanted, day_first)
    if isinstance(value, np.datetime64):
        unit = np.datetime_data(value)[0]
        if unit == "Y":
            raise MonthError(str(value), f"is a year and no {wanted.name}; {wanted.remedy}")
        if not np.isnat(value):
            year, month, day = (int(n) for n in str(value.astype("datetime64[D]")).split("-"))
            return wanted.label(str(value), year, month, None if unit in "MW" else day)
    elif isinstance(value, pd.Period):
        first, last = value.start_time, value.end_time
        if _parts(first, wanted) != _parts(last, wanted):
            raise MonthError(str(value), f"is longer than a {wanted.name}; {wanted.remedy}")
        return wanted.label(str(value), first.year, first.month, first.day)
    elif isinstance(value, dt.date | cftime.datetime) and value is not pd.NaT:
        if isinstance(value, dt.datetime) and value.utcoffset():
            _same_in_utc(
                str(value), wanted, value.replace(tzinfo=None), value.utcoffset() or dt.timedelta()
            )
        calendar = getattr(value, "calendar", "")
        if wanted is _DAY and calendar in _OTHER_DAYS:
            raise MonthError(
                str(value),
                f"is of the calendar {calendar}, whose days are not those of the standard "
                f"calendar; {wanted.remedy}",
            )
        return wanted.label(str(value), value.year, value.month, value.day)
    raise MonthError(str(value), f"is not a {wanted.name}; {wanted.remedy}")


def month_number(text: str) -> int:
    """Return the calendar month of a number 1 to 12 or an English name; 0 if it is none."""
    word = text.strip().rstrip(".").lower()
    if re.fullmatch(r"[0-9]{1,2}(?:\.0*)?", word):
        number = int(word.partition(".")[0])
        return number if 1 <= number <= 12 else 0
    return _NAMED.get(word, 0)


def is_day_first(text: str) -> bool | None:
    """Whether a date such as 31/12/1997 has the day first; None if it is ambiguous."""
    found = _SLASHED.fullmatch(text.strip())
    if not found:
        return None
    a, b = int(found["a"]), int(found["b"])
    if 12 < a <= 31 and 1 <= b <= 12:
        return True
    return False if 12 < b <= 31 and 1 <= a <= 12 else None


def _of_text(given: str, wanted: _Wanted, day_first: bool | None) -> str:
    text = given.strip()
    for form in _FORMS:
        found = form.fullmatch(text)
        if found:
            parts = found.groupdict()
            word = parts.get("word")
            month = _NAMED[word.lower()] if word else int(parts["month"])
            return _of_parts(given, wanted, parts, month, parts.get("day"))
    found = _SLASHED.fullmatch(text)
    if found:
        parts = found.groupdict()
        a, b = int(found["a"]), int(found["b"])
        if a <= 12 and b <= 12 and a != b and day_first is None:
            raise DayOrMonthError(
                given, "may have the day or the month first; write it as YYYY-MM-DD"
            )
        first = (day_first if day_first is not None else b <= 12) if a <= 12 else True
        if b > 12:
            first = False
        return _of_parts(given, wanted, parts, b if first else a, str(a if first else b))
    if re.fullmatch(r"[0-9]{4}(?:\.0*)?", text):
        raise MonthError(given, f"is a year and no {wanted.name}; {wanted.remedy}")
    if re.fullmatch(rf"[0-9]{{1,2}}[-/. ](?:[0-9]{{1,2}}|{_WORD})[-/. ][0-9]{{2}}", text.lower()):
        raise MonthError(given, "has a year of two digits; write it as YYYY-MM-DD")
    raise MonthError(given, f"is not a {wanted.name}; {wanted.remedy}")


def _of_parts(
    given: str, wanted: _Wanted, parts: dict[str, Any], month: int, day: str | None
) -> str:
    year = int(parts["year"])
    if day is not None and not 1 <= int(day) <= 31:
        raise MonthError(given, f"has a day that no month has; {wanted.remedy}")
    text = wanted.label(given, year, month, None if day is None else int(day))
    zone = parts.get("zone")
    if zone and zone[0] in "+-" and day is not None:
        hour, minute = int(parts.get("hour") or 0), int(parts.get("minute") or 0)
        utc_offset = dt.timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
        try:
            stamp = dt.datetime(year, month, int(day), hour, minute)  # noqa: DTZ001
            _same_in_utc(given, wanted, stamp, utc_offset if zone[0] == "+" else -utc_offset)
        except (ValueError, OverflowError) as error:
            if isinstance(error, MonthError):
                raise
            raise MonthError(given, f"is not a date; {wanted.remedy}") from error
    return text


def _parts(date: dt.date, wanted: _Wanted) -> tuple[int, ...]:
    """Return the year, the month and, where days are asked for, the day."""
    parts = (date.year, date.month, date.day)
    return parts if wanted is _DAY else parts[:2]


def _same_in_utc(given: str, wanted: _Wanted, stamp: dt.datetime, zone: dt.timedelta) -> None:
    """Refuse a local time in one month or day whose time in UTC is in another."""
    if _parts(stamp - zone, wanted) != _parts(stamp, wanted):
        raise MonthError(given, f"is in another {wanted.name} in UTC; {wanted.remedy}")
