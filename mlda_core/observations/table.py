"""The checked observation table, from any supported source.

This is the only place of validation: all input (CSV, netCDF, manual) passes :func:`read` once, and
later code trusts the table. Invalid rows are reported by number and reason; the rest is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from mlda_core.climate.interpolation import ObservationError
from mlda_core.climate.months import MonthError
from mlda_core.climate.seasons import Seasons
from mlda_core.observations.cells import Cells
from mlda_core.observations.default_errors import (
    DEFAULT_ERROR,
    default_error,
    local_spread,
    variable_rows,
)
from mlda_core.observations.files import to_csv, to_netcdf
from mlda_core.observations.loading import Source, load
from mlda_core.observations.options import TableOptions
from mlda_core.observations.reading import Reading, Rejected
from mlda_core.observations.row_kinds import KIND_COLUMNS, without_kinds
from mlda_core.observations.rows import Rows, rows_of

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle

__all__ = [
    "COLUMNS",
    "DEFAULT_ERROR",
    "KIND_COLUMNS",
    "Cells",
    "ObservationError",
    "Reading",
    "Rejected",
    "TableOptions",
    "default_error",
    "empty",
    "load",
    "local_spread",
    "observation_table",
    "read",
    "read_months",
    "to_csv",
    "to_netcdf",
    "variable_rows",
]

COLUMNS = ("variable", "lat", "lon", "value", "error_sd", "withheld", "label")
_DEFAULTS = TableOptions()


def observation_table(columns: Mapping[str, ArrayLike]) -> pd.DataFrame:
    """Build a table from trusted columns, with the standard order and types.

    Parameters
    ----------
    columns : mapping
        All of :data:`COLUMNS`, each of shape (p,); kind and area where rows are of other kinds.
    """
    kinds = {"variable": "str", "withheld": "bool", "label": "str", "kind": "str", "area": "str"}
    names = (*COLUMNS, *KIND_COLUMNS) if "kind" in columns else COLUMNS
    arrays = {k: np.asarray(columns[k], object) for k in names}
    return pd.DataFrame({k: pd.Series(v, dtype=kinds.get(k, "float64")) for k, v in arrays.items()})


def empty() -> pd.DataFrame:
    """Return a table without observations.

    Returns
    -------
    DataFrame
        The columns of :data:`COLUMNS`, with their types.
    """
    return observation_table(dict.fromkeys(COLUMNS, ()))


def read(
    source: Source, bundle: Bundle, *, month: Any = None, options: TableOptions = _DEFAULTS
) -> Reading:
    """Read and check observations, and convert them to anomalies in display units.

    Parameters
    ----------
    source : Path, str, bytes, DataFrame, Dataset, dict, list of dict or Cells
        As for :func:`mlda_core.observations.loading.load`, or its result. Columns variable, lat,
        lon and value; optionally error_sd (0.2 of the local spread where empty), withheld and
        label. ``kind`` is one of :data:`mlda_core.observations.kinds.KINDS` (value by default),
        and may say absolute for a full value rather than an anomaly; ``area`` is what a row is of,
        other than a place; ``units`` are those of value and error_sd, ``time`` is the month.
        docs/observations.md has the accepted names and forms.
    bundle : Bundle
        Provides the variables, their domains and climatology.
    month : optional
        For the climatology of absolute values and for the default error: any form that
        :func:`mlda_core.climate.months.month_of` accepts, or a calendar month 1..12. Of a table
        with months, only the rows of this one are read. Without it, a table must be of one
        month, or have none; then the default error is the annual mean.
    options : TableOptions

    Returns
    -------
    Reading
        Table, rejected rows and notes.

    Raises
    ------
    ObservationError
        If the source is not an observation table, has no rows of the month, or is of several
        months and none is given.
    """
    seasons = bundle.seasons
    requested, calendar = _requested(month, seasons)
    cells = load(source)
    rows = rows_of(cells, bundle.variables, options, bundle.seasons.step)
    if not cells.has_times:
        rows.month[:] = requested
        checked = _check(rows, bundle, np.full(len(rows), calendar), options)
        return checked.reading(np.ones(len(rows), bool), calendar, cells.rejected)
    held = sorted(set(rows.month) - {""})
    chosen = [m for m in held if requested in ("", m) and calendar in (0, seasons.of_any_year(m))]
    if held and not chosen:
        words = requested or seasons.name(calendar)
        raise ObservationError(
            f"{cells.name} has no observation of {words}; it holds {_span(held)}."
        )
    if len(chosen) > 1:
        raise ObservationError(
            f"{cells.name} has observations of {len(chosen)} months, {_span(chosen)}; say which "
            "month to read."
        )
    checked = _check(rows, bundle, _calendars(rows.month, bundle.seasons), options)
    here = np.isin(rows.month, [*chosen, ""])
    number = seasons.of_any_year(chosen[0]) if chosen else calendar
    return checked.reading(here, number, cells.rejected)


def read_months(
    source: Source, bundle: Bundle, *, options: TableOptions = _DEFAULTS
) -> dict[str, Reading]:
    """Read the observations of many months from one table with months.

    Parameters
    ----------
    source, bundle, options
        As for :func:`read`.

    Returns
    -------
    dict of str to Reading
        By month, ascending. Rows without a valid month, and unparsable ones, are rejected under
        the key ''.

    Raises
    ------
    ObservationError
        If the source is not an observation table, or has no times.
    """
    cells = load(source)
    if not cells.has_times:
        raise ObservationError(
            f"{cells.name} has no column 'time'; add one, or say which month it is of."
        )
    rows = rows_of(cells, bundle.variables, options, bundle.seasons.step)
    checked = _check(rows, bundle, _calendars(rows.month, bundle.seasons), options)
    out = {
        month: checked.reading(rows.month == month, bundle.seasons.of_any_year(month))
        for month in sorted(set(rows.month) - {""})
    }
    lost = checked.reading(rows.month == "", 0, cells.rejected)
    if lost.rejected:
        out[""] = lost
    return out


@dataclass(frozen=True, eq=False)
class _Checked:
    """All rows of a table after the check.

    Parameters
    ----------
    rows : Rows
    bundle : Bundle
    options : TableOptions
    table : DataFrame
        Of all rows; rejected ones are meaningless.
    stated : ndarray of bool, shape (n,)
        Where the error was stated.
    """

    rows: Rows
    bundle: Bundle
    options: TableOptions
    table: pd.DataFrame
    stated: NDArray[np.bool_]

    def reading(
        self, where: NDArray[np.bool_], calendar: int, rejected: tuple[Rejected, ...] = ()
    ) -> Reading:
        """Return the rows of one month; ``calendar`` is 0 if unknown."""
        # Imported at first use: they are needed for reading tables only.
        from mlda_core.observations import least_errors, repeated

        rows = self.rows
        good = np.flatnonzero(where & rows.good)
        table = without_kinds(self.table.iloc[good].reset_index(drop=True))
        notes = list(rows.notes)
        if calendar and len(table):
            notes += least_errors.tell(table, self.stated[good], self.bundle, calendar)
        stamps = pd.Series(rows.stamp[good], dtype="str")
        if self.options.merge_repeated:
            table, repeats = repeated.merge(table, stamps)
        else:
            repeats = repeated.tell(table, stamps)
        refused = [Rejected(int(rows.number[i]), rows.reasons[i]) for i in rows.reasons if where[i]]
        return Reading(table, sorted([*rejected, *refused]), [*notes, *repeats])


def _check(
    rows: Rows, bundle: Bundle, calendar: NDArray[np.int64], options: TableOptions
) -> _Checked:
    # Imported late: half a second that the page's start need not spend.
    from mlda_core.observations.anomalies import to_anomalies

    value, error, stated = to_anomalies(rows, bundle, calendar, keep_codes=options.keep_codes)
    names = np.array([v.name for v in bundle.variables])
    columns = {
        "variable": names[rows.variable],
        "lat": rows.lat,
        "lon": rows.lon,
        "value": value,
        "error_sd": error,
        "withheld": rows.withheld,
        "label": rows.label,
    }
    if not rows.plain[rows.good].all():
        columns |= {"kind": rows.kind, "area": rows.area}
    return _Checked(rows, bundle, options, observation_table(columns), stated)


def _requested(time: Any, seasons: Seasons) -> tuple[str, int]:
    """Return the requested month or day and its season, '' and 0 if none."""
    if time is None:
        return "", 0
    number = isinstance(time, int | np.integer) and not isinstance(time, bool)
    if number and 1 <= time <= seasons.count:
        return "", int(time)
    try:
        text = seasons.step.parse(time)
    except MonthError as error:
        raise ObservationError(str(error)) from error
    return text, seasons.of_any_year(text)


def _calendars(times: NDArray[Any], seasons: Seasons) -> NDArray[np.int64]:
    known = {time: seasons.of_any_year(time) for time in set(times) - {""}}
    return np.array([known.get(time, 0) for time in times], np.int64)


def _span(months: list[str]) -> str:
    return months[0] if len(months) == 1 else f"{months[0]} to {months[-1]}"
