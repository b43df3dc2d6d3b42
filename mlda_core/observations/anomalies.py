"""Convert typed rows to anomalies in display units: units, climatology and base period."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.interpolation import ObservationError, ObservationOperator, Places
from mlda_core.climate.places import place
from mlda_core.climate.seasons import MONTHLY
from mlda_core.climate.units import UnitsError, are_per_month, to_display
from mlda_core.observations import base_period, missing_codes
from mlda_core.observations.areas import area_of
from mlda_core.observations.cells import quoted
from mlda_core.observations.default_errors import default_error, spread_of
from mlda_core.observations.kinds import kind_of
from mlda_core.observations.operators import shown_operator
from mlda_core.observations.rows import Rows

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.climate.variables import Variable

Float = NDArray[np.float64]
# An anomaly beyond this many times the colour limit (about the 99th percentile) is a full field,
# in another unit or mistyped; smaller outliers are left to the analysis.
ABSURD = 10.0


def to_anomalies(
    rows: Rows, bundle: Bundle, calendar: NDArray[np.int64], *, keep_codes: bool
) -> tuple[Float, Float, NDArray[np.bool_]]:
    """Convert rows to the bundle's anomalies; rows that cannot be converted are refused.

    Parameters
    ----------
    rows : Rows
        Reasons for refusal are added to it.
    bundle : Bundle
        Provides the variables, their domains and climatology.
    calendar : ndarray of int, shape (n,)
        Calendar month of each row, 0 if unknown.
    keep_codes : bool
        Whether to keep values that look like missing-value codes.

    Returns
    -------
    value, error : ndarray, shape (n,)
        Display units; unstated errors have the default.
    stated : ndarray of bool, shape (n,)
        Where the error was stated.
    """
    value, error = _in_display_units(rows, bundle, calendar)
    _check_places(rows, bundle)
    areas = rows.areas

    def operator(here: NDArray[np.bool_]) -> Places:
        at = np.flatnonzero(here)
        return shown_operator(
            bundle, rows.variable[at], rows.lat[at], rows.lon[at], [areas[i] for i in at]
        )

    rows.refuse(
        rows.absolute & (calendar == 0),
        "its kind is absolute, which needs a month to tell the anomaly; give one",
    )
    for month in np.unique(calendar[rows.absolute & rows.good]):
        here = rows.absolute & rows.good & (calendar == month)
        value[here] -= bundle.operator.apply(operator(here), bundle.climatology(int(month)))
    _move_base(rows, value, bundle, calendar, operator)
    if not keep_codes:
        _refuse_codes(rows, value, bundle)
    _refuse_absurd(rows, value, error, bundle)
    stated = np.isfinite(rows.error)
    names = np.array([v.name for v in bundle.variables])
    for month in np.unique(calendar):
        here = rows.good & ~stated & (calendar == month)
        others = here & ~rows.plain
        if others.any():
            kinds = [kind_of(k)[0] for k in rows.kind[others]]
            error[others] = spread_of(bundle, operator(others), int(month) or None) * np.array(
                [kind.default_error for kind in kinds]
            )
            here &= rows.plain
        if here.any():
            error[here] = default_error(
                bundle,
                list(names[rows.variable[here]]),
                int(month) or None,
                rows.lat[here],
                rows.lon[here],
            )
    return value, error, stated


def _in_display_units(
    rows: Rows, bundle: Bundle, calendar: NDArray[np.int64]
) -> tuple[Float, Float]:
    value, error = rows.value.copy(), rows.error.copy()
    days = _days(rows.month, calendar, bundle)
    says_class = rows.says_class
    for v, variable in enumerate(bundle.variables):
        of_it = rows.variable == v
        # Without units of its own, an error is in those of its value.
        of_error = np.where(rows.error_units != "", rows.error_units, rows.value_units)
        for given, is_value in ((rows.value_units, True), (of_error, False)):
            stated = of_it & (given != "") & (is_value | np.isfinite(rows.error))
            if is_value:
                stated &= ~says_class
            for units, n_days in _kinds(given, days, stated & rows.good):
                here = stated & rows.good & (given == units)
                here &= (days == n_days) | (n_days < 0)
                try:
                    scale, offset = to_display(units, variable, days=max(n_days, 0) or None)
                except UnitsError as problem:
                    rows.refuse(here, f"{problem}" if is_value else f"its error: {problem}")
                    continue
                if is_value:
                    value[here] = value[here] * scale + offset * rows.absolute[here]
                else:
                    error[here] *= scale
        if variable.non_negative:
            rows.refuse(
                of_it & rows.good & rows.absolute & (value < 0),
                f"{variable.label.lower()} cannot be negative, and its kind is absolute",
            )
    return value, error


def _days(months: NDArray[Any], calendar: NDArray[np.int64], bundle: Bundle) -> NDArray[np.int64]:
    """Return the days of each row's month, 0 if unknown: February without a year.

    An amount a month of a daily bundle is one of no day.
    """
    if bundle.seasons is not MONTHLY:
        return np.zeros(len(months), np.int64)
    of_calendar = {m: monthrange(2001, m)[1] if m != 2 else 0 for m in range(1, 13)} | {0: 0}
    known = {m: monthrange(int(m[:4]), int(m[5:7]))[1] for m in set(months) - {""}}
    return np.array(
        [known.get(m) or of_calendar[int(c)] for m, c in zip(months, calendar, strict=True)],
        np.int64,
    )


def _kinds(
    given: NDArray[Any], days: NDArray[np.int64], where: NDArray[np.bool_]
) -> list[tuple[str, int]]:
    """Return the distinct units, with the days of the month for monthly amounts, else -1."""
    return [
        (units, int(n))
        for units in dict.fromkeys(given[where])
        for n in (np.unique(days[where & (given == units)]) if are_per_month(units) else [-1])
    ]


def _check_places(rows: Rows, bundle: Bundle) -> None:
    good = rows.good
    exists = np.zeros(len(rows), bool)
    for i in np.flatnonzero(good & (rows.area != "")):
        area = area_of(rows.area[i], kind_of(rows.kind[i])[0])
        try:
            shown_operator(bundle, rows.variable[[i]], rows.lat[[i]], rows.lon[[i]], [area])
        except ObservationError:
            variable = bundle.variables[rows.variable[i]]
            rows.reasons[int(i)] = (
                f"its area '{quoted(rows.area[i])}' has no {variable.label.lower()}; choose "
                "another area or variable"
            )
    # What an area does not say, its own place says: it may be that of a difference.
    good = rows.good & (rows.area == "")
    exists[good] = bundle.operator.observable(rows.variable[good], rows.lat[good], rows.lon[good])
    for i in np.flatnonzero(good & ~exists):
        variable, lat, lon = bundle.variables[rows.variable[i]], rows.lat[i], rows.lon[i]
        why = _why_not(variable, bundle, lat, lon)
        rows.reasons[int(i)] = (
            f"there is no {variable.label.lower()} at {place(lat, lon, 2)}: {why}"
        )


def _why_not(variable: Variable, bundle: Bundle, lat: float, lon: float) -> str:
    """Return why a variable cannot be observed at a place."""
    every = ObservationOperator(bundle.grid, np.ones((1, *bundle.grid.shape), bool))
    if not every.observable(0, lat, lon).all():
        return "that is outside the model's grid"
    other = {"sea": "that is land", "land": "that is sea"}
    return other.get(variable.domain, "the model has no values there")


def _move_base(
    rows: Rows,
    value: Float,
    bundle: Bundle,
    calendar: NDArray[np.int64],
    operator: Callable[[NDArray[np.bool_]], Places],
) -> None:
    """Convert anomalies from other base periods to the bundle's own."""
    offsets: dict[tuple[Any, int], Float] = {}
    moved: dict[tuple[str, str], int] = {}
    anomaly = ~rows.absolute & (rows.base_period != "") & ~rows.says_class
    of_class = rows.says_class & (rows.base_period != "")
    if of_class.any():
        rows.refuse(
            of_class & (rows.base_period != bundle.base_period),
            "the classes of a report are those of the model's own base period, "
            f"{quoted(bundle.base_period)}; leave its base period out",
        )
    for words in dict.fromkeys(rows.base_period[anomaly & rows.good]):
        for v, variable in enumerate(bundle.variables):
            here = anomaly & rows.good & (rows.base_period == words) & (rows.variable == v)
            if not here.any():
                continue
            try:
                if base_period.is_own(bundle, variable, words):
                    continue
                period = base_period.period_of(words)
            except base_period.BasePeriodError as problem:
                rows.refuse(here, str(problem).rstrip("."))
                continue
            rows.refuse(
                here & (calendar == 0),
                f"its base period is {period}, which needs a month to be moved to the model's; "
                "give one",
            )
            for month in np.unique(calendar[here & rows.good]):
                now = here & rows.good & (calendar == month)
                key = (period, int(month))
                if key not in offsets:
                    offsets[key] = base_period.offset(bundle, int(month), period)
                step = bundle.operator.apply(operator(now), offsets[key])
                value[now] += step
                lost = now.copy()
                lost[now] = ~np.isfinite(step)
                rows.refuse(
                    lost,
                    f"its base period is {period}, of which the model's months have too few there "
                    f"to move it to the model's own ({quoted(bundle.base_period)}); give its "
                    "anomaly from that, or an absolute value",
                )
            count = int((here & rows.good).sum())
            moved[str(period), variable.name] = count
    for (period_words, name), count in moved.items():
        if count:
            rows.notes.append(
                f"Anomalies of {name} from {period_words} are moved to the model's base period, "
                f"{bundle.base_period}."
            )


