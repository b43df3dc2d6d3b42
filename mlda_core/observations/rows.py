"""Typed rows of an observation table: parsed numbers, variables, kinds and flags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.interpolation import ObservationError
from mlda_core.climate.time_step import MONTH, TimeStep
from mlda_core.climate.variables import Variable
from mlda_core.observations import missing_codes
from mlda_core.observations.areas import Area, area_of
from mlda_core.observations.cells import Cells, is_nan, quoted, shown
from mlda_core.observations.kind import Kind, KindError
from mlda_core.observations.kinds import KINDS, PLAIN, kind_of, spelled
from mlda_core.observations.number_cells import DEGREES, Numbers, read_numbers
from mlda_core.observations.options import TableOptions
from mlda_core.observations.times import months_of_rows

Float = NDArray[np.float64]
_WITHHELD = {
    **dict.fromkeys(("true", "t", "yes", "y", "1", "1.0"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0", "0.0", ""), False),
}
_ABSOLUTE = {
    **dict.fromkeys(("anomaly", "anomalies", "anom", ""), False),
    **dict.fromkeys(("absolute", "absolutes", "abs"), True),
}
_MEANINGS = {
    "lat": "is no latitude, a number from -90 to 90",
    "lon": "is no longitude, a number of degrees east",
    "value": "is no number",
    "error_sd": "is no error, a number above 0",
}
# Longitudes of any usual range, but no missing-value codes.
_MOST_LON = 720.0


@dataclass(eq=False)
class Rows:
    """Typed rows. Rejected rows have a reason; their other entries are meaningless.

    Parameters
    ----------
    variable : ndarray of int, shape (n,)
        Index of the variable in the state.
    lat, lon : ndarray, shape (n,)
        Degrees; longitudes within 0..360.
    value, error : ndarray, shape (n,)
        As given; the error is NaN if not stated.
    value_units, error_units : ndarray of str, shape (n,)
        '' for display units; for errors, '' for those of the value.
    absolute, withheld : ndarray of bool, shape (n,)
    kind : ndarray of str, shape (n,)
        As :func:`mlda_core.observations.kinds.spelled`.
    area : ndarray of str, shape (n,)
        '' for the row's own place.
    label : ndarray of str, shape (n,)
    base_period : ndarray of str, shape (n,)
        '' for the bundle's own.
    month : ndarray of str, shape (n,)
        ``YYYY-MM``, '' if there is none.
    stamp : ndarray of str, shape (n,)
        The time as given.
    number : ndarray of int, shape (n,)
        Row number as the user counts.
    reasons : dict of int to str
        The first reason for rejecting a row, by index from 0.
    notes : list of str
    """

    variable: NDArray[np.int64]
    lat: Float
    lon: Float
    value: Float
    error: Float
    value_units: NDArray[Any]
    error_units: NDArray[Any]
    absolute: NDArray[np.bool_]
    withheld: NDArray[np.bool_]
    kind: NDArray[Any]
    area: NDArray[Any]
    label: NDArray[Any]
    base_period: NDArray[Any]
    month: NDArray[Any]
    stamp: NDArray[Any]
    number: NDArray[np.int64]
    reasons: dict[int, str]
    notes: list[str]

    def __len__(self) -> int:
        return len(self.number)

    @property
    def plain(self) -> NDArray[np.bool_]:
        """Mask of rows that are values at places, shape (n,)."""
        return np.asarray((self.kind == PLAIN) & (self.area == ""), bool)

    @property
    def says_class(self) -> NDArray[np.bool_]:
        """Mask of rows whose value is a class, shape (n,)."""
        return np.array([KINDS[k.partition("(")[0]].classes for k in self.kind], bool)

    @property
    def areas(self) -> list[Area | None]:
        """What each row is of; None for its own place, and for a rejected row."""
        return [
            None if i in self.reasons else area_of(text, kind_of(kind)[0])
            for i, (text, kind) in enumerate(zip(self.area, self.kind, strict=True))
        ]

    @property
    def good(self) -> NDArray[np.bool_]:
        """Mask of rows without a reason for rejection, shape (n,)."""
        out = np.ones(len(self), bool)
        out[list(self.reasons)] = False
        return out

    def refuse(self, where: NDArray[np.bool_], reason: str) -> None:
        """Reject rows that are not rejected yet, with a reason."""
        for i in np.flatnonzero(where):
            self.reasons.setdefault(int(i), reason)


def rows_of(
    cells: Cells,
    variables: Sequence[Variable],
    options: TableOptions,
    step: TimeStep = MONTH,
) -> Rows:
    """Convert the cells of a table to typed rows.

    Parameters
    ----------
    cells : Cells
    variables : sequence of Variable
        Of the model, in the order of the state.
    options : TableOptions
    step : TimeStep
        Of the model.

    Returns
    -------
    Rows

    Raises
    ------
    ObservationError
        If a required column is missing, or a whole column is invalid.
    """
    roles, n = cells.roles, len(cells)
    _check_degrees(roles.units)

    def column(role: str) -> NDArray[Any]:
        at = roles.at.get(role)
        return np.full(n, None, object) if at is None else cells.columns[at]

    def words(role: str) -> list[str]:
        return [shown(cell) for cell in column(role)]

    reasons: dict[int, str] = {}
    which, unknown = _variables(words("variable"), variables)
    reasons.update(unknown)
    kinds = _kinds(words("kind"), words("area"), reasons)
    value_cells = _classes(column("value"), kinds, which, variables, reasons)
    lat_cells, lon_cells = _centres(column("lat"), column("lon"), kinds)
    numbers = read_numbers(
        {"value": value_cells, "error_sd": column("error_sd")},
        {"lat": lat_cells, "lon": lon_cells},
    )
    lat, lon, value, error = (numbers[k].values for k in ("lat", "lon", "value", "error_sd"))
    unstated = np.array([not shown(c) for c in column("error_sd")], bool)
    for role, fine in (
        ("lat", np.abs(lat) <= 90.0),
        ("lon", np.abs(lon) <= _MOST_LON),
        ("value", np.isfinite(value)),
        ("error_sd", unstated | (np.isfinite(error) & (error > 0))),
    ):
        given = {"value": value_cells, "lat": lat_cells, "lon": lon_cells}.get(role)
        cells_of = column(role) if given is None else given
        _refuse_numbers(reasons, role, cells_of, numbers[role], fine)
    withheld = _meanings("withheld", words("withheld"), _WITHHELD, "is neither true nor false")
    for i, reason in withheld[1].items():
        reasons.setdefault(i, reason)
    if not options.keep_codes:
        _refuse_codes(reasons, value, np.where(unstated, np.nan, error))
    value_units, clash = _value_units(
        words("units"), numbers["value"].units, roles.units.get("value", ""), n
    )
    for i, reason in clash.items():
        reasons.setdefault(i, reason)
    attached = numbers["error_sd"].units
    error_units = np.where(attached != "", attached, roles.units.get("error_sd", ""))
    base, clash = _base_periods(cells, words("base_period"), options)
    for i, reason in clash.items():
        reasons.setdefault(i, reason)
    notes = [*cells.notes, *roles.notes]
    month, stamp = np.full(n, "", object), np.full(n, "", object)
    if cells.has_times:
        month, late, more = months_of_rows(cells, options.day_first, step)
        # A missing month takes precedence over other faults: the row belongs to no month.
        reasons.update(late)
        notes += more
        stamp = _stamps(cells)
    lon = np.mod(np.where(np.isfinite(lon), lon, 0.0), 360.0)
    return Rows(
        variable=which,
        lat=lat,
        # Longitudes just west of Greenwich can round to 360.
        lon=np.where(lon == 360.0, 0.0, lon),
        value=value,
        error=np.where(unstated, np.nan, error),
        value_units=value_units,
        error_units=error_units.astype(object),
        absolute=np.array([row.absolute for row in kinds], bool),
        withheld=withheld[0],
        kind=np.array([spelled(row.kind, row.parameter) for row in kinds], object),
        area=np.array([row.area_text for row in kinds], object),
        label=np.array([_label(c) for c in column("label")], object),
        base_period=base,
        month=month,
        stamp=stamp,
        number=cells.rows,
        reasons=reasons,
        notes=notes,
    )


@dataclass
class _RowKind:
    """Kind and area of a row, as its cells say."""

    kind: Kind
    parameter: float
    area_text: str
    area: Area | None
    absolute: bool


def _kinds(words: Sequence[str], areas: Sequence[str], reasons: dict[int, str]) -> list[_RowKind]:
    """Read kinds and areas; rows that say none that is known are rejected."""
    usual, number = kind_of("")
    out = []
    for i, (text, area) in enumerate(zip(words, areas, strict=True)):
        row = _RowKind(usual, number, "", None, absolute=False)
        if text or area:
            try:
                row = _kind(text, area)
            except KindError as problem:
                reasons.setdefault(i, str(problem))
        out.append(row)
    return out


def _kind(text: str, area_text: str) -> _RowKind:
    left, absolute = [], False
    for word in text.replace(",", " ").split():
        meaning = _ABSOLUTE.get(word.lower())
        if meaning is None:
            left.append(word)
        absolute |= bool(meaning)
    kind, parameter = kind_of(" ".join(left))
    if absolute and kind.classes:
        raise KindError(f"a {kind.key} has no absolute value; leave absolute out of its kind")
    area = area_of(area_text, kind)
    if absolute and area is not None and area.minus is not None:
        raise KindError("a difference of absolute values has no climatology; give its anomaly")
    return _RowKind(
        kind, parameter, "" if area is None else " ".join(area_text.split()), area, absolute
    )


def _classes(
    cells: NDArray[Any],
    kinds: Sequence[_RowKind],
    which: NDArray[np.int64],
    variables: Sequence[Variable],
    reasons: dict[int, str],
) -> NDArray[Any]:
    """Return the cells of ``value`` with words of classes as numbers."""
    if not any(row.kind.classes for row in kinds):
        return cells
    out = cells.astype(object).copy()
    for i, row in enumerate(kinds):
        if not row.kind.classes:
            continue
        try:
            out[i], row.parameter = row.kind.class_of(
                shown(cells[i]), variables[which[i]], row.parameter
            )
        except KindError as problem:
            reasons.setdefault(i, str(problem))
            out[i] = 0.0
    return out


def _centres(
    lat: NDArray[Any], lon: NDArray[Any], kinds: Sequence[_RowKind]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return latitudes and longitudes, with where an area is shown in empty cells."""
    if all(row.area is None for row in kinds):
        return lat, lon
    lat, lon = lat.astype(object).copy(), lon.astype(object).copy()
    for i, row in enumerate(kinds):
        centre = None if row.area is None else row.area.centre
        if centre is not None and not shown(lat[i]) and not shown(lon[i]):
            lat[i], lon[i] = centre
    return lat, lon


