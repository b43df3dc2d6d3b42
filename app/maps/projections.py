"""Map projections as look-up tables, made once per process and shared by every session.

Reprojecting a field with cartopy takes hundreds of milliseconds; looking up which cells a pixel
shows takes a fraction of one. So each projection is turned once into a table (pixel -> cells and
weights), and a frame is one sparse product per map. Coastlines, graticule and the outline of the
globe are projected once as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import cartopy.crs as ccrs
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import sparse

from mlda_core.climate import assets
from mlda_core.climate.grid import Grid
from mlda_core.climate.projections import EDGES, KEYS, PROJECTIONS, REGION, REGION_MARGIN, keys_of

# Maps are 2:1. 400 x 200 pixels a map: 80 kB as bytes, so that eight maps still travel quickly
# over a class room's wireless network, and fine enough that upscaling is not seen at 1080p.
NX, NY = 400, 200

# Every map spans this, whatever the projection: x0, x1, y0, y1. Their own units differ by 100,000,
# and a browser clips a range that jumps so far to the bounds that it had before.
EXTENT = (-2.0, 2.0, -1.0, 1.0)


@dataclass(frozen=True)
class Choice:
    """A projection that people can choose.

    Parameters
    ----------
    key : str
        What the URL says.
    label : str
        What people read.
    """

    key: str
    label: str


# Projections kept: the five, and those of a few regions.
KEPT = 16


@dataclass(frozen=True, eq=False)
class Projection:
    """A projection, ready to draw with.

    Parameters
    ----------
    key : str
        One of `KEYS`.
    crs : cartopy.crs.CRS
        The projection itself, for turning clicks back into longitude and latitude.
    half : float
        What one unit of a map is in the projection's own units: half a map's height.
    coast, graticule, outline : tuple of two ndarrays
        x and y of lines, NaN between them.
    """

    key: str
    crs: ccrs.CRS
    half: float
    coast: tuple[NDArray[np.float64], NDArray[np.float64]]
    graticule: tuple[NDArray[np.float64], NDArray[np.float64]]
    outline: tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class PixelMap:
    """Which cells each pixel of a projection shows.

    Parameters
    ----------
    inside : ndarray of bool, shape (NY, NX)
        Whether the pixel lies on the globe.
    index : ndarray of int32, shape (NY, NX)
        The nearest cell, flat; -1 off the globe.
    weights : scipy.sparse.csr_array, shape (NY * NX, cells)
        Bilinear weights of the cells around each pixel; empty rows off the globe.
    grid_shape : tuple of int
        nlat and nlon.
    """

    inside: NDArray[np.bool_]
    index: NDArray[np.int32]
    weights: sparse.csr_array
    grid_shape: tuple[int, int]

    def project(self, field: NDArray[np.floating]) -> NDArray[np.float32]:
        """Draw a field: bilinear between cells, missing where the nearest cell is missing.

        Parameters
        ----------
        field : ndarray, shape (nlat, nlon)
            NaN where missing.

        Returns
        -------
        ndarray of float32, shape (NY, NX)
            NaN where missing and off the globe.
        """
        flat = np.ascontiguousarray(field, dtype=np.float32).ravel()
        good = np.isfinite(flat)
        if good.all():
            drawn = self.weights @ flat
            drawn[~self.inside.ravel()] = np.nan
            return drawn.reshape(self.inside.shape)
        # Missing neighbours take no part, so that a coast is as warm as the sea beside it.
        total = self.weights @ np.where(good, flat, np.float32(0))
        share = self.weights @ good.astype(np.float32)
        with np.errstate(invalid="ignore", divide="ignore"):
            drawn = total / share
        index = self.index.ravel()
        drawn[(index < 0) | ~good[index]] = np.nan
        return drawn.reshape(self.inside.shape)


def choices_of(grid: Grid) -> tuple[Choice, ...]:
    """Return the projections for a grid's fields, the first of them shown first."""
    labels = {p.key: p.label for p in PROJECTIONS}
    return tuple(Choice(key, labels.get(key, "Region")) for key in keys_of(grid))


def _edges_of(key: str) -> tuple[float, float, float, float]:
    """Return south, north, west and east of a region's map."""
    try:
        south, north, west, east = (float(part) for part in key.removeprefix(REGION).split(","))
    except ValueError:
        raise ValueError(f"'{key[:60]}' is no map of a region; choose another.") from None
    return south, north, west, east


