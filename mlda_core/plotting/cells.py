"""Cells of a grid with their exact edges in any projection: an element and how it is drawn.

GeoViews' own QuadMesh projects the centres of cells and guesses their edges on the map. There the
cells that cross the map's seam are missing, polar maps have a hole, and where cells still wrap,
cartopy cuts them one by one: 9 s a map. Here the edges are projected, and a cell on the seam is
drawn as its two parts.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import geoviews as gv
import holoviews as hv
import numpy as np
import param
from holoviews.core.util import dimension_sanitizer
from numpy.typing import NDArray

from mlda_core.plotting.projections import PLAIN, latitudes

Array = NDArray[np.float64]
# Kept from the seam, in degrees: on it, both sides of the map are the same longitude.
_ASIDE = 1e-7
# Finer differences of edges are round-off.
_LEAST = 1e-6


class Cells(gv.QuadMesh):
    """A field on the cells of a latitude-longitude grid.

    Given by edges, ``(lon_edges, lat_edges, values)``: values of shape (lat, lon), NaN where there
    are none.
    """

    group = param.String(default="Cells", constant=True)


class Quads(NamedTuple):
    """Cells on a map, each as four corners.

    Parameters
    ----------
    x, y : ndarray, shape (n, 4)
        Corners, projection units.
    values : ndarray, shape (n,)
    lon, lat : ndarray, shape (n,)
        Centres, degrees.
    """

    x: Array
    y: Array
    values: Array
    lon: Array
    lat: Array


def project(lon_edges: Array, lat_edges: Array, values: Array, crs: Any) -> Quads:
    """Return the cells that a projection shows.

    Parameters
    ----------
    lon_edges, lat_edges : ndarray, shape (nlon + 1,), (nlat + 1,)
        Ascending, degrees.
    values : ndarray, shape (nlat, nlon)
    crs : cartopy.crs.Projection

    Returns
    -------
    Quads
        Those beyond the edge of a polar map are left out or cut there; those across the seam,
        180 degrees from the central longitude, are there twice, as their two parts.
    """
    seam = float(crs.proj4_params.get("lon_0", 0.0)) - 180.0
    column = np.arange(values.shape[1])
    # From the seam eastward.
    left = (lon_edges[:-1] - seam) % 360.0
    left[left > 360.0 - _LEAST] = 0.0
    right = left + np.diff(lon_edges)
    over = right > 360.0 + _LEAST
    left = np.concatenate([left, np.zeros(over.sum())])
    right = np.concatenate([np.minimum(right, 360.0), right[over] - 360.0])
    column = np.concatenate([column, column[over]])

    south, north = latitudes(crs)
    low, high = (np.clip(edge, south, north) for edge in (lat_edges[:-1], lat_edges[1:]))
    row = np.flatnonzero(high - low > _LEAST)
    low, high = low[row], high[row]

    west, east = (seam + np.clip(edge, _ASIDE, 360.0 - _ASIDE) for edge in (left, right))
    corners = [(west, low), (east, low), (east, high), (west, high)]
    x, y = np.empty((2, row.size, column.size, 4))
    for k, (along, up) in enumerate(corners):
        points = crs.transform_points(PLAIN, *np.meshgrid(along, up))
        x[..., k], y[..., k] = points[..., 0], points[..., 1]
    lat = (lat_edges[row] + lat_edges[row + 1]) / 2
    lon = ((lon_edges[:-1] + lon_edges[1:]) / 2)[column]
    lon, lat = np.meshgrid(lon, lat)
    shown = np.isfinite(x).all(axis=-1) & np.isfinite(y).all(axis=-1)
    field = values[np.ix_(row, column)]
    return Quads(x[shown], y[shown], field[shown], lon[shown], lat[shown])


def _projected(element: Cells, crs: Any) -> Quads:
    lon, lat = (element.interface.coords(element, i, edges=True) for i in (0, 1))
    values = element.dimension_values(2, flat=False)
    return project(np.asarray(lon, float), np.asarray(lat, float), np.asarray(values, float), crs)


def _written(corners: Array) -> list[Any]:
    """Return corners as Bokeh writes them shortest.

    A list of arrays is written array by array: a map of 4,608 cells takes 1.07 MB and 360 ms so,
    0.35 MB and 120 ms as plain numbers. Rounded to a millionth of the map, which is 10 m.
    """
    digits = 6 - int(np.log10(np.abs(corners).max(initial=1.0)))
    rounded = np.round(corners, digits)
    return (rounded.astype(np.int64) if digits <= 0 else rounded).tolist()


def register(backend: str) -> None:
    """Tell HoloViews how a backend draws :class:`Cells`; the backend has been loaded."""
    made = _for_bokeh() if backend == "bokeh" else _for_matplotlib()
    hv.Store.register({Cells: made}, backend)


def _for_bokeh() -> type:
    from geoviews.plotting.bokeh import GeoQuadMeshPlot

    class CellsPlot(GeoQuadMeshPlot):
        """Cells as patches."""

        def get_data(self, element: Cells, ranges: Any, style: dict[str, Any]) -> Any:
            dimensions = [dimension_sanitizer(d.name) for d in element.dimensions()[:3]]
            mapper = self._get_colormapper(element.vdims[0], element, ranges, style)
            colour = {"field": dimensions[2], "transform": mapper}
            # Antialiasing leaves hairs of the paper between cells that only touch; with an edge of
            # their own colour they overlap.
            mapping = {"xs": "xs", "ys": "ys", "fill_color": colour, "line_color": colour}
            if self.static_source:
                return {}, mapping, style
            found = _projected(element, self.projection)
            data = {"xs": _written(found.x), "ys": _written(found.y)}
            data |= dict(zip(dimensions, (found.lon, found.lat, found.values), strict=True))
            return data, mapping, style

    return CellsPlot


def _beyond(artist: Any) -> str:
    """Return at which ends of its limits a field goes on, as Matplotlib's colour bars name them."""
    values, (low, high) = artist.get_array(), artist.get_clim()
    below, above = bool((values < low).any()), bool((values > high).any())
    return {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}[below, above]