def _check_degrees(units: dict[str, str]) -> None:
    for role, side_meant in (("lat", "north"), ("lon", "east")):
        given = units.get(role, "").strip()
        found = DEGREES.fullmatch(given) if given else None
        side = (found["side"] or "")[:1].lower() if found else ""
        if given and (not found or side not in ("", side_meant[0])):
            raise ObservationError(
                f"The column '{role}' is in '{quoted(given)}'; give it in degrees {side_meant}."
            )


def _variables(
    words: Sequence[str], variables: Sequence[Variable]
) -> tuple[NDArray[np.int64], dict[int, str]]:
    known = {v.standard_name.lower(): i for i, v in enumerate(variables)}
    # Two variables may share a standard name, at two heights for instance; then use names only.
    names = [v.standard_name.lower() for v in variables]
    known = {k: i for k, i in known.items() if names.count(k) == 1}
    known |= {v.name.lower(): i for i, v in enumerate(variables)}
    known |= {v.name: i for i, v in enumerate(variables)}
    which = np.array([known.get(w, known.get(w.lower(), -1)) for w in words], np.int64)
    every = ", ".join(v.name for v in variables)
    reasons = {}
    for i in map(int, np.flatnonzero(which < 0)):
        word = words[i]
        reasons[i] = (
            f"variable '{quoted(word)}' is no variable of this model, which has {every}"
            if word
            else "variable is empty"
        )
    return np.maximum(which, 0), reasons


