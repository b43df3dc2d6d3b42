"""Observations as one checked table, and reading and writing them.

This is the only edge: what comes in by CSV, netCDF or a user's hand passes :func:`check` once, and
everything behind it trusts the table. A bad row is reported by number and reason; the rest is kept.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from mlda_core.climate.interpolation import ObservationError, ObservationOperator
from mlda_core.climate.units import to_display
from mlda_core.observations.files import Rejected, load, to_csv, to_netcdf

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.climate.variables import Variable

__all__ = [
    "COLUMNS",
    "DEFAULT_ERROR",
    "ObservationError",
    "Rejected",
    "check",
    "default_error",
    "empty",
    "local_spread",
    "observation_table",
    "read",
    "read_months",
    "to_csv",
    "to_netcdf",
    "variable_rows",
]

Float = NDArray[np.float64]
COLUMNS = ("variable", "lat", "lon", "value", "error_sd", "withheld", "label")
# What a file may say beside the columns.
_EXTRA = ("kind", "units", "time")
_REQUIRED = ("variable", "lat", "lon", "value")
_ALIASES = {"latitude": "lat", "longitude": "lon"}
# Observation error where none is stated, as a part of the local spread.
DEFAULT_ERROR = 0.2
# An anomaly beyond this many times the colour limit (about the 99th percentile) is a full field,
# another unit or a slip of the pen; less than that is for the analysis to judge.
_ABSURD = 10.0
_WITHHELD = {
    **dict.fromkeys(("true", "t", "yes", "y", "1", "1.0"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0", "0.0", ""), False),
}
_KINDS = ("anomaly", "absolute")


def empty() -> pd.DataFrame:
    """Return a table without observations.

    Returns
    -------
    DataFrame
        The columns of :data:`COLUMNS`, with their types.
    """
    return observation_table(dict.fromkeys(COLUMNS, ()))


def check(
    table: pd.DataFrame, bundle: Bundle, *, month: str | int | None = None
) -> tuple[pd.DataFrame, list[Rejected]]:
    """Check observations, and bring them to display units and anomalies.

    Parameters
    ----------
    table : DataFrame
        Columns variable, lat, lon and value; error_sd (0.2 of the local spread where it is
        empty), withheld and label where there are any. ``kind`` is anomaly (the default) or
        absolute, ``units`` what value and error_sd are given in. Other columns are left out.
    bundle : Bundle
        Says which variables exist, where, and their climatology.
    month : str or int, optional
        ``YYYY-MM`` or 1..12: of the climatology for absolute values, and of the default error,
        which without it is the mean over the year.

    Returns
    -------
    observations : DataFrame
        Columns :data:`COLUMNS`, index 0..n-1; lon within 0..360.
    rejected : list of Rejected
        Rows that were left out, ascending.

    Raises
    ------
    ObservationError
        If a column is missing or misspelt, or the month is none.
    """
    raw = table.reset_index(drop=True)
    raw.columns = pd.Index([str(c) for c in raw.columns])
    return _check(raw, np.arange(1, len(raw) + 1), bundle, month)


def read(
    source: Path | str | bytes, bundle: Bundle, *, month: str | int | None = None
) -> tuple[pd.DataFrame, list[Rejected]]:
    """Read observations from CSV or netCDF.

    Parameters
    ----------
    source : Path, str or bytes
        A file, the text of a CSV, or the bytes of either. Commas, semicolons (decimals may then
        have a comma) or tabs separate; lines that start with ``#`` are left out.
    bundle : Bundle
    month : str or int, optional
        As in :func:`check`. Of a file with a column ``time``, only the rows of a ``YYYY-MM`` are
        read.

    Returns
    -------
    observations : DataFrame
    rejected : list of Rejected

    Raises
    ------
    ObservationError
        If the file cannot be read as observations, or has none of the month.
    """
    if isinstance(month, str):
        _calendar(month)
    raw, rows, ragged = load(source)
    if isinstance(month, str) and "time" in raw:
        months = _months(raw["time"])
        here = (months == month).to_numpy()
        if len(raw) and not here.any():
            held = sorted(set(months.dropna()))
            span = f"it holds {held[0]} to {held[-1]}" if held else "its times are no dates"
            raise ObservationError(f"The file has no observation of {month}; {span}.")
        raw, rows = raw[here].reset_index(drop=True), rows[here]
    found, rejected = _check(raw, rows, bundle, month)
    return found, sorted(ragged + rejected)


def read_months(
    source: Path | str | bytes, bundle: Bundle
) -> dict[str, tuple[pd.DataFrame, list[Rejected]]]:
    """Read the observations of many months from one file with a column ``time``.

    Parameters
    ----------
    source : Path, str or bytes
        As in :func:`read`; times are ``YYYY-MM`` or longer ISO dates.
    bundle : Bundle

    Returns
    -------
    dict
        Observations and rejected rows by month, ascending. Rows without a month are rejected
        under the name ''.

    Raises
    ------
    ObservationError
        If the file cannot be read as observations, or has no such column.
    """
    raw, rows, ragged = load(source)
    if "time" not in raw:
        raise ObservationError(
            "The observations have no column 'time'; add one, or say which month they are of."
        )
    months = _months(raw["time"])
    out = {}
    for month in sorted(set(months.dropna())):
        here = (months == month).to_numpy()
        out[month] = _check(raw[here].reset_index(drop=True), rows[here], bundle, month)
    lost = [
        Rejected(
            int(rows[i]), f"the time '{_quoted(_shown(raw['time'][i]))}' is no date such as 1997-12"
        )
        for i in np.flatnonzero(months.isna())
    ]
    if lost or ragged:
        out[""] = (empty(), sorted(ragged + lost))
    return out


def has_times(source: Path | str | bytes) -> bool:
    """Whether a file of observations has a column ``time``, so that it may hold many months."""
    return "time" in load(source)[0]


def local_spread(bundle: Bundle, calendar_month: int | None = None) -> Float:
    """Return the spread of the climate in display units.

    Rain is standardised after a transform, so its spread is taken back: half the distance from
    one standard deviation below the centre to one above.

    Parameters
    ----------
    bundle : Bundle
    calendar_month : int, optional
        1..12; the mean over the year without it.

    Returns
    -------
    ndarray, shape (V, lat, lon)
        NaN where a variable does not exist.
    """
    months = np.arange(1, 13) if calendar_month is None else np.array([_calendar(calendar_month)])
    one = np.ones((months.size, *bundle.mask.shape))
    high = bundle.normaliser.restore(one, months)
    low = bundle.normaliser.restore(-one, months)
    return np.asarray(np.where(bundle.mask, 0.5 * (high - low).mean(axis=0), np.nan))


def default_error(
    bundle: Bundle,
    variable: str | Sequence[str],
    calendar_month: int | None,
    lat: ArrayLike,
    lon: ArrayLike,
) -> Float:
    """Return the observation error where none is stated: 0.2 of the local spread.

    Parameters
    ----------
    bundle : Bundle
    variable : str or sequence of str, shape (p,)
        CF names of the bundle's variables.
    calendar_month : int or None
        1..12; None for the mean over the year.
    lat, lon : array_like, shape (p,)
        Degrees.

    Returns
    -------
    ndarray, shape (p,)
        Standard deviations, display units, all above zero.

    Raises
    ------
    ObservationError
        If a variable does not exist at a place.
    """
    north = np.atleast_1d(np.asarray(lat, np.float64))
    names = [variable] * north.size if isinstance(variable, str) else list(variable)
    places = bundle.operator.locate(variable_rows(bundle, names), north, lon)
    spread = bundle.operator.apply(places, local_spread(bundle, calendar_month))
    # Where it never rains the spread is nil, but no gauge is perfect.
    least = np.array([10.0**-v.decimals for v in bundle.variables])[places.variable]
    return np.asarray(np.maximum(DEFAULT_ERROR * spread, 0.1 * least))


# Checking


def _check(
    raw: pd.DataFrame, rows: NDArray[np.int64], bundle: Bundle, month: str | int | None
) -> tuple[pd.DataFrame, list[Rejected]]:
    calendar = None if month is None else _calendar(month)
    raw = _named(raw)
    typed, unstated = _typed(raw)
    reasons = _failures(typed, raw, bundle)

    def refuse(where: NDArray[np.bool_], reason: str) -> None:
        for i in np.flatnonzero(where):
            reasons.setdefault(int(i), reason)

    def fine() -> NDArray[np.bool_]:
        good = np.ones(len(typed), bool)
        good[list(reasons)] = False
        return good

    which = np.array([v.name for v in bundle.variables])
    row = np.array([int(np.argmax(which == v)) for v in typed["variable"]], np.int64)
    lat, lon = typed["lat"].to_numpy(np.float64), typed["lon"].to_numpy(np.float64)
    lon = np.mod(np.where(np.isfinite(lon), lon, 0.0), 360.0)
    # A hair west of Greenwich rounds to the full turn.
    lon = np.where(lon == 360.0, 0.0, lon)
    value, error = (typed[k].to_numpy(np.float64).copy() for k in ("value", "error_sd"))
    absolute = (typed["kind"] == "absolute").to_numpy()
    for v, variable in enumerate(bundle.variables):
        of_it = row == v
        for units in typed["units"][of_it & fine()].unique():
            here = of_it & (typed["units"] == units).to_numpy() & fine()
            try:
                scale, offset = to_display(units, variable) if units else (1.0, 0.0)
            except ValueError as problem:
                refuse(here, str(problem))
                continue
            value[here] = value[here] * scale + offset * absolute[here]
            error[here] *= scale
        if variable.non_negative:
            refuse(
                of_it & absolute & (value < 0),
                f"{variable.label.lower()} cannot be negative, and its kind is absolute",
            )
    exists = np.zeros(len(typed), bool)
    good = fine()
    exists[good] = bundle.operator.observable(row[good], lat[good], lon[good])
    for i in np.flatnonzero(good & ~exists):
        variable = bundle.variables[row[i]]
        why = _why_not(variable, bundle, lat[i], lon[i])
        reasons[int(i)] = f"there is no {variable.label.lower()} at {_place(lat[i], lon[i])}: {why}"
    if calendar is None:
        refuse(absolute, "its kind is absolute, which needs a month to tell the anomaly; give one")
    else:
        here = absolute & fine()
        places = bundle.operator.locate(row[here], lat[here], lon[here])
        value[here] -= bundle.operator.apply(places, bundle.climatology(calendar))
    for v, variable in enumerate(bundle.variables):
        limit, units = _ABSURD * variable.anomaly_limit, variable.anomaly_units
        for i in np.flatnonzero((row == v) & fine() & (np.abs(value) > limit)):
            reasons[int(i)] = (
                f"an anomaly of {value[i]:.4g} {units} is none that {variable.label.lower()} can "
                f"have (at most {limit:g}); correct its value, kind or units"
            )
    good = fine()
    blank = good & unstated
    names = list(which[row[blank]])
    error[blank] = default_error(bundle, names, calendar, lat[blank], lon[blank])
    columns = {
        "variable": which[row],
        "lat": lat,
        "lon": lon,
        "value": value,
        "error_sd": error,
        "withheld": typed["withheld"].to_numpy(),
        "label": typed["label"].to_numpy(),
    }
    found = observation_table({k: v[good] for k, v in columns.items()})
    return found, [Rejected(int(rows[i]), reasons[i]) for i in sorted(reasons)]


def _why_not(variable: Variable, bundle: Bundle, lat: float, lon: float) -> str:
    """Say why a variable cannot be observed at a place."""
    every = ObservationOperator(bundle.grid, np.ones((1, *bundle.grid.shape), bool))
    if not every.observable(0, lat, lon).all():
        return "that is outside the model's grid"
    other = {"sea": "that is land", "land": "that is sea"}
    return other.get(variable.domain, "the model has no values there")


def _named(raw: pd.DataFrame) -> pd.DataFrame:
    """Bring the columns' names to the known ones, and refuse what looks like a slip of the pen."""
    names = [str(c).strip().lower() for c in raw.columns]
    names = [_ALIASES.get(n, n) for n in names]
    twice = next((n for n in names if names.count(n) > 1 and n in COLUMNS + _EXTRA), None)
    if twice:
        raise ObservationError(f"The observations have two columns '{twice}'; remove one.")
    missing = next((n for n in _REQUIRED if n not in names), None)
    for name in set(names) - {*COLUMNS, *_EXTRA}:
        absent = [n for n in COLUMNS + _EXTRA if n not in names]
        close = difflib.get_close_matches(name, absent, 1, cutoff=0.75)
        if close:
            raise ObservationError(
                f"The observations have an unknown column '{name}'; name it '{close[0]}', or "
                "remove it."
            )
    if missing:
        raise ObservationError(
            f"The observations have no column '{missing}'; they need {', '.join(_REQUIRED)}."
        )
    out = raw.copy()
    out.columns = pd.Index(names)
    return out


