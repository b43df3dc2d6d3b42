"""Observation operators of a table: places, means over regions, differences.

In standardised anomalies, a mean is not a mean: each cell counts by its own spread. For rain, whose
transform is curved, the operator is linearised by its slope over the climate (statistical
linearisation, Gelb 1974, section 6.2): exact on average over the prior, and small errors cancel in
a mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.combined import CombinedPlaces, combine
from mlda_core.climate.interpolation import ObservationError, Places
from mlda_core.climate.regions import Region, region_mask
from mlda_core.observations.areas import Area, Spot

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle

Array = NDArray[np.float64]
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(5)
_SHARE = (_WEIGHTS / _WEIGHTS.sum())[:, None, None, None]


def shown_operator(
    bundle: Bundle,
    variable: NDArray[np.int64],
    lat: Array,
    lon: Array,
    areas: Sequence[Area | None],
) -> Places:
    """Return the operator on fields in display units.

    Parameters
    ----------
    bundle : Bundle
    variable : ndarray of int, shape (p,)
        Rows of the variables in the state.
    lat, lon : ndarray, shape (p,)
        Degrees: of the places, or where a region is shown.
    areas : sequence of Area or None, length p

    Returns
    -------
    Places
        The bundle's own operator where all rows are at places.

    Raises
    ------
    ObservationError
        If a variable does not exist there.
    """
    if all(area is None for area in areas):
        return bundle.operator.locate(variable, lat, lon)
    parts = [_terms(bundle, int(v), lat[i], lon[i], areas[i], i) for i, v in enumerate(variable)]
    gridded = np.array([_gridded(area) for area in areas], bool)
    return combine(
        parts,
        np.asarray(lat, np.float64),
        np.mod(np.asarray(lon, np.float64), 360.0),
        gridded,
    )


class Standardised(NamedTuple):
    """An operator on standardised anomalies.

    Parameters
    ----------
    places : Places
    scale, offset : ndarray, shape (p,)
        A value y in display units is ``(y - offset) / scale`` standardised, for combined places.
    """

    places: Places
    scale: Array
    offset: Array


def standardised_operator(bundle: Bundle, shown: Places, month: int) -> Standardised:
    """Return the operator on standardised anomalies.

    Parameters
    ----------
    bundle : Bundle
    shown : Places
        On fields in display units.
    month : int
        Calendar month 1..12.

    Returns
    -------
    Standardised
        Rows at a single place keep their interpolation of standardised anomalies, with scale and
        offset of the climate there.
    """
    if not isinstance(shown, CombinedPlaces):
        return Standardised(shown, np.ones(len(shown)), np.zeros(len(shown)))
    slope, offset = climate_line(bundle, month)
    points = shown.points
    # Each corner by its own slope; the weights of a point still sum to one.
    by_corner = points.weight * slope.ravel()[points.index]
    by_point = by_corner.sum(axis=1)
    centre = (points.weight * offset.ravel()[points.index]).sum(axis=1)
    size = np.bincount(shown.row, np.abs(shown.coefficient), len(shown)).astype(np.float64)
    weighted = np.abs(shown.coefficient) * by_point
    scale = np.bincount(shown.row, weighted, len(shown)).astype(np.float64) / size
    constant = np.bincount(shown.row, shown.coefficient * centre, len(shown)).astype(np.float64)
    coefficient = shown.coefficient * by_point / scale[shown.row]
    # A single place keeps its interpolation of standardised anomalies, as values have it.
    single = np.bincount(shown.row, minlength=len(shown)) == 1
    alone = single[shown.row] & (shown.coefficient == 1.0)
    coefficient = np.where(alone, 1.0, coefficient)
    weight = np.where(alone[:, None], points.weight, by_corner / by_point[:, None])
    points = replace(points, weight=weight)
    parts: list[list[tuple[Array | float, Places]]] = [
        [(coefficient[shown.row == i], points.where(np.flatnonzero(shown.row == i)))]
        for i in range(len(shown))
    ]
    places = combine(parts, shown.lat, shown.lon, shown.gridded)
    return Standardised(places, scale, constant)


def climate_line(bundle: Bundle, month: int) -> tuple[Array, Array]:
    """Return slope and offset of the line that turns standardised anomalies to display units.

    Parameters
    ----------
    bundle : Bundle
    month : int
        Calendar month 1..12.

    Returns
    -------
    slope, offset : ndarray, shape (V, lat, lon)
        Of the least squared error over N(0, 1); the slope is at least a small number.
    """
    x = np.broadcast_to(_NODES[:, None, None, None], (len(_NODES), *bundle.mask.shape))
    fields = bundle.normaliser.restore(x.astype(np.float64), np.full(len(_NODES), month))
    away = np.nan_to_num(fields - bundle.climatology(month))
    slope = (_SHARE * x * away).sum(axis=0)
    return np.maximum(slope, 1e-6), np.asarray((_SHARE * away).sum(axis=0))


def _gridded(area: Area | None) -> bool:
    if area is None:
        return False
    return all(isinstance(part, Region) for part in (area.first, area.minus or area.first))


def _terms(
    bundle: Bundle, variable: int, lat: float, lon: float, area: Area | None, row: int
) -> list[tuple[Array | float, Places]]:
    def spot(north: float, east: float) -> Places:
        return bundle.operator.locate([variable], [north], [east])

    if area is None:
        return [(1.0, spot(lat, lon))]
    terms: list[tuple[Array | float, Places]] = []
    for sign, part in ((1.0, area.first), (-1.0, area.minus)):
        if isinstance(part, Spot):
            terms.append((sign, spot(part.lat, part.lon)))
        elif part is not None:
            coefficient, places = _mean(bundle, variable, part, row)
            terms.append((sign * coefficient, places))
        elif sign > 0:
            terms.append((1.0, spot(lat, lon)))
    return terms


def _mean(bundle: Bundle, variable: int, region: Region, row: int) -> tuple[Array, Places]:
    """Return weights of cells, and the cells as places."""
    grid = bundle.grid
    weight = (region_mask(grid, region) * grid.weights * bundle.mask[variable]).ravel()
    cells = np.flatnonzero(weight > 0)
    if not cells.size:
        raise ObservationError(
            f"Observation {row + 1} is of {region.short}, where its variable does not exist on "
            "this grid; choose another area or variable."
        )
    n_lat, n_lon = grid.shape
    index = np.repeat((variable * n_lat * n_lon + cells)[:, None], 4, axis=1)
    corner = np.zeros((cells.size, 4))
    corner[:, 0] = 1.0
    lat, lon = np.unravel_index(cells, grid.shape)
    places = Places(
        index,
        corner,
        np.full(cells.size, variable, np.int64),
        np.asarray(grid.lat[lat], np.float64),
        np.mod(np.asarray(grid.lon[lon], np.float64), 360.0),
    )
    return weight[cells] / weight[cells].sum(), places
