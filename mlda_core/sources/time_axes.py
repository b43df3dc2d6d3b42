"""Convert a time axis to days: CF units, dates written as numbers, and decimal years."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import cftime
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mlda_core.climate.units import shown
from mlda_core.sources import SourceError

EPOCH = "days since 1600-01-01"
# Names of CF calendars that cftime does not know.
CALENDAR_NAMES = {"360": "360_day", "365": "365_day", "no_leap": "noleap", "leap": "all_leap"}
_CALENDARS = {
    *("standard", "gregorian", "proleptic_gregorian", "julian"),
    *("noleap", "365_day", "all_leap", "366_day", "360_day"),
}
_SINCE = re.compile(r"^\s*(\w+)\s+since\s+(\d{1,4})-(\d{1,2})-(\d{1,2})", re.IGNORECASE)
# cdo's absolute time axes, and variants of them.
_FORMS = {
    "day as %y%m%d.%f": "day",
    "yyyymmdd": "day",
    "yyyymmdd.f": "day",
    "month as %y%m.%f": "month",
    "yyyymm": "month",
    "year as %y.%f": "year",
    "yyyy.f": "year",
}
_DECIMAL_YEARS = re.compile(r"^(decimal[ _]?years?|years?( *\(?(a\.?d\.?|c\.?e\.?)\)?)?)$")


@dataclass(frozen=True, eq=False)
class Axis:
    """Encoding of a time axis.

    Parameters
    ----------
    name, units : str
        As in the file.
    calendar : str
        cftime's name.
    form : {"since", "months", "years", "day", "month", "year"}
        Numbers since a date, in CF's units, calendar months or years; dates YYYYMMDD or YYYYMM;
        decimal years.
    attrs : mapping
        Of the coordinate.
    """

    name: str
    units: str
    calendar: str
    form: str
    attrs: Mapping[str, object]

    @property
    def coarse(self) -> bool:
        """Whether the units do not resolve months exactly: decimal years."""
        return self.form in {"years", "year"}

    @property
    def names_months(self) -> bool:
        """Whether the numbers encode months, YYYYMM."""
        return self.form == "month"

    def days(self, values: NDArray[np.generic], units: object = None) -> NDArray[np.float64]:
        """Return numbers as days since 1600-01-01 of the calendar, NaN if unreadable.

        Parameters
        ----------
        values : ndarray
            Of any shape; they are flattened.
        units : object
            Units of bounds, if they differ from the axis'.
        """
        numbers = np.ravel(np.asarray(values, dtype=np.float64))
        # NaT is the smallest 64-bit integer, and netCDF's default fill value is 9.97e36.
        usable = np.isfinite(numbers) & (np.abs(numbers) < 9.2e18)
        text = units if isinstance(units, str) and " since " in units else self.units
        out = np.full(numbers.shape, np.nan)
        if usable.any():
            out[usable] = self._days(numbers[usable], text)
        return out

    def _days(self, numbers: NDArray[np.float64], units: str) -> NDArray[np.float64]:
        if self.form == "since":
            return self._since(numbers, units)
        whole = np.floor(numbers + 1e-6)
        rest = np.maximum(numbers - whole, 0.0)
        if self.form in {"months", "years"}:
            start = _SINCE.match(units)
            if start is None:
                return np.full(numbers.shape, np.nan)
            year, month, day = (int(start[n]) for n in (2, 3, 4))
            step = 1 if self.form == "months" else 12
            return self._months(12 * year + month - 1 + step * whole, day, rest, step)
        if self.form == "year":
            return self._months(12 * whole, 1, rest, 12)
        if self.form == "month":
            years, months = np.divmod(whole, 100)
            months = np.where((months >= 1) & (months <= 12), months, np.nan)
            return self._months(12 * years + months - 1, 1, np.full(rest.shape, 0.5), 1)
        years, months = np.divmod(np.floor_divide(whole, 100), 100)
        return self._dates(years, months, np.mod(whole, 100)) + rest

    def _since(self, numbers: NDArray[np.float64], units: str) -> NDArray[np.float64]:
        numbers, units = _in_microseconds(numbers, units)

        def read(some: NDArray[np.float64]) -> NDArray[np.float64]:
            with warnings.catch_warnings():
                # Years before 1 are refused by the caller.
                warnings.simplefilter("ignore", cftime.CFWarning)
                dates = cftime.num2date(some, units, self.calendar, only_use_cftime_datetimes=True)
                return np.asarray(cftime.date2num(dates, EPOCH, self.calendar), dtype=np.float64)

        try:
            return read(numbers)
        except (ValueError, OverflowError):
            out = np.full(numbers.shape, np.nan)
            for i, number in enumerate(numbers):
                try:
                    out[i] = read(number[None])[0]
                except (ValueError, OverflowError):
                    continue
            return out

    def _months(
        self, index: NDArray[np.float64], day: int, fraction: NDArray[np.float64], step: int
    ) -> NDArray[np.float64]:
        """Return a day of a month, plus a fraction of the time to that day ``step`` months on."""
        first = self._dates(index // 12, index % 12 + 1, np.full(index.shape, float(day)))
        if not fraction.any():
            return first
        after = index + step
        last = self._dates(after // 12, after % 12 + 1, np.full(index.shape, float(day)))
        return first + fraction * (last - first)

    def _dates(
        self, year: NDArray[np.float64], month: NDArray[np.float64], day: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        out = np.full(year.shape, np.nan)
        for i, (y, m, d) in enumerate(zip(year, month, day, strict=True)):
            if not (np.isfinite([y, m, d]).all() and 1 <= y <= 9999):
                continue
            try:
                date = cftime.datetime(int(y), int(m), int(d), calendar=self.calendar)
                out[i] = cftime.date2num(date, EPOCH, self.calendar)
            except (ValueError, OverflowError):
                continue
        return out


def axis_of(time: xr.DataArray, where: object) -> Axis:
    """Return the encoding of a time coordinate.

    Raises
    ------
    SourceError
        If its units, calendar or type cannot be understood.
    """
    name, attrs = str(time.name), dict(time.attrs)
    if time.dtype.kind not in "iuf":
        raise SourceError(
            f"{where} has text or other things than numbers on its {name}; write them as numbers "
            "since a date, such as 'days since 1850-01-01'."
        )
    said = attrs.get("units")
    units = said.strip() if isinstance(said, str) else ""
    calendar = str(attrs.get("calendar", "standard")).strip().lower()
    calendar = CALENDAR_NAMES.get(calendar, calendar)
    form = _form(units, np.ravel(np.asarray(time.values, dtype=np.float64)))
    if not form:
        said = f"'{shown(units)}'" if units else "no units"
        raise SourceError(
            f"{where} has {said} on its {name} and no units such as 'hours since 1800-01-01'; "
            "add them."
        )
    axis = Axis(name, units, calendar, form, attrs)
    try:
        if calendar not in _CALENDARS:
            raise ValueError("no calendar of the CF conventions")
        if form == "since":
            known = _in_microseconds(np.zeros(1), units)[1]
            cftime.num2date(0, known, calendar, only_use_cftime_datetimes=True)
    except (ValueError, OverflowError) as error:
        raise SourceError(
            f"{where} has {name} in '{shown(units)}' of the calendar '{shown(calendar)}', which "
            f"cannot be read ({_first_sentence(error)}); correct the attributes."
        ) from error
    return axis


def _first_sentence(error: Exception) -> str:
    return shown(re.split(r"\.\s|\n", str(error))[0].rstrip("."))


def _in_microseconds(numbers: NDArray[np.float64], units: str) -> tuple[NDArray[np.float64], str]:
    """Return xarray's nanoseconds in units that cftime knows; other units unchanged."""
    word, _, rest = units.partition(" ")
    if word.lower() in {"nanosecond", "nanoseconds", "ns"}:
        return numbers / 1000.0, f"microseconds {rest}"
    return numbers, units


def _form(units: str, values: NDArray[np.float64]) -> str:
    since = _SINCE.match(units)
    if since is not None:
        word = since[1].lower()
        if word in {"month", "months", "mon", "mons"}:
            return "months"
        if word in {"year", "years", "yr", "yrs", "common_year", "common_years"}:
            return "years"
        return "since"
    if " since " in units:
        return "since"
    known = _FORMS.get(units.lower(), "")
    if known:
        return known
    whole = values[np.isfinite(values)]
    if _DECIMAL_YEARS.match(units.lower()) and whole.size and (np.abs(whole) < 3000).all():
        return "year"
    if units.lower() in {"", "1", "none"} and whole.size and (whole == np.floor(whole)).all():
        # Dates as integers; no other encoding has numbers of this size.
        for form, scale in (("month", 1), ("day", 100)):
            year, month = np.divmod(np.floor_divide(whole, scale), 100)
            if ((year >= 1600) & (year < 2600) & (month >= 1) & (month <= 12)).all():
                return form
    return ""