def _refuse_numbers(
    reasons: dict[int, str],
    role: str,
    cells: NDArray[Any],
    found: Numbers,
    fine: NDArray[np.bool_],
) -> None:
    for i in np.flatnonzero(~fine):
        cell = cells[i]
        text = quoted(f"{cell:g}" if isinstance(cell, float) and not is_nan(cell) else shown(cell))
        why = found.reasons.get(int(i)) or _MEANINGS[role]
        # Name the column rather than quote an empty cell.
        reasons.setdefault(int(i), f"{role} '{text}' {why}" if text else f"{role} is empty")


def _meanings(
    role: str, words: Sequence[str], known: dict[str, bool], meaning: str
) -> tuple[NDArray[np.bool_], dict[int, str]]:
    found = [known.get(w.lower()) for w in words]
    reasons = {
        i: f"{role} '{quoted(words[i])}' {meaning}" for i, yes in enumerate(found) if yes is None
    }
    return np.array([bool(yes) for yes in found], bool), reasons


def _refuse_codes(reasons: dict[int, str], value: Float, error: Float) -> None:
    for i in np.flatnonzero(missing_codes.is_code(value)):
        reasons.setdefault(
            int(i), f"value {value[i]:g} is a code for a missing value; {missing_codes.REMEDY}"
        )
    for i in np.flatnonzero(missing_codes.is_code(error)):
        # Overrides an earlier reason: a negative error is the more helpful message.
        reasons[int(i)] = (
            f"error_sd {error[i]:g} is a code for a missing value; leave the cell empty for the "
            "default error"
        )