@lru_cache(maxsize=KEPT)
def _region(key: str) -> tuple[ccrs.CRS, float]:
    """Return an equal-area projection of a region, its middle at 0, 0, and half its map's height.

    Equal area, as the scores weigh cells by their areas.
    """
    south, north, west, east = _edges_of(key)
    middle = {"central_longitude": (west + east) / 2, "central_latitude": (south + north) / 2}
    lon, lat = np.linspace(west, east, 61), np.linspace(south, north, 61)
    around = np.concatenate([lon, lon, np.full(61, west), np.full(61, east)])
    up = np.concatenate([np.full(61, south), np.full(61, north), lat, lat])
    plain = ccrs.LambertAzimuthalEqualArea(**middle)
    points = plain.transform_points(ccrs.PlateCarree(), around, up)[:, :2]
    low, high = points.min(axis=0), points.max(axis=0)
    x, y = (low + high) / 2
    width, height = (1 + REGION_MARGIN) * (high - low)
    shifted = ccrs.LambertAzimuthalEqualArea(**middle, false_easting=-x, false_northing=-y)
    return shifted, float(max(width / 4, height / 2))


def crs_of(key: str) -> ccrs.CRS:
    """Return cartopy's projection."""
    if key.startswith(REGION):
        return _region(key)[0]
    for known in PROJECTIONS:
        if known.key == key:
            made: ccrs.CRS = getattr(ccrs, known.cartopy)(central_longitude=known.central_longitude)
            return made
    raise ValueError(f"There is no projection '{key}'; choose one of {', '.join(KEYS)}.")


