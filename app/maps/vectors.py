"""Two variables that are one vector, as arrows on the maps of the others: pure functions.

An arrow stands where a lattice of the map has a point, not where the grid has a cell, so that maps
of every projection are filled evenly. It points where a particle carried by the vector would go on
the map, and is as long as the vector is large, by one scale for the whole map.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import sparse

from app.maps.projections import EXTENT, PixelMap, globe_on_map, to_lonlat, to_map

if TYPE_CHECKING:
    from mlda_core.climate.grid import Grid
    from mlda_core.climate.variables import Variable

# A map is 4 wide and 2 high. At 1080p, where it is 560 pixels wide, a spacing of 22 pixels: denser,
# arrows of the usual size touch each other; wider, a cyclone has four.
SPACING = 0.16
# The arrow of the key is as long, so that neighbours meet where the vector is as large.
KEY_LENGTH = SPACING
# Longer ones would cross their neighbours' neighbours; shorter ones would be dots.
LONGEST, SHORTEST = 2.5 * SPACING, 0.12 * SPACING
# The head's share of an arrow, its most, and how far its barbs spread.
HEAD, HEAD_MOST, HEAD_ANGLE = 0.42, 0.05, np.radians(26)
# Tail, tip, barb, tip, barb, and a gap: all arrows of a map are one line.
POINTS = 6

Float = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Lattice:
    """Where arrows stand in a projection, and how they turn there.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        Places on the map.
    weights : scipy.sparse.csr_array, shape (n, cells)
        Bilinear weights of the cells around each place.
    east, north : ndarray, shape (2, n)
        Steps on the map (x, y) for a metre eastward and northward, up to one factor.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    weights: sparse.csr_array
    east: NDArray[np.float64]
    north: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Arrows:
    """The arrows of one column of maps.

    Parameters
    ----------
    x, y : ndarray of float32, shape (POINTS * n,)
        One line on the map; NaN between arrows and for those that are not drawn.
    key : float
        Size of the vector whose arrow is `KEY_LENGTH` long, display units.
    """

    x: Float
    y: Float
    key: float


_LATTICES: dict[tuple[str, bytes], Lattice] = {}


def lattice(key: str, grid: Grid, pixels: PixelMap) -> Lattice:
    """Return where arrows stand, made once per process.

    Parameters
    ----------
    key : str
        Of the projection.
    grid : Grid
        Of the fields.
    pixels : PixelMap
        The same projection and grid.
    """
    name = (key, grid.lat.tobytes() + grid.lon.tobytes())
    if name not in _LATTICES:
        if len(_LATTICES) > 16:
            _LATTICES.clear()
        _LATTICES[name] = _make_lattice(key, pixels)
    return _LATTICES[name]


def _make_lattice(key: str, pixels: PixelMap) -> Lattice:
    x0, x1, y0, y1 = EXTENT
    # Every other row half a step aside: no columns that a flow along them would hide in.
    rows = np.arange(y0 + SPACING / 2, y1, SPACING * np.sqrt(3) / 2)
    places = [
        (np.arange(x0 + SPACING / 2 * (1 + i % 2), x1, SPACING), row) for i, row in enumerate(rows)
    ]
    x = np.concatenate([along for along, _ in places])
    y = np.concatenate([np.full(along.size, row) for along, row in places])
    ny, nx = pixels.inside.shape
    column = np.clip(((x - x0) / (x1 - x0) * nx).astype(int), 0, nx - 1)
    row = np.clip(((y - y0) / (y1 - y0) * ny).astype(int), 0, ny - 1)
    # Not at the very edge: half of an arrow would be off the globe, and a step over the edge comes
    # back at the other side of the map.
    inner = globe_on_map(key).buffer(-SPACING / 4)
    keep = pixels.inside[row, column] & shapely.contains_xy(inner, x, y)
    x, y, row, column = x[keep], y[keep], row[keep], column[keep]
    # The centre of its pixel is as good as the place itself, a hundredth of the map away at most.
    weights = sparse.csr_array(pixels.weights[row * nx + column])
    lon, lat = to_lonlat(key, x, y)
    keep = np.abs(lat) < 89.0
    x, y, lon, lat, weights = x[keep], y[keep], lon[keep], lat[keep], weights[keep]
    small = 1e-3  # degrees
    east = _step(key, lon, lat, small / np.cos(np.radians(lat)), np.zeros_like(lat))
    north = _step(key, lon, lat, np.zeros_like(lat), np.full_like(lat, small))
    return Lattice(x, y, weights, east, north)


