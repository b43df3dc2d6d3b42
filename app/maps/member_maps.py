"""All members of an ensemble in one picture: as stamps, or as contours of one value.

Pure functions of arrays; `app.charts.members` draws what they return.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from contourpy import contour_generator
from numpy.typing import NDArray

from app.maps.color_scales import OUTSIDE, quantise
from app.maps.outlines import on_map
from app.maps.projections import EXTENT, pixel_map
from app.maps.projections import projection as shown_as

if TYPE_CHECKING:
    from mlda_core.climate.grid import Grid

Field = NDArray[np.floating]
Coordinates = NDArray[np.float32]
Lines = list[tuple[list[float], list[float]]]
# Pixels of a map that one of a stamp stands for, each way: fifty stamps then have 250 kB.
COARSE = 4
# Pixels of a stamp, at most: coasts are no finer. Islands of fewer points are left out.
FINEST, LEAST_POINTS = 140, 6


def stamps(
    fields: Field, grid: Grid, projection: str, limit: float, columns: int
) -> NDArray[np.uint8]:
    """Draw small maps of many fields, left to right and from the top.

    Parameters
    ----------
    fields : ndarray, shape (n, lat, lon)
        NaN where missing.
    grid : Grid
    projection : str
        Key of the projection.
    limit : float
        Value of the last colour, either way of zero.
    columns : int
        Stamps in a row.

    Returns
    -------
    ndarray of uint8, shape (rows * height, columns * width)
        Palette indices, the first row at the bottom as Bokeh draws it.
    """
    pixels = pixel_map(projection, grid)
    inside = pixels.inside[::COARSE, ::COARSE]
    height, width = inside.shape
    rows = -(-len(fields) // columns)
    out = np.full((rows * height, columns * width), OUTSIDE, np.uint8)
    for i, field in enumerate(fields):
        image = quantise(pixels.project(field)[::COARSE, ::COARSE].copy(), -limit, limit)
        image[~inside] = OUTSIDE
        y, x = (rows - 1 - i // columns) * height, (i % columns) * width
        out[y : y + height, x : x + width] = image
    return out


def coasts(projection: str, n: int, columns: int) -> tuple[Coordinates, Coordinates]:
    """Return the coasts of all stamps in one line, in stamps from the left and from the bottom.

    Parameters
    ----------
    projection : str
        Key of the projection.
    n : int
        Number of stamps.
    columns : int

    Returns
    -------
    x, y : ndarray of float32
        NaN between two parts.
    """
    x0, x1, y0, y1 = EXTENT
    coast_x, coast_y = (np.asarray(values, np.float64) for values in shown_as(projection).coast)
    x, y = _thinned((coast_x - x0) / (x1 - x0), (coast_y - y0) / (y1 - y0))
    at, rows = np.arange(n), -(-n // columns)
    gap = np.full((n, 1), np.nan)
    left = np.hstack([at[:, None] % columns + x, gap])
    up = np.hstack([rows - 1 - at[:, None] // columns + y, gap])
    return left.ravel().astype(np.float32), up.ravel().astype(np.float32)


def _thinned(x: Field, y: Field) -> tuple[Field, Field]:
    """Leave out what is finer than a pixel of a stamp: islands, and all points between two."""
    fine = np.stack([np.rint(x * FINEST), np.rint(y * FINEST)])
    same = (fine[:, 1:] == fine[:, :-1]).all(axis=0)
    kept = np.append(True, ~same)
    x, y = x[kept], y[kept]
    gaps = np.flatnonzero(np.isnan(x))
    parts = np.split(np.arange(x.size), gaps)
    whole = np.concatenate([part for part in parts if part.size > LEAST_POINTS])
    return x[whole], y[whole]


def member_at(x: float, y: float, n: int, columns: int) -> int | None:
    """Return the number of the stamp at a place of the picture, from 0; None beside them.

    Parameters
    ----------
    x, y : float
        In stamps, from the left and from the top.
    n : int
        Number of members.
    columns : int
    """
    if not (0 <= x < columns and y >= 0):
        return None
    at = int(y) * columns + int(x)
    return at if at < n else None


def contours(field: Field, grid: Grid, level: float, projection: str) -> Lines:
    """Return the contour of one value on the map.

    Parameters
    ----------
    field : ndarray, shape (lat, lon)
        NaN where missing.
    grid : Grid
    level : float
    projection : str
        Key of the projection.

    Returns
    -------
    list of (list, list)
        Coordinates on the map, a pair for each line, cut where the map is.
    """
    lon = grid.lon
    if grid.is_global:
        # Round the globe: the first meridian again at the end.
        lon = np.append(lon, lon[0] + 360.0)
        field = np.concatenate([field, field[:, :1]], axis=1)
    masked = np.ma.masked_invalid(np.asarray(field, np.float64))
    made: Any = contour_generator(lon, grid.lat, masked, line_type="Separate")
    return on_map([(line[:, 1], line[:, 0]) for line in made.lines(level)], projection)