def _typed(raw: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """Turn cells into types, NaN or None where they have none; and where no error is stated."""
    n = len(raw)

    def words(name: str) -> pd.Series:
        column = raw[name] if name in raw else pd.Series([""] * n)
        return pd.Series([_shown(c) for c in column], dtype="str")

    unstated = (words("error_sd") == "").to_numpy()
    typed = pd.DataFrame(
        {
            "variable": words("variable"),
            **{k: pd.to_numeric(words(k), errors="coerce").astype(float) for k in _REQUIRED[1:]},
            # One stands where none is stated, so that the check passes; the default comes later.
            "error_sd": pd.to_numeric(words("error_sd").mask(unstated, "1"), errors="coerce"),
            "withheld": pd.Series(
                [_WITHHELD.get(w.lower()) for w in words("withheld")], dtype="object"
            ),
            "label": words("label"),
            "kind": words("kind").str.lower().replace("", "anomaly"),
            "units": words("units"),
        }
    )
    return typed.astype({"error_sd": float}), unstated


def _failures(typed: pd.DataFrame, raw: pd.DataFrame, bundle: Bundle) -> dict[int, str]:
    """Return the first reason against each row that its own cells give."""
    # A tenth of a second that starting the page need not wait for.
    from pandera.errors import SchemaErrors

    names = tuple(v.name for v in bundle.variables)
    meant = {
        "variable": f"is no variable of this model, which has {', '.join(names)}",
        "lat": "is no latitude, a number from -90 to 90",
        "lon": "is no longitude, a number of degrees east",
        "value": "is no number",
        "error_sd": "is no error, a number above 0",
        "withheld": "is neither true nor false",
        "kind": f"is no kind of value; use {' or '.join(_KINDS)}",
    }
    try:
        _schema(names).validate(typed, lazy=True)
    except SchemaErrors as found:
        cases = found.failure_cases.dropna(subset="index")
        failed = {(int(i), str(c)) for i, c in zip(cases["index"], cases["column"], strict=True)}
        reasons: dict[int, str] = {}
        for column, meaning in meant.items():
            for i in sorted(i for i, c in failed if c == column):
                given = raw[column][i]
                number = isinstance(given, float) and not np.isnan(given)
                cell = f"{given:g}" if number else _shown(given)
                # What column it was says more than an empty pair of quotes.
                words = f"{column} '{_quoted(cell)}' {meaning}" if cell else f"{column} is empty"
                reasons.setdefault(i, words)
        return reasons
    return {}


@lru_cache(maxsize=8)
def _schema(names: tuple[str, ...]) -> Any:
    """Return what each cell of a typed table must be."""
    import pandera.pandas as pa

    def column(kind: Any, check: Any) -> Any:
        return pa.Column(kind, check, nullable=True)

    def finite(low: float = -np.inf, high: float = np.inf) -> Any:
        # NaN, from what is no number, fails it too.
        return pa.Check(lambda s: np.isfinite(s) & (s >= low) & (s <= high), ignore_na=False)

    return pa.DataFrameSchema(
        {
            "variable": column(None, pa.Check.isin(names)),
            "lat": column(float, finite(-90.0, 90.0)),
            "lon": column(float, finite()),
            "value": column(float, finite()),
            "error_sd": column(float, finite(low=np.nextafter(0.0, 1.0))),
            "withheld": column(None, pa.Check(lambda s: s.notna(), ignore_na=False)),
            "kind": column(None, pa.Check.isin(_KINDS)),
        }
    )


# Small things


def observation_table(columns: Mapping[str, ArrayLike]) -> pd.DataFrame:
    """Return a table of trusted columns, in order and with their types.

    Parameters
    ----------
    columns : mapping
        All of :data:`COLUMNS`, each of shape (p,).
    """
    kinds = {"variable": "str", "withheld": "bool", "label": "str"}
    made = {k: np.asarray(columns[k], object) for k in COLUMNS}
    return pd.DataFrame({k: pd.Series(v, dtype=kinds.get(k, "float64")) for k, v in made.items()})


def variable_rows(bundle: Bundle, names: Sequence[str]) -> NDArray[np.int64]:
    """Return the row of each variable in the state, shape (p,).

    Raises
    ------
    ObservationError
        If the bundle has no such variable.
    """
    known = {v.name: i for i, v in enumerate(bundle.variables)}
    unknown = next((n for n in names if n not in known), None)
    if unknown is not None:
        raise ObservationError(
            f"This model has no variable '{unknown}'; it has {', '.join(known)}."
        )
    return np.array([known[n] for n in names], np.int64)


def _calendar(month: str | int) -> int:
    """Return the calendar month of ``YYYY-MM`` or 1..12."""
    if isinstance(month, str):
        found = re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", month)
        if found:
            return int(found[1])
        raise ObservationError(f"'{month}' is not a month; write it as YYYY-MM, such as 1997-12.")
    if 1 <= month <= 12:
        return int(month)
    raise ObservationError(f"Calendar month {month} is not within 1 to 12; 1 stands for January.")


def _months(times: pd.Series) -> pd.Series:
    """Return the ``YYYY-MM`` of each cell, missing where there is none."""
    found = pd.Series([_shown(t) for t in times], dtype="str").str.extract(
        r"^(\d{4})-?(0[1-9]|1[0-2])(?:[-T ]?\d.*)?$"
    )
    return found[0] + "-" + found[1]


def _shown(cell: Any) -> str:
    """Return a cell as a user reads it; '' where it is empty."""
    text = "" if cell is None or cell is pd.NA else str(cell).strip()
    # As pandas and others write what is missing.
    return "" if text.lower() in {"nan", "na", "nat"} else text


def _quoted(cell: str) -> str:
    """Return a cell for a message: on one line, and not for ever."""
    text = "".join(c if c.isprintable() else "?" for c in cell)
    return text if len(text) <= 40 else f"{text[:39]}…"


def _place(lat: float, lon: float) -> str:
    return f"{abs(lat):.2f}{'N' if lat >= 0 else 'S'} {lon:.2f}E"
