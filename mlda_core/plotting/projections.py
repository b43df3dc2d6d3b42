"""Map projections, with coastlines that are projected once and kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import cartopy.crs as ccrs
import holoviews as hv
import numpy as np
import shapely
from numpy.typing import NDArray

from mlda_core.climate import projections
from mlda_core.climate.assets import coastline
from mlda_core.plotting.look import PlotError

if TYPE_CHECKING:
    from mlda_core.climate.grid import Grid

PLAIN = ccrs.PlateCarree()


class _NoText:
    """A projection that is no text.

    HoloViews compares each axes' projection with '3d' several times, and pyproj looks for a
    projection of that name in its database: 0.2 s of processor time each.
    """

    def __eq__(self, other: object) -> bool:
        return not isinstance(other, str) and super().__eq__(other)

    def __hash__(self) -> int:
        return super().__hash__()


class _Robinson(_NoText, ccrs.Robinson):
    pass


class _PlateCarree(_NoText, ccrs.PlateCarree):
    pass


class _NorthPolarStereo(_NoText, ccrs.NorthPolarStereo):
    pass


class _SouthPolarStereo(_NoText, ccrs.SouthPolarStereo):
    pass


class _LambertAzimuthalEqualArea(_NoText, ccrs.LambertAzimuthalEqualArea):
    pass


_CLASSES = {
    "Robinson": _Robinson,
    "PlateCarree": _PlateCarree,
    "NorthPolarStereo": _NorthPolarStereo,
    "SouthPolarStereo": _SouthPolarStereo,
}
GLOBAL: dict[str, Any] = {
    p.key: _CLASSES[p.cartopy](central_longitude=p.central_longitude)
    for p in projections.PROJECTIONS
}
PROJECTIONS = (*GLOBAL, "region")


@dataclass(frozen=True, eq=False)
class Frame:
    """A projection and what of it is drawn.

    Parameters
    ----------
    crs : cartopy.crs.Projection
    limits : tuple of float
        x0, x1, y0 and y1 of the map, projection units.
    coast : hv.Path
        Coastlines in projection units, one line with NaN between the pieces.
    outline : hv.Path
        Where the map ends, projection units.
    """

    crs: Any
    limits: tuple[float, float, float, float]
    coast: hv.Path
    outline: hv.Path


def frame_of(projection: str, grid: Grid) -> Frame:
    """Return a projection, ready to draw a grid's fields with.

    Parameters
    ----------
    projection : str
        One of :data:`PROJECTIONS`; '' for the one that suits the grid: ``robinson`` for the globe,
        ``region`` for less.
    grid : Grid

    Raises
    ------
    PlotError
        If there is no such projection, or the grid is too large for a map of a region.
    """
    south, north = (float(edge) for edge in grid.lat_edges[[0, -1]])
    west, east = (float(edge) for edge in grid.lon_edges[[0, -1]])
    small = not grid.is_global and east - west <= 180.0 and north - south <= 90.0
    name = projection or ("region" if small else "robinson")
    if name not in PROJECTIONS:
        raise PlotError(f"There is no projection '{name}'; use one of {', '.join(PROJECTIONS)}.")
    if name != "region":
        return _global(name)
    if not small:
        raise PlotError(
            "This grid is too large for a map of a region; use one of " + ", ".join(GLOBAL) + "."
        )
    return _region(south, north, west, east)


def is_polar(crs: Any) -> bool:
    """Whether a projection is one of the polar maps, which end before the equator."""
    return isinstance(crs, ccrs.Stereographic) and abs(crs.proj4_params["lat_0"]) == 90.0


def latitudes(crs: Any) -> tuple[float, float]:
    """Return the southernmost and northernmost latitude that a projection draws."""
    if not is_polar(crs):
        return -90.0, 90.0
    edge = projections.POLAR_EDGE
    return (edge, 90.0) if crs.proj4_params["lat_0"] > 0 else (-90.0, -edge)


@lru_cache(maxsize=len(GLOBAL))
def _global(name: str) -> Frame:
    crs = GLOBAL[name]
    south, north = latitudes(crs)
    if is_polar(crs):
        edge = south if south > 0 else north
        radius = float(np.hypot(*crs.transform_point(0.0, edge, PLAIN)))
        outline = shapely.Point(0, 0).buffer(radius, quad_segs=90).exterior
    else:
        outline = crs.boundary
    lines = _coastline("110m") & shapely.box(-181, south, 181, north)
    coast = _path(crs.project_geometry(_lines(lines), PLAIN))
    x0, y0, x1, y1 = outline.bounds
    # Half of the outline's line lies outside of it.
    aside = 0.004 * (y1 - y0)
    return Frame(crs, (x0 - aside, x1 + aside, y0 - aside, y1 + aside), coast, _path(outline))


@lru_cache(maxsize=8)
def _region(south: float, north: float, west: float, east: float) -> Frame:
    """Equal-area, as the scores weigh cells by their areas."""
    crs = _LambertAzimuthalEqualArea((west + east) / 2, (south + north) / 2)
    lon, lat = np.linspace(west, east, 61), np.linspace(south, north, 61)
    around = np.concatenate([lon, lon, np.full(61, west), np.full(61, east)])
    up = np.concatenate([np.full(61, south), np.full(61, north), lat, lat])
    points = crs.transform_points(PLAIN, around, up)[:, :2]
    low, high = points.min(axis=0), points.max(axis=0)
    margin = projections.REGION_MARGIN * (high - low)
    (x0, y0), (x1, y1) = low - margin, high + margin
    # Only what is near: the far side of the globe would cross the map.
    reach = shapely.union_all(
        [
            shapely.box(west - 20 + turn, south - 10, east + 20 + turn, north + 10)
            for turn in (-360, 0, 360)
        ]
    )
    lines = crs.project_geometry(_lines(_coastline("50m") & reach), PLAIN)
    box = shapely.box(x0, y0, x1, y1)
    limits = (float(x0), float(x1), float(y0), float(y1))
    return Frame(crs, limits, _path(lines & box), _path(box.exterior))


@lru_cache(maxsize=2)
def _coastline(scale: Literal["110m", "50m"]) -> shapely.MultiLineString:
    points = np.stack(coastline(scale), axis=1).astype(np.float64)
    pieces = np.split(points, np.flatnonzero(np.isnan(points[:, 0])))
    cleaned = [piece[np.isfinite(piece[:, 0])] for piece in pieces]
    return shapely.MultiLineString([piece for piece in cleaned if len(piece) > 1])


def _lines(geometry: Any) -> shapely.MultiLineString:
    parts = shapely.get_parts(geometry)
    return shapely.MultiLineString(
        [p for p in parts if p.geom_type in ("LineString", "LinearRing") and not p.is_empty]
    )


def _path(lines: Any) -> hv.Path:
    """Return lines as one: drawing takes twice as long with a glyph a piece."""
    parts: list[NDArray[np.float64]] = []
    for line in _lines(lines).geoms:
        parts += [np.asarray(line.coords)[:, :2], np.full((1, 2), np.nan)]
    return hv.Path([np.concatenate(parts)] if parts else [], ["x", "y"])
