"""One field on a map, with coastlines and what may lie over it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import holoviews as hv
import numpy as np
from numpy.typing import NDArray

from mlda_core.plotting.backends import check_backend, styled
from mlda_core.plotting.cells import Cells
from mlda_core.plotting.layout import HEIGHT_PIXELS, panel
from mlda_core.plotting.look import INK, Look, PlotError
from mlda_core.plotting.overlays import arrows, observation_points, stipples
from mlda_core.plotting.projections import Frame, frame_of

if TYPE_CHECKING:
    import pandas as pd

    from mlda_core.climate.grid import Grid

Field = NDArray[np.floating]
_MISSING = "#d9d9d9"


def field_map(  # noqa: PLR0913 - what may lie over a map, by name
    values: Field,
    grid: Grid,
    look: Look,
    *,
    projection: str = "",
    observations: pd.DataFrame | None = None,
    stippled: NDArray[np.bool_] | None = None,
    vectors: tuple[Field, Field] | None = None,
    vector_units: str = "",
    vector_scale: float = 0.0,
    title: str = "",
    backend: str = "bokeh",
) -> hv.Overlay:
    """Draw a field on a map.

    Parameters
    ----------
    values : ndarray, shape (lat, lon)
        Display units; NaN where there is none, drawn grey.
    grid : Grid
    look : Look
    projection : str
        One of :data:`PROJECTIONS`; by default ``robinson`` for the globe and ``region`` for less.
    observations : DataFrame, optional
        Columns variable, lat and lon, and ``withheld`` and ``used`` where there are any. The mark
        says the variable, where there are several, and its filling the outcome.
    stippled : ndarray of bool, shape (lat, lon), optional
        Cells with a dot, such as where little is known.
    vectors : tuple of ndarray, shape (lat, lon), optional
        Eastward and northward components, as arrows.
    vector_units : str
        Of the components; the title says how large the longest arrow is.
    vector_scale : float
        Size of vector that is drawn longest, to compare maps; this map's own by default.
    title : str
        The look's own by default.
    backend : {"bokeh", "matplotlib"}

    Returns
    -------
    Overlay
        For the backend named: the field first, as :class:`mlda_core.plotting.Cells`.

    Raises
    ------
    PlotError
        If there is no such projection or backend, or a field does not fit the grid.
    """
    check_backend(backend)
    frame = frame_of(projection, grid)
    field = _fitting(values, grid, "field", np.float64)
    mesh = Cells(
        (grid.lon_edges, grid.lat_edges, field),
        [
            hv.Dimension("lon", label="Longitude", unit="°E"),
            hv.Dimension("lat", label="Latitude", unit="°N"),
        ],
        hv.Dimension("value", label=look.title, unit=look.units),
    )
    layers: list[Any] = [mesh.opts(**_mesh_options(look, backend), backend=backend)]
    layers += [
        styled(
            # Options are the element's own: another map's must not be these.
            line.clone(),
            backend,
            bokeh={"color": INK, "line_width": 0.7},
            matplotlib={"color": INK, "linewidth": 0.4},
        )
        for line in (frame.coast, frame.outline)
    ]
    heading = title or look.title
    if stippled is not None:
        layers.append(
            stipples(grid, _fitting(stippled, grid, "stippling", np.bool_), frame, backend)
        )
    if vectors is not None:
        east, north = (_fitting(part, grid, "vector", np.float64) for part in vectors)
        drawn, longest = arrows(grid, east, north, frame, backend, scale=vector_scale)
        layers.append(drawn)
        heading += f" (longest arrow {longest:.3g} {vector_units})".replace(" )", ")")
    if observations is not None:
        layers += observation_points(observations, frame, backend)
    # GeoViews labels the axes of a plate carree of each layer that does not say otherwise, and
    # projects the extents of all, which takes 350 of 490 ms a map; the limits are known.
    alike = {"xaxis": None, "yaxis": None, "apply_ranges": False, "backend": backend}
    bare = [layer.opts(**alike) for layer in layers]
    options = hv.opts.Overlay(**_frame_options(frame, heading, backend))
    return hv.Overlay(bare).opts(options, backend=backend)


def _fitting(values: Any, grid: Grid, what: str, kind: Any) -> NDArray[Any]:
    field = np.asarray(values, kind)
    if field.shape != grid.shape:
        raise PlotError(
            f"The {what} has the shape {field.shape} and the grid {grid.shape}; give one that fits."
        )
    return field


def _mesh_options(look: Look, backend: str) -> dict[str, Any]:
    options: dict[str, Any] = {
        "cmap": look.cmap,
        "clim": look.limits,
        "colorbar": True,
        "clabel": look.units,
        "clipping_colors": {"NaN": _MISSING},
    }
    if backend == "bokeh":
        bar = {"height": int(0.8 * HEIGHT_PIXELS), "width": 8, "padding": 2, "title_standoff": 4}
        text = {"title_text_font_size": "8pt", "major_label_text_font_size": "7pt"}
        options |= {"tools": ["hover"], "line_alpha": 1.0, "line_width": 1.0}
        options |= {"colorbar_opts": bar | text | {"bar_line_color": None}}
    return options


def _frame_options(frame: Frame, title: str, backend: str) -> dict[str, Any]:
    x0, x1, y0, y1 = frame.limits
    options: dict[str, Any] = {
        "projection": frame.crs,
        "xlim": (x0, x1),
        "ylim": (y0, y1),
        "xaxis": None,
        "yaxis": None,
        "legend_position": "bottom",
        "legend_cols": 3,
        **panel(map_ratio(frame), title, backend),
    }
    if backend == "bokeh":
        # GeoViews' own outline asks for an option of Bokeh where Matplotlib is the backend at hand.
        options["show_bounds"] = False
        options["legend_opts"] = {
            "border_line_color": None,
            "padding": 0,
            "margin": 2,
            "glyph_height": 12,
            "label_height": 12,
        }
    else:
        options["hooks"] = [_without_frame]
        options["legend_opts"] = {"frameon": False, "handletextpad": 0.1, "borderpad": 0}
    return options


def _without_frame(plot: Any, _element: Any) -> None:
    """Leave out cartopy's outline and paper: that of a polar map is a square."""
    axes = plot.handles["axis"]
    axes.spines["geo"].set_visible(False)
    axes.patch.set_visible(False)


def map_ratio(frame: Frame) -> float:
    """Return the width of a map by its height."""
    x0, x1, y0, y1 = frame.limits
    return (x1 - x0) / (y1 - y0)