def to_lonlat(
    key: str, x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Turn places on a map into longitude (0..360) and latitude, degrees.

    Parameters
    ----------
    key : str
        One of `KEYS`.
    x, y : ndarray
        Places within `EXTENT`.
    """
    crs = crs_of(key)
    half = _half(key, crs)
    points = ccrs.PlateCarree().transform_points(crs, np.asarray(x) * half, np.asarray(y) * half)
    return points[..., 0] % 360.0, points[..., 1]


def to_map(
    key: str, lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Turn longitude and latitude into places on a map; NaN where a polar map does not reach.

    Parameters
    ----------
    key : str
        One of `KEYS`.
    lon, lat : ndarray
        Degrees; any turn of longitude.
    """
    crs = crs_of(key)
    half = _half(key, crs)
    points = crs.transform_points(ccrs.PlateCarree(), np.asarray(lon), np.asarray(lat))
    x, y = points[..., 0] / half, points[..., 1] / half
    if key in EDGES:
        edge = EDGES[key]
        beyond = np.asarray(lat) < edge if edge > 0 else np.asarray(lat) > edge
        x, y = np.where(beyond, np.nan, x), np.where(beyond, np.nan, y)
    return x, y


def on_map(key: str, x: float, y: float) -> bool:
    """Whether a place within `EXTENT` lies on the globe as drawn."""
    crs = crs_of(key)
    half = _half(key, crs)
    return bool(shapely.contains_xy(_globe_of(key), half * x, half * y))


def box_to_region(key: str, box: dict[str, Any]) -> tuple[float, float, float, float]:
    """Return the latitudes and longitudes that a box on a map spans.

    Parameters
    ----------
    key : str
        One of `KEYS`.
    box : dict
        x0, x1, y0 and y1 within `EXTENT`.

    Returns
    -------
    tuple of float
        South, north, west and east, degrees; west > east where it crosses Greenwich, and 0 to 360
        where it goes all round.
    """
    x0, x1 = sorted((float(box["x0"]), float(box["x1"])))
    y0, y1 = sorted((float(box["y0"]), float(box["y1"])))
    x, y = (part.ravel() for part in np.meshgrid(np.linspace(x0, x1, 41), np.linspace(y0, y1, 41)))
    half = _half(key, crs_of(key))
    on = shapely.contains_xy(_globe_of(key), half * x, half * y)
    if not on.any():
        return 0.0, 0.0, 0.0, 0.0
    lon, lat = to_lonlat(key, x[on], y[on])
    # The widest gap between neighbours in longitude is what the box leaves out.
    turned = np.sort(lon)
    gaps = np.diff(np.append(turned, turned[0] + 360.0))
    widest = int(np.argmax(gaps))
    south, north = float(lat.min()), float(lat.max())
    if key in EDGES and x0 < 0 < x1 and y0 < 0 < y1:
        south, north = (south, 90.0) if EDGES[key] > 0 else (-90.0, north)
    if gaps[widest] < 30.0:
        return south, north, 0.0, 360.0
    return south, north, float(turned[(widest + 1) % turned.size]), float(turned[widest])


@lru_cache(maxsize=KEPT)
def globe_on_map(key: str) -> shapely.Polygon:
    """Return the outline of the globe as drawn, within `EXTENT`."""
    edge = np.asarray(_globe_of(key).exterior.coords) / _half(key, crs_of(key))
    return shapely.Polygon(edge)


@lru_cache(maxsize=KEPT)
def _globe_of(key: str) -> shapely.Polygon:
    return _globe(key, crs_of(key))


def _half(key: str, crs: ccrs.CRS) -> float:
    if key.startswith(REGION):
        return _region(key)[1]
    if key in EDGES:
        return 1.02 * float(np.hypot(*crs.transform_point(0.0, EDGES[key], ccrs.PlateCarree())))
    x0, x1 = crs.x_limits
    y0, y1 = crs.y_limits
    return float(max((x1 - x0) / 4, (y1 - y0) / 2)) * (1.0 if key == "platecarree" else 1.01)


def _disc(key: str, crs: ccrs.CRS, n: int = 361) -> NDArray[np.float64]:
    lon = np.linspace(0.0, 360.0, n)
    points = crs.transform_points(ccrs.PlateCarree(), lon, np.full(n, EDGES[key]))
    return np.asarray(points[:, :2])


def _globe(key: str, crs: ccrs.CRS) -> shapely.Polygon:
    """Return the part of the plane that is drawn."""
    if key.startswith(REGION):
        half = _region(key)[1]
        return shapely.box(*(half * edge for edge in (EXTENT[0], EXTENT[2], EXTENT[1], EXTENT[3])))
    if key in EDGES:
        return shapely.Polygon(_disc(key, crs))
    return shapely.Polygon(np.asarray(crs.boundary.coords)[:, :2])


def _lines(geometry: shapely.Geometry) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Flatten lines into x and y with NaN between them: one glyph draws them all."""
    xs: list[NDArray[np.float64]] = []
    ys: list[NDArray[np.float64]] = []
    for part in shapely.get_parts(geometry):
        if part.geom_type != "LineString" or part.length == 0:
            continue
        points = np.asarray(part.coords)[:, :2]
        xs += [points[:, 0], np.array([np.nan])]
        ys += [points[:, 1], np.array([np.nan])]
    if not xs:
        return np.array([np.nan]), np.array([np.nan])
    return np.concatenate(xs), np.concatenate(ys)


def _project(
    lines: shapely.MultiLineString, crs: ccrs.CRS, globe: shapely.Polygon, half: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Project lines with cartopy, which cuts them where the map is cut."""
    projected = crs.project_geometry(lines, ccrs.PlateCarree())
    x, y = _lines(shapely.intersection(projected, globe))
    return x / half, y / half


@lru_cache(maxsize=2)
def coastline(scale: Literal["110m", "50m"] = "110m") -> shapely.MultiLineString:
    """Read the bundled Natural Earth coastline, "110m" or "50m"."""
    lon, lat = (degrees.astype(float) for degrees in assets.coastline(scale))
    breaks = np.flatnonzero(~np.isfinite(lon))
    parts = np.split(np.column_stack([lon, lat]), breaks)
    cleaned = [part[np.isfinite(part[:, 0])] for part in parts]
    return shapely.MultiLineString([part for part in cleaned if len(part) > 1])


def _graticule(step: int = 30) -> shapely.MultiLineString:
    lat = np.linspace(-90.0, 90.0, 181)
    lon = np.linspace(-180.0, 180.0, 361)
    meridians = [np.column_stack([np.full(181, v), lat]) for v in range(-180, 180, step)]
    last = 90 - step
    parallels = [np.column_stack([lon, np.full(361, v)]) for v in range(-last, last + 1, step)]
    return shapely.MultiLineString([*meridians, *parallels])


def _around(key: str, lines: shapely.MultiLineString) -> shapely.MultiLineString:
    """Return the lines near a region: the far side of the globe would cross its map."""
    south, north, west, east = _edges_of(key)
    # The map is 2:1, and a region may be any shape: as much again on all sides is always enough.
    height, width = north - south, east - west
    south, north = max(south - height, -90), min(north + height, 90)
    # A map of 2:1 around a narrow region reaches this far east and west.
    reach = max(width, 4 * height / max(np.cos(np.radians(min(abs(south), abs(north), 75))), 0.2))
    boxes = [
        shapely.box(west - reach + turn, south, east + reach + turn, north)
        for turn in (-360, 0, 360)
    ]
    found = shapely.intersection(lines, shapely.union_all(boxes))
    parts = [p for p in shapely.get_parts(found) if p.geom_type == "LineString"]
    return shapely.MultiLineString(parts)


@lru_cache(maxsize=KEPT)
def projection(key: str) -> Projection:
    """Return a projection with its lines, made once per process.

    Parameters
    ----------
    key : str
        One of `KEYS`.
    """
    crs = crs_of(key)
    half = _half(key, crs)
    globe = _globe_of(key)
    edge = np.asarray(globe.exterior.coords)
    coast, graticule = coastline(), _graticule()
    if key.startswith(REGION):
        coast, graticule = _around(key, coastline("50m")), _around(key, _graticule(10))
    return Projection(
        key=key,
        crs=crs,
        half=half,
        coast=_project(coast, crs, globe, half),
        graticule=_project(graticule, crs, globe, half),
        outline=(edge[:, 0] / half, edge[:, 1] / half),
    )


def _neighbours(
    axis: NDArray[np.float64], value: NDArray[np.float64], *, period: float | None
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Return the cells on either side of each value, and the weight of the second."""
    if period is None:
        high = np.clip(np.searchsorted(axis, value), 1, axis.size - 1)
        low = high - 1
        fraction = np.clip((value - axis[low]) / (axis[high] - axis[low]), 0.0, 1.0)
        return low, high, fraction
    shifted = (value - axis[0]) % period
    offsets = np.append(axis - axis[0], period)
    high = np.clip(np.searchsorted(offsets, shifted, side="right"), 1, axis.size)
    fraction = (shifted - offsets[high - 1]) / (offsets[high] - offsets[high - 1])
    return high - 1, high % axis.size, fraction


_PIXEL_MAPS: dict[tuple[str, bytes], PixelMap] = {}


def pixel_map(key: str, grid: Grid) -> PixelMap:
    """Return the pixels of a projection for a grid, made once per process.

    Parameters
    ----------
    key : str
        One of `KEYS`.
    grid : Grid
        The grid of the fields.
    """
    name = (key, grid.lat.tobytes() + grid.lon.tobytes())
    if name not in _PIXEL_MAPS:
        _PIXEL_MAPS[name] = _make_pixel_map(key, grid)
    return _PIXEL_MAPS[name]


def _make_pixel_map(key: str, grid: Grid) -> PixelMap:
    crs = crs_of(key)
    half = _half(key, crs)
    x0, x1, y0, y1 = EXTENT
    dx, dy = (x1 - x0) / NX, (y1 - y0) / NY
    x, y = np.meshgrid(x0 + dx * (np.arange(NX) + 0.5), y0 + dy * (np.arange(NY) + 0.5))
    inside = shapely.contains_xy(_globe(key, crs), half * x.ravel(), half * y.ravel())
    lon, lat = to_lonlat(key, x.ravel()[inside], y.ravel()[inside])

    nlat, nlon = grid.shape
    period = 360.0 if grid.is_global else None
    if period is None:
        # As the region's own longitudes run: past 360 where it lies across Greenwich.
        lon = np.mod(lon - grid.lon_edges[0], 360.0) + grid.lon_edges[0]
    south, north, up = _neighbours(grid.lat, lat, period=None)
    west, east, right = _neighbours(grid.lon, lon, period=period)
    if period is None:
        # A regional bundle: whatever lies outside its cells is off the map.
        on = (lat >= grid.lat_edges[0]) & (lat <= grid.lat_edges[-1])
        on &= lon <= grid.lon_edges[-1]
        inside[np.flatnonzero(inside)[~on]] = False
        south, north, up = south[on], north[on], up[on]
        west, east, right = west[on], east[on], right[on]

    pixels = np.flatnonzero(inside)
    corners = [
        (south * nlon + west, (1 - up) * (1 - right)),
        (south * nlon + east, (1 - up) * right),
        (north * nlon + west, up * (1 - right)),
        (north * nlon + east, up * right),
    ]
    weights = sparse.csr_array(
        (
            np.concatenate([w for _, w in corners]).astype(np.float32),
            (np.tile(pixels, 4), np.concatenate([c for c, _ in corners])),
        ),
        shape=(NX * NY, nlat * nlon),
    )
    nearest = np.where(up < 0.5, south, north) * nlon + np.where(right < 0.5, west, east)
    index = np.full(NX * NY, -1, dtype=np.int32)
    index[pixels] = nearest
    return PixelMap(inside.reshape(NY, NX), index.reshape(NY, NX), weights, grid.shape)