def _for_matplotlib() -> type:
    from geoviews.plotting.mpl import GeoQuadMeshPlot
    from matplotlib.collections import PolyCollection

    class CellsPlot(GeoQuadMeshPlot):
        """Cells as polygons, as pixels within PDF and SVG: viewers show hairs between them."""

        def get_data(self, element: Cells, ranges: Any, style: dict[str, Any]) -> Any:
            found = _projected(element, self.projection)
            self._norm_kwargs(element, ranges, style, element.vdims[0])
            # In "norm" too.
            limits = style.pop("vmin", None), style.pop("vmax", None)
            style.setdefault("clim", limits)
            if "norm" in style:
                style.pop("clim")
            corners = np.stack([found.x, found.y], axis=-1)
            return (corners, np.ma.masked_invalid(found.values)), style, {}

        def init_artists(self, ax: Any, plot_args: Any, plot_kwargs: dict[str, Any]) -> Any:
            corners, values = plot_args
            artist = PolyCollection(
                corners,
                array=values,
                antialiaseds=False,
                edgecolors="face",
                linewidths=0.1,
                rasterized=True,
                **plot_kwargs,
            )
            ax.add_collection(artist)
            return {"artist": artist}

        def _draw_colorbar(self, *_given: Any, **_options: Any) -> None:
            """Draw it beside the map; HoloViews' own draws the whole figure for each of them."""
            if "cbar" in self.handles:
                return
            axes = self.handles["axis"]
            beside = axes.inset_axes([1.02, 0.1, 0.02, 0.8])
            artist = self.handles["artist"]
            bar = self.handles["fig"].colorbar(artist, cax=beside, extend=_beyond(artist))
            bar.outline.set_visible(False)
            bar.ax.tick_params(labelsize=self._fontsize("cticks")["fontsize"], length=2)
            # Above the topmost number, which may stand at the bar's very end.
            bar.ax.set_title(
                self.clabel,
                fontsize=self._fontsize("clabel")["fontsize"],
                loc="left",
                pad=4 if bar.extend in ("max", "both") else 9,
            )
            self.handles |= {"cax": beside, "cbar": bar}

    return CellsPlot
