"""The maps of a page without a server: those of the plotting package, as one Bokeh document.

The cells of a field are pixels of an image here: a browser fills eight images in the time in which
it draws the patches of one map.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import holoviews as hv
import numpy as np
from bokeh.document import Document
from bokeh.embed.util import standalone_docs_json_and_render_items
from bokeh.models import (
    ColumnDataSource,
    HoverTool,
    Patches,
)
from bokeh.models.annotations import ColorBar
from bokeh.models.renderers import GlyphRenderer
from bokeh.plotting import figure
from numpy.typing import NDArray

from mlda_core.plotting.look import PlotError, look_of
from mlda_core.plotting.maps import field_map
from mlda_core.plotting.projections import PLAIN, Frame, frame_of, latitudes

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.climate.grid import Grid

# Pixels of a map, which is 300 to 450 wide on a screen; Bokeh colours them all in each frame.
WIDE = 320
COLUMNS = {"target": "Target", "model": "Model", "difference": "Model − target"}
# Of a pixel off the globe.
OUTSIDE = 65_535


class Pixels(NamedTuple):
    """Which cell each pixel of a map shows.

    Parameters
    ----------
    cell : ndarray of uint16, shape (ny, nx)
        Flat index of the nearest cell, south first; OUTSIDE off the globe.
    middle : ndarray of float32, shape (2, lat * lon)
        x and y of the cells' centres, projection units.
    limits : tuple of float
        x0, x1, y0 and y1 of the map, projection units.
    """

    cell: NDArray[np.uint16]
    middle: NDArray[np.float32]
    limits: tuple[float, float, float, float]


def pixels_of(grid: Grid) -> Pixels:
    """Return the pixels of the projection that suits a grid.

    Raises
    ------
    PlotError
        If the grid has more cells than two bytes can tell apart.
    """
    if np.prod(grid.shape) >= OUTSIDE:
        raise PlotError(
            f"A grid of {grid.shape[0]} x {grid.shape[1]} cells is too fine for a page without a "
            "server; export a bundle on a coarser one."
        )
    frame: Frame = frame_of("", grid)
    x0, x1, y0, y1 = frame.limits
    ny = round(WIDE * (y1 - y0) / (x1 - x0))
    x = x0 + (x1 - x0) * (np.arange(WIDE) + 0.5) / WIDE
    y = y0 + (y1 - y0) * (np.arange(ny) + 0.5) / ny
    points = PLAIN.transform_points(frame.crs, *np.meshgrid(x, y))
    lon, lat = points[..., 0], points[..., 1]
    south, north = latitudes(frame.crs)
    with np.errstate(invalid="ignore"):
        on = np.isfinite(lon) & np.isfinite(lat) & (lat >= south) & (lat <= north)
    # Beyond the seam a projection gives longitudes too: back on the map they are elsewhere.
    back = frame.crs.transform_points(PLAIN, np.where(on, lon, 0.0), np.where(on, lat, 0.0))
    near = 1e-3 * (x1 - x0)
    on &= np.hypot(back[..., 0] - x[None, :], back[..., 1] - y[:, None]) < near
    turned = np.mod(np.where(on, lon, 0.0) - grid.lon_edges[0], 360.0) + grid.lon_edges[0]
    row = np.searchsorted(grid.lat_edges, np.where(on, lat, 0.0), side="right") - 1
    column = np.searchsorted(grid.lon_edges, turned, side="right") - 1
    nlat, nlon = grid.shape
    on &= (row >= 0) & (row < nlat) & (column >= 0) & (column < nlon)
    cell = np.where(on, row * nlon + column, OUTSIDE).astype(np.uint16)
    centres = frame.crs.transform_points(PLAIN, *np.meshgrid(grid.lon, grid.lat))
    middle = np.stack([centres[..., 0].ravel(), centres[..., 1].ravel()]).astype(np.float32)
    return Pixels(cell, middle, frame.limits)


def document_of(bundle: Bundle) -> dict[str, Any]:
    """Return the maps as Bokeh's own document, with the element that each is to stand in.

    Parameters
    ----------
    bundle : Bundle

    Returns
    -------
    dict
        ``docs`` and ``items`` for ``Bokeh.embed.embed_items``.
    """
    plots: dict[str, figure] = {}
    frame = frame_of("", bundle.grid)
    limits = frame.limits
    shared: dict[str, Any] = {"paper": ColumnDataSource(_around(frame), name="paper")}
    blank = np.zeros(bundle.grid.shape)
    for variable in bundle.variables:
        for key, title in COLUMNS.items():
            look = look_of(variable, "difference" if key == "difference" else "anomaly")
            drawn = field_map(blank, bundle.grid, look, title=f"{title}: {variable.label}")
            plot = hv.renderer("bokeh").get_plot(drawn).state
            _with_image(plot, f"{key}-{variable.name}", limits, shared, look.units)
            plots[f"{key}-{variable.name}"] = plot
    document = Document()
    for plot in plots.values():
        document.add_root(plot)
    docs, items = standalone_docs_json_and_render_items(list(plots.values()))
    roots = {plot.id: name for name, plot in plots.items()}
    made = []
    for item in items:
        written = item.to_json()
        written["roots"] = {key: f"map-{roots[key]}" for key in written["roots"]}
        made.append(written)
    return {"docs": docs, "items": made}


def _around(frame: Frame) -> dict[str, Any]:
    """Return what of a map lies off the globe, as a polygon with a hole: it is no missing value."""
    x0, x1, y0, y1 = frame.limits
    # Beyond the image too, or its rim shows as a hair.
    aside = 0.01 * (x1 - x0)
    x0, x1, y0, y1 = x0 - aside, x1 + aside, y0 - aside, y1 + aside
    edge = frame.outline.array()
    edge = edge[np.isfinite(edge).all(axis=1)]
    return {
        "xs": [[[[x0, x1, x1, x0], edge[:, 0].tolist()]]],
        "ys": [[[[y0, y0, y1, y1], edge[:, 1].tolist()]]],
    }


def _with_image(
    plot: figure,
    name: str,
    limits: tuple[float, float, float, float],
    shared: dict[str, Any],
    units: str,
) -> None:
    """Put an image in place of the patches, share the lines, and add the marks of observations."""
    x0, x1, y0, y1 = limits
    drawing: Any = plot
    # A class with parameters, to mypy, and "is a" is not for these.
    patches: Any = Patches
    cells = next(r for r in drawing.renderers if isinstance(getattr(r, "glyph", None), patches))
    colour = cells.glyph.fill_color
    mapper = colour.transform if hasattr(colour, "transform") else colour["transform"]
    drawing.renderers.remove(cells)
    image = ColumnDataSource({"image": [np.zeros((1, 1), np.float32)]}, name=f"image-{name}")
    drawn = drawing.image(
        "image", x=x0, y=y0, dw=x1 - x0, dh=y1 - y0, source=image, color_mapper=mapper
    )
    plot.renderers.remove(drawn)
    plot.renderers.insert(0, drawn)
    _share_lines(plot, shared)
    paper = plot.multi_polygons("xs", "ys", source=shared["paper"], color="#ffffff", line_width=0)
    plot.renderers.remove(paper)
    plot.renderers.insert(1, paper)
    marks = ColumnDataSource({"x": [], "y": []}, name=f"marks-{name}")
    plot.scatter(
        "x", "y", source=marks, size=7, marker="circle", line_color="#111111", fill_color="#ffd400"
    )
    hover = HoverTool(renderers=[drawn], tooltips=[("", f"@image{{0.00}} {units}")])
    # A click observes, and a bar of tools would take a sixth of each map.
    plot.tools = [hover]
    plot.toolbar_location = None
    # The page writes its own title, which may be cut, and the map may be as small as a phone's.
    plot.title = None
    for bar in plot.select({"type": ColorBar}):
        bar.update(height="auto", margin=0, padding=2)
    plot.min_border = 2
    # The element that it stands in has the map's shape.
    plot.frame_width = plot.frame_height = None
    plot.sizing_mode = "stretch_both"
    plot.name = name


def _share_lines(plot: figure, shared: dict[str, Any]) -> None:
    """Let the lines of all maps read one source each: they are most of the document."""
    lines = [r for r in plot.renderers if isinstance(r, GlyphRenderer)][1:]
    for i, renderer in enumerate(lines):
        key = f"line {i}"
        if key in shared:
            renderer.data_source = shared[key]
        else:
            shared[key] = renderer.data_source
