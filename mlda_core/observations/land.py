"""Land-sea mask at places."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from mlda_core.climate.assets import ASSETS

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle

Float = NDArray[np.float64]


def on_land(bundle: Bundle, lat: Float, lon: Float) -> NDArray[np.bool_]:
    """Whether places lie on land.

    Parameters
    ----------
    bundle : Bundle
        Land is where its first sea variable is missing; without one, by Natural Earth's map at
        110m.
    lat, lon : ndarray, shape (p,)
        Degrees.

    Returns
    -------
    ndarray of bool, shape (p,)
    """
    sea = next((i for i, v in enumerate(bundle.variables) if v.domain == "sea"), None)
    if sea is None:
        return np.asarray(shapely.contains_xy(natural_earth(), (lon + 180.0) % 360.0 - 180.0, lat))
    row, column = cell_of(bundle, lat, lon)
    return np.asarray(~bundle.mask[sea][row, column])


def cell_of(bundle: Bundle, lat: Float, lon: Float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the row and column of the cell that contains each place, or of the nearest one."""
    grid = bundle.grid
    begin = grid.lon_edges[0]
    row = np.searchsorted(grid.lat_edges, lat, "right") - 1
    column = np.searchsorted(grid.lon_edges, np.mod(lon - begin, 360.0) + begin, "right") - 1
    return np.clip(row, 0, grid.lat.size - 1), np.clip(column, 0, grid.lon.size - 1)


@lru_cache(maxsize=1)
def natural_earth() -> Any:
    """Return the land polygons of the packaged map, prepared for spatial queries."""
    with np.load(ASSETS / "coastlines" / "land_110m.npz", allow_pickle=False) as file:
        lon, lat, hole = file["lon"], file["lat"], file["hole"]
    rings = np.split(np.stack([lon, lat], axis=1), np.flatnonzero(np.isnan(lon)))
    shapes = [shapely.make_valid(shapely.Polygon(r[np.isfinite(r[:, 0])])) for r in rings]
    land = shapely.union_all([s for s, h in zip(shapes, hole, strict=True) if not h])
    lakes = shapely.union_all([s for s, h in zip(shapes, hole, strict=True) if h])
    land = shapely.difference(land, lakes)
    shapely.prepare(land)
    return land
