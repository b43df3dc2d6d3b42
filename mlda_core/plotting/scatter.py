"""One field against another, cell by cell: the number of cells in each pixel, by Datashader."""

from __future__ import annotations

from typing import Any

import holoviews as hv
import numpy as np
from holoviews.operation.datashader import rasterize
from holoviews.plotting.util import process_cmap
from numpy.typing import NDArray

from mlda_core.plotting.backends import check_backend, styled
from mlda_core.plotting.layout import panel
from mlda_core.plotting.look import Look, PlotError

# Pixels along each side.
_BINS = 90
# Without the palest: a pixel with one cell must be seen on white.
_COLOURS = process_cmap("Blues", ncolors=256, provider="matplotlib")[80:]


def scatter(
    x: NDArray[np.floating],
    y: NDArray[np.floating],
    look: Look,
    *,
    labels: tuple[str, str] = ("Target", "Model"),
    title: str = "",
    backend: str = "bokeh",
) -> hv.Overlay:
    """Draw values against values, with the line on which they are equal.

    Parameters
    ----------
    x, y : ndarray, shape (n,) or (lat, lon)
        Display units; pairs with a missing one are left out, those beyond the limits are drawn at
        the edge.
    look : Look
        Sets units and limits.
    labels : tuple of str
        Of the axes, without units.
    title : str
        The look's own by default.
    backend : {"bokeh", "matplotlib"}

    Returns
    -------
    Overlay
        The counts, as an Image, and the line.

    Raises
    ------
    PlotError
        If there is no such backend, or the two are of different shapes.
    """
    check_backend(backend)
    if np.shape(x) != np.shape(y):
        raise PlotError(
            f"The scatter's values have the shapes {np.shape(x)} and {np.shape(y)}; give two of "
            "one shape."
        )
    low, high = look.limits
    # A little inside: the upper edge belongs to no pixel.
    top = high - 1e-4 * (high - low)
    a, b = np.ravel(x), np.ravel(y)
    good = np.isfinite(a) & np.isfinite(b)
    axes = [
        hv.Dimension(k, label=name, unit=look.units) for k, name in zip("xy", labels, strict=True)
    ]
    points = hv.Points((np.clip(a[good], low, top), np.clip(b[good], low, top)), axes)
    counted = rasterize(
        points,
        dynamic=False,
        width=_BINS,
        height=_BINS,
        x_range=(low, high),
        y_range=(low, high),
        vdim_prefix="",
    )
    counted = counted.redim(**{counted.vdims[0].name: hv.Dimension("cells", label="Cells")})
    line = hv.Curve([(low, low), (high, high)], *axes)
    shared = {"cmap": _COLOURS, "logz": True}
    shared["clipping_colors"] = {"min": "transparent", "NaN": "transparent"}
    layers = [
        styled(counted, backend, bokeh=shared | {"tools": ["hover"]}, matplotlib=shared),
        styled(
            line,
            backend,
            bokeh={"color": "#666666", "line_width": 1, "line_dash": "dashed"},
            matplotlib={"color": "#666666", "linewidth": 0.8, "linestyle": "--"},
        ),
    ]
    # Ticks at the right: at the left stands the colour bar of a map.
    frame: dict[str, Any] = {"xlim": (low, high), "ylim": (low, high), "yaxis": "right"}
    frame |= {"xticks": 5, "yticks": 5} | panel(1.0, title or look.title, backend)
    return hv.Overlay(layers).opts(hv.opts.Overlay(**frame), backend=backend)
