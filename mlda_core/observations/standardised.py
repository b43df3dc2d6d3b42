"""Observations standardised at their places, in the networks' space, and thinned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.interpolation import ObservationError, Places
from mlda_core.climate.sphere import EARTH_RADIUS_KM, unit_vectors
from mlda_core.observations.areas import area_of
from mlda_core.observations.kind import KindError, Terms
from mlda_core.observations.kinds import KINDS, PLAIN, kind_of
from mlda_core.observations.likelihoods import Likelihoods
from mlda_core.observations.operators import (
    climate_line,
    shown_operator,
    standardised_operator,
)
from mlda_core.observations.thresholds import climate_quantiles

if TYPE_CHECKING:
    import pandas as pd

    from mlda_core.bundle.bundle import Bundle
    from mlda_core.climate.combined import CombinedPlaces
    from mlda_core.observations.kind import Kind

# Least standardised error standard deviation: exact observations would make S singular.
LEAST_ERROR = 0.05
# More observations than this are thinned: the cost of factoring S is cubic.
MOST_OBSERVATIONS = 1500


@dataclass(frozen=True, eq=False)
class Observed:
    """Observations of one month, standardised.

    Parameters
    ----------
    places : Places
    value : ndarray, shape (p,)
        Standardised anomalies.
    variance : ndarray, shape (p,)
        Of the standardised observation error.
    likelihoods : Likelihoods, optional
        Of rows of other kinds than values at places. ``value`` and ``variance`` of a row whose
        error is not normal are those of a normal observation that stands for it.
    """

    places: Places
    value: NDArray[np.float64]
    variance: NDArray[np.float64]
    likelihoods: Likelihoods | None = None

    def where(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Observed:
        """Return the observations selected by a mask or an index."""
        likelihoods = None if self.likelihoods is None else self.likelihoods.where(rows)
        return Observed(self.places.where(rows), self.value[rows], self.variance[rows], likelihoods)

    @property
    def quadratic(self) -> NDArray[np.bool_]:
        """Which rows have a normal error, shape (p,)."""
        if self.likelihoods is None:
            return np.ones(len(self), bool)
        return self.likelihoods.quadratic

    @property
    def plain(self) -> NDArray[np.bool_]:
        """Which rows are values at places, with a normal error, shape (p,)."""
        if self.likelihoods is None:
            return np.ones(len(self), bool)
        return self.likelihoods.quadratic & self.likelihoods.at_place

    @property
    def is_gaussian(self) -> bool:
        """Whether all rows have a normal error."""
        return bool(self.quadratic.all())

    def __len__(self) -> int:
        return len(self.value)


def standardise(
    table: pd.DataFrame, bundle: Bundle, month: int, *, error_scale: float = 1.0
) -> Observed:
    """Standardise a table of observations.

    An anomaly is added to the climatology of each corner of its cell, transformed and
    standardised there, and the four results are interpolated, as the observation operator does
    with a field. Its error is scaled by the transform's slope at the climatology, so it depends
    on place and month only.

    Parameters
    ----------
    table : DataFrame
        Columns variable, lat, lon, value, error_sd (display units); kind and area where rows are
        no values at places.
    bundle : Bundle
    month : int
        Calendar month 1..12.
    error_scale : float
        Factor on every ``error_sd``.

    Returns
    -------
    Observed

    Raises
    ------
    ObservationError
        If a variable is unknown, does not exist at a place, or a number is not finite.
    """
    names = [v.name for v in bundle.variables]
    given = table["variable"].to_numpy()
    which = np.array([names.index(v) if v in names else -1 for v in given], dtype=np.int64)
    if (which < 0).any():
        row = int(np.flatnonzero(which < 0)[0])
        raise ObservationError(
            f"Observation {row + 1} is of '{given[row]}', which this model has not; it has "
            f"{', '.join(names)}."
        )
    value = table["value"].to_numpy(np.float64)
    error = table["error_sd"].to_numpy(np.float64) * error_scale
    for name, good in (
        ("a value that is not a number", np.isfinite(value)),
        ("an error_sd that is not a number above 0", np.isfinite(error) & (error > 0)),
    ):
        if not good.all():
            row = int(np.flatnonzero(~good)[0])
            raise ObservationError(f"Observation {row + 1} has {name}; correct it.")
    if "kind" in table:
        return _of_kinds(table, bundle, month, which, error)
    places = bundle.operator.locate(which, table["lat"].to_numpy(), table["lon"].to_numpy())
    moved = _at_places(bundle, places, value, month)
    high, low = (_at_places(bundle, places, sign * error, month) for sign in (1.0, -1.0))
    sd = np.maximum(0.5 * np.abs(high - low), LEAST_ERROR)
    return Observed(places, moved, sd**2)


def _at_places(
    bundle: Bundle, places: Places, value: NDArray[np.float64], month: int
) -> NDArray[np.float64]:
    normaliser = bundle.normaliser
    cells = normaliser.grid.shape[0] * normaliser.grid.shape[1]
    out = np.zeros(len(places))
    for v, transform in enumerate(normaliser.transforms):
        rows = np.flatnonzero(places.variable == v)
        if not rows.size:
            continue
        corners = places.index[rows] - v * cells
        weight = places.weight[rows]
        at = np.where(weight > 0, corners, corners[:, :1])
        mean, centre, spread = (
            np.nan_to_num(field[month - 1, v].ravel()[at], nan=1.0)
            for field in (normaliser.climatology, normaliser.centre, normaliser.spread)
        )
        full = (mean + value[rows, None]).reshape(1, -1)
        moved = transform.at(at.ravel()).forward(full, np.array([month - 1])).reshape(at.shape)
        out[rows] = np.where(weight > 0, (moved - centre) / spread * weight, 0.0).sum(axis=1)
    return out


def _of_kinds(
    table: pd.DataFrame,
    bundle: Bundle,
    month: int,
    which: NDArray[np.int64],
    error: NDArray[np.float64],
) -> Observed:
    """Standardise a table whose rows are of several kinds."""
    value = table["value"].to_numpy(np.float64)
    lat, lon = table["lat"].to_numpy(np.float64), table["lon"].to_numpy(np.float64)
    kinds, areas, parameter = [], [], np.empty(len(table))
    for i, (text, area) in enumerate(zip(table["kind"], table["area"], strict=True)):
        try:
            kind, parameter[i] = kind_of(text)
            areas.append(area_of(area, kind))
        except KindError as problem:
            raise ObservationError(f"Observation {i + 1}: {problem}.") from problem
        kinds.append(kind)
    shown = shown_operator(bundle, which, lat, lon, areas)
    found = standardised_operator(bundle, shown, month)
    at_place = np.array([area is None for area in areas], bool)
    alone = np.flatnonzero(at_place)
    points = bundle.operator.locate(which[alone], lat[alone], lon[alone])

    def moved(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        out = (numbers - found.offset) / found.scale
        out[alone] = _at_places(bundle, points, numbers[alone], month)
        return out

    sd = error / found.scale
    sd[alone] = 0.5 * np.abs(moved(error)[alone] - moved(-error)[alone])
    sd = np.maximum(sd, LEAST_ERROR)
    low, high = np.full(len(table), np.nan), np.full(len(table), np.nan)
    shown_low, shown_high = low.copy(), high.copy()
    slope, offset = climate_line(bundle, month)
    classes = np.array([kind.classes for kind in kinds], bool)
    if classes.any():
        rows = np.flatnonzero(classes)
        ends = _class_ends(bundle, found.places, kinds, value, parameter, rows, month)
        for end, own, seen in ((ends[0], low, shown_low), (ends[1], high, shown_high)):
            own[rows] = end
            line = bundle.operator.apply(shown, slope), bundle.operator.apply(shown, offset)
            # Of a place by its climate's line; of others by the operator's.
            by_place = line[1][rows] + line[0][rows] * end
            by_area = found.offset[rows] + found.scale[rows] * end
            seen[rows] = np.where(at_place[rows], by_place, by_area)
    for key in dict.fromkeys(kind.key for kind in kinds if not kind.classes):
        rows = np.flatnonzero(np.array([kind.key == key for kind in kinds]))
        ends = KINDS[key].interval(value[rows])
        for end, own, seen in ((ends[0], low, shown_low), (ends[1], high, shown_high)):
            seen[rows] = end
            finite = np.isfinite(end)
            whole = np.zeros(len(table))
            whole[rows] = np.where(finite, end, 0.0)
            own[rows] = np.where(finite, moved(whole)[rows], end)
    says = np.isnan(low)
    standard = np.where(says, moved(np.where(says, value, 0.0)), np.nan)
    terms = Terms(standard, low, high, sd, parameter)
    keys = np.array([kind.key for kind in kinds], object).astype(str)
    likelihoods = Likelihoods(
        keys, terms, shown, np.where(says, value, np.nan), shown_low, shown_high, at_place
    )
    if all(kind.key == PLAIN for kind in kinds) and at_place.all():
        return Observed(points, standard, sd**2)
    return Observed(found.places, np.where(says, standard, 0.0), sd**2, likelihoods)


def _class_ends(  # noqa: PLR0917 - of one table
    bundle: Bundle,
    places: Places | CombinedPlaces,
    kinds: list[Kind],
    value: NDArray[np.float64],
    parameter: NDArray[np.float64],
    rows: NDArray[np.int64],
    month: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the ends of classes, by quantiles of the climate, of the given rows."""
    low, high = np.empty(len(rows)), np.empty(len(rows))
    for key in dict.fromkeys(kinds[i].key for i in rows):
        mine = np.array([kinds[i].key == key for i in rows])
        low[mine], high[mine] = KINDS[key].probabilities(value[rows][mine], parameter[rows][mine])
    at = places.where(rows)
    return climate_quantiles(bundle, at, low, month), climate_quantiles(bundle, at, high, month)


