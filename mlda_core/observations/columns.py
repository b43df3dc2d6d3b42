"""What the columns of an observation table are, by their names.

A column that changes what the others mean (a time, an error, units) is never left out without a
word: it is recognised, or the table is refused.
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
# By role, the names that stand for it without a word.
_SAME = {
    "lat": ("latitude", "lats", "lat_deg", "latitude_deg", "latitude_degrees"),
    "lon": ("longitude", "lons", "long", "lng", "lon_deg", "longitude_deg", "longitude_degrees"),
    "units": ("unit",),
    "base_period": ("baseperiod", "baseline", "reference_period", "climatology_period"),
}
_ROLES = (*REQUIRED, "error_sd", "withheld", "label", "kind", "units", "base_period")
# Standard deviations of the error under the names that people give them.
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
# What a name's brackets may say that is no unit.
_ONE_SD = re.compile(r"(1[ _-]?)?(sigma|σ|sd|std|standard deviation)", re.IGNORECASE)
# Errors of something other than the value.
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
# Short enough to be something else where no year stands beside them: mm are millimetres too.
_MONTHS_BESIDE_YEARS = frozenset({"mo", "mm", "mon", "mth"})
_TIME_WORDS = _words("time date datetime year month yyyy yr timestamp epoch")
# What this program writes beside the columns that it reads.
_OURS = frozenset(
    {"background_departure", "analysis_departure", "misfit_sd", "used", "robust_weight"}
)


class Times(NamedTuple):
    """One way in which a table says the month.

    Parameters
    ----------
    words : str
        What messages call it.
    date : int
        Position of a column of dates, -1 for a year and a month apart.
    year, month : int
        Positions of these.
    """

    words: str
    date: int = -1
    year: int = -1
    month: int = -1


@dataclass(frozen=True)
class Columns:
    """Where each role of an observation table stands.

    Parameters
    ----------
    at : dict of str to int
        Positions of the columns by role: some of variable, lat, lon, value, error_sd, withheld,
        label, kind, units and base_period.
    units : dict of str to str
        Units stated for the whole of a column, by role.
    times : list of Times
        Every way in which the table says the month; the first is the one to trust.
    notes : list of str
        What was taken under another name, and what was left out.
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
        ``units`` is '' where there are none.
    """
    found = re.fullmatch(r"(.*?)\s*[(\[]\s*([^()\[\]]*?)\s*[)\]]", name.strip(), re.DOTALL)
    bare, units = (found[1], found[2]) if found and found[1] else (name, "")
    bare = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", bare.strip())
    return re.sub(r"[\s\-./]+", "_", bare.lower()).strip("_"), units


def role_of(name: str) -> str:
    """Return the role that a plain name stands for without a word, '' if none."""
    if name in _ROLES:
        return name
    return next((role for role, names in _SAME.items() if name in names), "")


def recognise(
    names: Sequence[str], columns: Sequence[NDArray[Any]], units: Mapping[str, str]
) -> Columns:
    """Say what each column is.

    Parameters
    ----------
    names : sequence of str
        As they are given.
    columns : sequence of ndarray, shape (n,)
        Their cells: a column of dates is known by these too.
    units : mapping of str to str
        Units that the source states for a whole column, by its name.

    Returns
    -------
    Columns

    Raises
    ------
    ObservationError
        If a required column is missing, one is there twice, looks like a slip of the pen, or looks
        like a time or an error and cannot be taken for one.
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
    """Refuse a source that has a time, place or error along another dimension than its values.

    Parameters
    ----------
    source : str
        What messages call it.
    elsewhere : sequence of str
        Names along other dimensions.
    columns : mapping of str to ndarray
        What lies along that of the values.

    Raises
    ------
    ObservationError
        If one of these would mean something as a column.
    """
    try:
        recognise([*columns], [*columns.values()], {})
    except ObservationError:
        # What is wrong with the columns themselves is told when they are checked.
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
    # GRIB's time is when a forecast began; valid_time is what the value is of.
    valid = [t for t in found if short[t.date].startswith("valid_")]
    if valid and len(found) > len(valid):
        notes.append(
            f"The months are those of column {valid[0].words}, which says what the values are of."
        )
        found = valid[:1]
    # The column that is named as it should be is the one to name in messages.
    found.sort(key=lambda t: short[t.date] != "time")
    year, month = where["year"], where["month"]
    if not year:
        month = [i for i in month if short[i] not in _MONTHS_BESIDE_YEARS]
    if year and month:
        words = f"'{_brief(names[year[0]])}' and '{_brief(names[month[0]])}'"
        found.append(Times(words, year=year[0], month=month[0]))
    elif year or month:
        # A year alone may be decimal, a month alone YYYY-MM: their cells decide.
        alone = (year or month)[0]
        found.append(Times(f"'{_brief(names[alone])}'", date=alone))
    if found and short[found[0].date] != "time":
        what = "column" if found[0].date >= 0 else "columns"
        notes.append(f"The months are those of {what} {found[0].words}.")
    return found, notes


def _error(
    names: Sequence[str], short: Sequence[str], stated: Sequence[str], taken: set[int]
) -> tuple[int, str]:
    """Return the position of the column of errors under another name, -1 if none, and a note."""
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
    """Refuse a table without months that has a column which may say them."""
    for name, bare, cells in zip(names, short, columns, strict=True):
        if _TIME_WORDS & set(bare.split("_")) or _are_dates(cells):
            raise ObservationError(
                f"The observations have a column '{_brief(name)}', which looks like a time; name "
                "it 'time' if it says of when the values are, or remove it."
            )


def _are_dates(cells: NDArray[Any]) -> bool:
    """Whether all that a column holds are dates; numbers may be anything."""
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
