"""Recognise the roles of an observation table's columns by their names.

A column that changes the meaning of others (a time, an error, units) is never silently ignored: it
is recognised, or the table is refused.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.interpolation import ObservationError
from mlda_core.climate.months import DayOrMonthError, MonthError, month_of


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


REQUIRED = ("variable", "lat", "lon", "value")
# Synonyms of each role, accepted without a note.
_SAME = {
    "lat": ("latitude", "lats", "lat_deg", "latitude_deg", "latitude_degrees"),
    "lon": ("longitude", "lons", "long", "lng", "lon_deg", "longitude_deg", "longitude_degrees"),
    "units": ("unit",),
    "base_period": ("baseperiod", "baseline", "reference_period", "climatology_period"),
}
_ROLES = (*REQUIRED, "error_sd", "withheld", "label", "kind", "area", "units", "base_period")
# Common names of error standard deviations.
_ERRORS = _words(
    "sigma err error errors err_sd error_std err_std std_error std_err stderr standard_error "
    "standard_deviation std sd stdev stddev std_dev st_dev s_d uncertainty unc uncert "
    "obs_err obserr obs_error obs_errors obs_sigma obs_sd obs_std obs_unc obs_uncertainty "
    "observation_error observation_error_sd observation_error_std observation_uncertainty "
    "measurement_error measurement_uncertainty sigma_o sigma_obs value_error value_err value_sd "
    "value_std value_sigma value_unc value_uncertainty error_sigma errorsd errsd "
    "total_uncertainty standard_uncertainty"
)
_ERROR_WORDS = _words(
    "error errors err sigma std sd stdev stddev uncertainty uncertainties unc uncert stderr "
    "variance var mse rmse ci confidence"
)
_NO_SD = re.compile(
    r"(^|_)(var|variance|mse|percent|percentage|pct|rel|relative|ci|confidence|lower|upper)(_|$)|"
    r"95|2[_ -]?(sigma|σ|sd|std)|%|k ?= ?2"
)
# Text in brackets after a name that is not a unit.
_ONE_SD = re.compile(r"(1[ _-]?)?(sigma|σ|sd|std|standard deviation)", re.IGNORECASE)
# Errors of other quantities than the value.
_OTHER_WORDS = _words(
    "lat latitude lon longitude position location place elevation height depth time date"
)
_TIMES = _words(
    "time date datetime date_time time_stamp timestamp valid_time valid_date obs_time obs_date "
    "observation_time observation_date obstime obsdate datetime_utc date_utc time_utc utc "
    "yyyymm yyyy_mm yearmonth year_month yearmon year_mon ym yrmo yrmon yyyymmdd yyyy_mm_dd "
    "month_year decimal_year decimal_date dec_year dec_date decyear year_decimal year_frac "
    "year_fraction fractional_year decimalyear zeit fecha"
)
_YEARS = _words("year yr yyyy years jahr annee année ano año anno obs_year")
_MONTHS = _words("month mon mo mm months mth monat mois mes mese obs_month")
# Ambiguous unless there is a column of years: mm may be millimetres.
_MONTHS_BESIDE_YEARS = frozenset({"mo", "mm", "mon", "mth"})
_TIME_WORDS = _words("time date datetime year month yyyy yr timestamp epoch")
# Columns that mlda itself writes in addition to the input columns.
_OURS = frozenset(
    {
        *("background_departure", "analysis_departure", "standardised_departure", "used"),
        *("robust_weight", "misfit_sd"),  # the last is of files written before 30 November 2026
    }
)


class Times(NamedTuple):
    """One representation of the month in a table.

    Parameters
    ----------
    words : str
        Its name in messages.
    date : int
        Position of a date column, -1 for separate year and month.
    year, month : int
        Positions of the latter.
    """

    words: str
    date: int = -1
    year: int = -1
    month: int = -1


@dataclass(frozen=True)
class Columns:
    """Positions of the roles among the columns of an observation table.

    Parameters
    ----------
    at : dict of str to int
        Positions of the columns by role: some of variable, lat, lon, value, error_sd, withheld,
        label, kind, area, units and base_period.
    units : dict of str to str
        Units of whole columns, by role.
    times : list of Times
        All representations of the month; the first is used.
    notes : list of str
        Columns recognised by other names, and ignored ones.
    """

    at: dict[str, int]
    units: dict[str, str]
    times: list[Times]
    notes: list[str] = field(default_factory=list)


def plain(name: str) -> tuple[str, str]:
    """Return a column's name in lower case with underscores, and the units in its brackets.

    Parameters
    ----------
    name : str
        Such as ``Lat (deg)``, ``value [hPa]``, ``ObsErr``.

    Returns
    -------
    name, units : str
        '' if there are none.
    """
    found = re.fullmatch(r"(.*?)\s*[(\[]\s*([^()\[\]]*?)\s*[)\]]", name.strip(), re.DOTALL)
    bare, units = (found[1], found[2]) if found and found[1] else (name, "")
    bare = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", bare.strip())
    return re.sub(r"[\s\-./]+", "_", bare.lower()).strip("_"), units


def role_of(name: str) -> str:
    """Return the role that a normalised name is a synonym of, '' if none."""
    if name in _ROLES:
        return name
    return next((role for role, names in _SAME.items() if name in names), "")


def recognise(
    names: Sequence[str], columns: Sequence[NDArray[Any]], units: Mapping[str, str]
) -> Columns:
    """Assign roles to columns.

    Parameters
    ----------
    names : sequence of str
        As given.
    columns : sequence of ndarray, shape (n,)
        Their cells, which identify date columns.
    units : mapping of str to str
        Units of whole columns, by name.

    Returns
    -------
    Columns

    Raises
    ------
    ObservationError
        If a required column is missing, duplicated or possibly misspelt, or a column may be a
        time or an error but is ambiguous.
    """
    bare = [plain(name) for name in names]
    stated = [units.get(n, "") or b[1] for n, b in zip(names, bare, strict=True)]
    short = [b[0] for b in bare]
    at: dict[str, int] = {}
    for i, name in enumerate(short):
        role = role_of(name)
        if role and role in at:
            raise ObservationError(f"The observations have two columns '{role}'; remove one.")
        if role:
            at[role] = i
    taken = set(at.values())
    times, notes = _times(names, short, taken)
    taken |= {i for t in times for i in (t.date, t.year, t.month)}
    error, note = _error(names, short, stated, taken)
    if error >= 0 and "error_sd" not in at:
        at["error_sd"] = error
    notes += [note] if note else []
    taken |= {error}
    left = [i for i, name in enumerate(short) if i not in taken and name not in _OURS]
    _check_slips([short[i] for i in left], at, times)
    missing = next((role for role in REQUIRED if role not in at), None)
    if missing:
        raise ObservationError(
            f"The observations have no column '{missing}'; they need {', '.join(REQUIRED)}."
        )
    if not times:
        _check_dates([names[i] for i in left], [short[i] for i in left], [columns[i] for i in left])
    if left:
        listed = ", ".join(f"'{_brief(names[i])}'" for i in left[:6])
        more = f" and {len(left) - 6} more" if len(left) > 6 else ""
        notes.append(f"Columns that are left out: {listed}{more}.")
    roles = {i: role for role, i in at.items()}
    given = {
        roles[i]: u for i, u in enumerate(stated) if i in roles and u and not _ONE_SD.fullmatch(u)
    }
    return Columns(at, given, times, notes)


def check_elsewhere(
    source: str, elsewhere: Sequence[str], columns: Mapping[str, NDArray[Any]]
) -> None:
    """Refuse a source with a time, place or error along another dimension than its values.

    Parameters
    ----------
    source : str
        Its name in messages.
    elsewhere : sequence of str
        Names along other dimensions.
    columns : mapping of str to ndarray
        Columns along the dimension of the values.

    Raises
    ------
    ObservationError
        If one of the former would have a role as a column.
    """
    try:
        recognise([*columns], [*columns.values()], {})
    except ObservationError:
        # Faults of the columns themselves are reported by the later check.
        return
    for name in elsewhere:
        at = len(columns)
        try:
            both = recognise([*columns, name], [*columns.values(), np.empty(0, object)], {})
        except ObservationError:
            both = None
        if both is None or at in both.at.values() or any(at in t[1:] for t in both.times):
            raise ObservationError(
                f"{source} has a '{_brief(name)}' along another dimension than its 'value'; give "
                "every column along one, an observation a place."
            )


def _times(
    names: Sequence[str], short: Sequence[str], taken: set[int]
) -> tuple[list[Times], list[str]]:
    notes: list[str] = []
    where = {
        kind: [i for i, name in enumerate(short) if name in known and i not in taken]
        for kind, known in (("date", _TIMES), ("year", _YEARS), ("month", _MONTHS))
    }
    for kind in ("year", "month"):
        if len(where[kind]) > 1:
            a, b = (names[i] for i in where[kind][:2])
            raise ObservationError(
                f"The observations have two columns of the {kind}, '{_brief(a)}' and "
                f"'{_brief(b)}'; remove one."
            )
    found = [Times(f"'{_brief(names[i])}'", date=i) for i in where["date"]]
    # GRIB's time is the forecast's reference time; valid_time is that of the value.
    valid = [t for t in found if short[t.date].startswith("valid_")]
    if valid and len(found) > len(valid):
        notes.append(
            f"The months are those of column {valid[0].words}, which says what the values are of."
        )
        found = valid[:1]
    # Messages name a column with the standard name if there is one.
    found.sort(key=lambda t: short[t.date] != "time")
    year, month = where["year"], where["month"]
    if not year:
        month = [i for i in month if short[i] not in _MONTHS_BESIDE_YEARS]
    if year and month:
        words = f"'{_brief(names[year[0]])}' and '{_brief(names[month[0]])}'"
        found.append(Times(words, year=year[0], month=month[0]))
    elif year or month:
        # Years alone may be decimal, months alone YYYY-MM: that depends on the cells.
        alone = (year or month)[0]
        found.append(Times(f"'{_brief(names[alone])}'", date=alone))
    if found and short[found[0].date] != "time":
        what = "column" if found[0].date >= 0 else "columns"
        notes.append(f"The months are those of {what} {found[0].words}.")
    return found, notes


def _error(
    names: Sequence[str], short: Sequence[str], stated: Sequence[str], taken: set[int]
) -> tuple[int, str]:
    """Return the position of an error column under another name, -1 if none, and a note."""
    looks = [
        i
        for i, name in enumerate(short)
        if i not in taken
        and name not in _OURS
        and (name in _ERRORS or _ERROR_WORDS & set(name.split("_")))
        and not _OTHER_WORDS & set(name.split("_"))
    ]
    if not looks or "error_sd" in short:
        return -1, ""
    if len(looks) > 1:
        a, b = (_brief(names[i]) for i in looks[:2])
        raise ObservationError(
            f"The observations have two columns that look like errors, '{a}' and '{b}'; name the "
            "standard deviation of the error 'error_sd'."
        )
    i = looks[0]
    name = _brief(names[i])
    if _NO_SD.search(short[i]) or _NO_SD.search(stated[i].lower()):
        raise ObservationError(
            f"The observations have a column '{name}', which looks like an error and no standard "
            "deviation; give that as 'error_sd', in the units of value, or remove the column."
        )
    if short[i] not in _ERRORS:
        raise ObservationError(
            f"The observations have a column '{name}', which looks like an error; name it "
            "'error_sd' if it is the standard deviation of value's error, or remove it."
        )
    return i, f"Column '{name}' is taken as error_sd, the standard deviation of value's error."


def _check_slips(names: Sequence[str], at: Mapping[str, int], times: Sequence[Times]) -> None:
    absent = [role for role in _ROLES if role not in at] + ([] if times else ["time"])
    for name in names:
        close = difflib.get_close_matches(name, absent, 1, cutoff=0.75)
        if close:
            raise ObservationError(
                f"The observations have an unknown column '{_brief(name)}'; name it '{close[0]}', "
                "or remove it."
            )


def _check_dates(
    names: Sequence[str], short: Sequence[str], columns: Sequence[NDArray[Any]]
) -> None:
    """Refuse a table without months but with a column that may contain them."""
    for name, bare, cells in zip(names, short, columns, strict=True):
        if _TIME_WORDS & set(bare.split("_")) or _are_dates(cells):
            raise ObservationError(
                f"The observations have a column '{_brief(name)}', which looks like a time; name "
                "it 'time' if it says of when the values are, or remove it."
            )


def _are_dates(cells: NDArray[Any]) -> bool:
    """Whether all cells of a column are dates; numbers do not count."""
    found = 0
    for cell in cells[:50]:
        if cell is None or (not isinstance(cell, str) and cell != cell):  # noqa: PLR0124 - NaN, NaT
            continue
        if isinstance(cell, str):
            if not cell.strip():
                continue
            if re.fullmatch(r"[0-9]*\.?[0-9]*", cell.strip()):
                return False
        elif isinstance(cell, int | float | bool | np.number | np.bool_):
            return False
        try:
            month_of(cell)
        except DayOrMonthError:
            pass
        except MonthError:
            return False
        found += 1
    return found > 0


def _brief(name: str) -> str:
    text = "".join(c if c.isprintable() else "?" for c in name)
    return text if len(text) <= 40 else f"{text[:39]}…"