def thin(
    places: Places, variance: NDArray[np.float64], most: int = MOST_OBSERVATIONS
) -> NDArray[np.int64]:
    """Select which of many observations to use; the same rule for every method.

    Each variable gets an equal part of ``most``, or fewer if it has fewer. The sphere is divided
    into as many boxes of about equal area as needed; in each box the most accurate observation
    of a variable is used, and among equals the one nearest to the centre.

    Parameters
    ----------
    places : Places
    variance : ndarray, shape (p,)
        Of the observation errors.
    most : int
        Maximum number to select.

    Returns
    -------
    ndarray of int
        Selected rows, ascending.
    """
    if len(places) <= most:
        return np.arange(len(places))
    groups = [np.flatnonzero(places.variable == v) for v in np.unique(places.variable)]
    groups.sort(key=len)
    chosen: list[NDArray[np.int64]] = []
    left = most
    for i, rows in enumerate(groups):
        quota = left // (len(groups) - i)
        kept = rows if rows.size <= quota else _thin_one(places, variance, rows, quota)
        chosen.append(kept)
        left -= kept.size
    return np.sort(np.concatenate(chosen))


def thin_observed(observed: Observed, most: int = MOST_OBSERVATIONS) -> NDArray[np.int64]:
    """Select which of many observations to use, as :func:`thin`; of values at places only.

    Parameters
    ----------
    observed : Observed
    most : int

    Returns
    -------
    ndarray of int
        Selected rows, ascending: all means, bounds and reports, as long as they are not too many.
    """
    if len(observed) <= most or observed.likelihoods is None:
        return thin(observed.places, observed.variance, most)
    plain = np.flatnonzero(observed.plain)
    others = np.flatnonzero(~observed.plain)
    left = most - others.size
    if left < most // 10 or not plain.size:
        return thin(observed.places, observed.variance, most)
    kept = plain[thin(observed.places.where(plain), observed.variance[plain], left)]
    return np.sort(np.concatenate([others, kept]))