def _step(
    key: str,
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    d_lon: NDArray[np.float64],
    d_lat: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the way on the map over a step both ways, shape (2, n)."""
    ends = [np.array(to_map(key, lon + s * d_lon, lat + s * d_lat)) for s in (-0.5, 0.5)]
    return np.asarray(ends[1] - ends[0])


def key_value(limit: float) -> float:
    """Return the size that the key shows: the greatest of 1, 2, 5, 10 ... below 3/4 of a limit.

    >>> key_value(7.0), key_value(1.4), key_value(20.0)
    (5.0, 1.0, 10.0)
    """
    if not np.isfinite(limit) or limit <= 0:
        return 1.0
    most = 0.75 * limit
    power = 10.0 ** np.floor(np.log10(most))
    return float(f"{max(s for s in (1, 2, 5) if s * power <= most) * power:.3g}")


def draw_arrows(
    east: NDArray[np.floating], north: NDArray[np.floating], places: Lattice, limit: float
) -> Arrows:
    """Draw a vector field.

    Parameters
    ----------
    east, north : ndarray, shape (lat, lon)
        Components, display units; NaN where missing: there is no arrow.
    places : Lattice
        Of the projection.
    limit : float
        What the components' colours end at: the key follows from it.

    Returns
    -------
    Arrows
    """
    key = key_value(limit)
    u, v = (
        places.weights @ np.ascontiguousarray(f, dtype=np.float32).ravel() for f in (east, north)
    )
    size = np.hypot(u, v)
    way = places.east * u + places.north * v
    norm = np.hypot(*way)
    length = np.minimum(size * (KEY_LENGTH / key), LONGEST)
    with np.errstate(invalid="ignore", divide="ignore"):
        unit = way / norm
    unit[:, ~((length >= SHORTEST) & (norm > 0))] = np.nan
    return Arrows(*_outline(places.x, places.y, unit, length), key)


def _outline(
    x: NDArray[np.floating],
    y: NDArray[np.floating],
    unit: NDArray[np.floating],
    length: NDArray[np.floating],
) -> tuple[Float, Float]:
    """Return arrows centred on places as one line each, with their heads."""
    way = unit * length
    tip = np.array([x, y]) + way / 2
    head = np.minimum(HEAD * length, HEAD_MOST)
    cos, sin = np.cos(HEAD_ANGLE), np.sin(HEAD_ANGLE)
    turned = [
        np.array([cos * unit[0] - s * sin * unit[1], s * sin * unit[0] + cos * unit[1]])
        for s in (1, -1)
    ]
    barbs = [tip - head * way_back for way_back in turned]
    gap = np.full_like(tip, np.nan)
    line = np.stack([tip - way, tip, barbs[0], tip, barbs[1], gap], axis=2).astype(np.float32)
    return line[0].ravel(), line[1].ravel()


def key_arrow(x: float, y: float) -> tuple[Float, Float]:
    """Return the arrow of the key, eastward from a place on the map."""
    one = np.ones(1)
    return _outline(
        np.array([x + KEY_LENGTH / 2]), np.array([y]), np.array([one, 0 * one]), KEY_LENGTH * one
    )


@lru_cache(maxsize=32)
def stretched(variables: tuple[Variable, ...], scale: int) -> tuple[Variable, ...]:
    """Return variables whose colours of anomalies end a few times sooner.

    Parameters
    ----------
    variables : tuple of Variable
    scale : int
        An option of the setting ``scale`` of `ObservationSettings`.
    """
    if scale == 1:
        return variables
    return tuple(replace(v, anomaly_limit=v.anomaly_limit / scale) for v in variables)