def _value_units(
    words: Sequence[str], attached: NDArray[Any], whole: str, n: int
) -> tuple[NDArray[Any], dict[int, str]]:
    out, clash = np.full(n, "", object), {}
    for i, word in enumerate(words):
        given = dict.fromkeys(u for u in (attached[i], word, whole) if u)
        out[i] = next(iter(given), "")
        if len({u.replace(" ", "").casefold() for u in given}) > 1:
            both = " and ".join(f"'{quoted(u)}'" for u in given)
            clash[i] = f"its value is in {both}; leave one of these units"
    return out, clash


def _base_periods(
    cells: Cells, words: Sequence[str], options: TableOptions
) -> tuple[NDArray[Any], dict[int, str]]:
    stated, requested = cells.base_period.strip(), (options.base_period or "").strip()
    if stated and requested and stated.casefold() != requested.casefold():
        raise ObservationError(
            f"{cells.name} has anomalies from '{quoted(stated)}', and not from "
            f"'{quoted(requested)}'; leave one of the two base periods out."
        )
    default = requested or stated
    out, clash = np.array([w or default for w in words], object), {}
    for i, word in enumerate(words):
        if word and default and word.casefold() != default.casefold():
            clash[i] = (
                f"its base period is '{quoted(word)}', and that of the table '{quoted(default)}'; "
                "leave one"
            )
    return out, clash


def _stamps(cells: Cells) -> NDArray[Any]:
    """Return the time of each row as given, from all time columns."""
    at = [i for t in cells.roles.times for i in (t.date, t.year, t.month) if i >= 0]
    # Separate day or hour columns distinguish rows too.
    at += [i for i, name in enumerate(cells.names) if name.strip().lower() in {"day", "hour", "dd"}]
    return np.array(
        [" ".join(shown(cells.columns[i][row]) for i in at) for row in range(len(cells))], object
    )


def _label(cell: Any) -> str:
    # Unlike for numbers: a station may be called NA.
    return "" if cell is None or cell is np.ma.masked or is_nan(cell) else str(cell).strip()