def _thin_one(
    places: Places, variance: NDArray[np.float64], rows: NDArray[np.int64], quota: int
) -> NDArray[np.int64]:
    lat, lon = places.lat[rows], places.lon[rows]
    # Boxes cover the whole sphere; a regional network occupies only some of them.
    few, many = 1, 400
    best = rows[:quota]
    while few <= many:
        bands = (few + many) // 2
        box, distance = _boxes(lat, lon, bands)
        order = np.lexsort((distance, np.round(variance[rows], 6), box))
        first = order[np.unique(box[order], return_index=True)[1]]
        if first.size <= quota:
            best, few = rows[first], bands + 1
        else:
            many = bands - 1
    return best


def _boxes(
    lat: NDArray[np.float64], lon: NDArray[np.float64], bands: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return each point's box, of about equal areas, and its distance from the box's centre."""
    height = 180.0 / bands
    band = np.clip(((lat + 90.0) / height).astype(np.int64), 0, bands - 1)
    middle = np.asarray(-90.0 + (band + 0.5) * height, np.float64)
    count = np.maximum(1, np.rint(2 * bands * np.cos(np.radians(middle)))).astype(np.int64)
    column = np.minimum((np.mod(lon, 360.0) / 360.0 * count).astype(np.int64), count - 1)
    east = np.asarray((column + 0.5) * 360.0 / count, np.float64)
    gap = 1.0 - (unit_vectors(lat, lon) * unit_vectors(middle, east)).sum(axis=1)
    return band * (4 * bands) + column, np.asarray(gap, np.float64)


def cover(places: Places, grid_points: NDArray[np.float64], within_km: float) -> NDArray[np.bool_]:
    """Whether each point (q, 3) has an observation within a distance, shape (q,)."""
    if not len(places):
        return np.zeros(len(grid_points), dtype=bool)
    least = np.cos(within_km / EARTH_RADIUS_KM)
    points = unit_vectors(places.lat, places.lon)
    return np.asarray((grid_points @ points.T).max(axis=1) >= least)


def count_places(places: Places) -> int:
    """Count distinct places; repeated places add no spatial information."""
    return len(np.unique(np.round(np.stack([places.lat, places.lon], axis=1), 6), axis=0))