def _refuse_codes(rows: Rows, value: Float, bundle: Bundle) -> None:
    limit = np.array([v.anomaly_limit for v in bundle.variables])[rows.variable]
    good = rows.good & ~rows.says_class
    for i in np.flatnonzero(good & missing_codes.is_impossible_code(rows.value, value, limit)):
        rows.reasons[int(i)] = (
            f"value {rows.value[i]:g} is a code for a missing value, and none that "
            f"{bundle.variables[rows.variable[i]].label.lower()} can have; {missing_codes.REMEDY}"
        )
    # Count stations, not rows: repeated rows are handled elsewhere.
    place = np.unique(np.stack([rows.lat, rows.lon], axis=1), axis=0, return_inverse=True)[1]
    for v, variable in enumerate(bundle.variables):
        for units in dict.fromkeys(rows.value_units[good & (rows.variable == v)]):
            here = good & rows.good & (rows.variable == v) & (rows.value_units == units)
            found = missing_codes.repeated_extremes(
                rows.value[here], value[here], variable.anomaly_limit, place.reshape(-1)[here]
            )
            for extreme, places in found.items():
                rows.refuse(
                    here & (rows.value == extreme),
                    f"value {extreme:g} stands at {places} places and beyond all others, as a code "
                    f"for a missing value does; {missing_codes.REMEDY}",
                )


def _refuse_absurd(rows: Rows, value: Float, error: Float, bundle: Bundle) -> None:
    for v, variable in enumerate(bundle.variables):
        limit, units = ABSURD * variable.anomaly_limit, variable.anomaly_units
        mine = (rows.variable == v) & rows.good
        for i in np.flatnonzero(mine & ~rows.says_class & ~(np.abs(value) <= limit)):
            rows.reasons[int(i)] = (
                f"an anomaly of {value[i]:.4g} {units} is none that {variable.label.lower()} can "
                f"have (at most {limit:g}); correct its value, kind or units"
            )
        for i in np.flatnonzero(mine & rows.good & (error > limit)):
            rows.reasons[int(i)] = (
                f"an error of {error[i]:.4g} {units} is more than any anomaly that "
                f"{variable.label.lower()} can have (at most {limit:g}); correct it or its units"
            )
        # A tiny error times a small factor can round to zero.
        rows.refuse(mine & rows.good & (error <= 0), "error_sd is zero in the model's units")
