"""One field against another, cell by cell: the number of cells in each pixel, by Datashader."""

from __future__ import annotations

import holoviews as hv
import numpy as np
from holoviews.operation.datashader import rasterize
from numpy.typing import NDArray

from mlda_core.plotting.backends import check_backend
from mlda_core.plotting.look import Look


def scatter(
    x: NDArray[np.floating],
    y: NDArray[np.floating],
    look: Look,
    *,
    labels: tuple[str, str] = ("Target", "Model"),
    backend: str = "bokeh",
) -> hv.Overlay:
    """Draw values against values, with the line on which they are equal.

    Parameters
    ----------
    x, y : ndarray, shape (n,) or (lat, lon)
        Display units; pairs with a missing one are left out.
    look : Look
        Sets units and limits.
    labels : tuple of str
        Of the axes, without units.
    backend : {"bokeh", "matplotlib"}

    Returns
    -------
    Overlay
    """
    check_backend(backend)
    a, b = np.ravel(x), np.ravel(y)
    good = np.isfinite(a) & np.isfinite(b)
    low, high = look.limits
    axes = [
        hv.Dimension(k, label=name, unit=look.units) for k, name in zip("xy", labels, strict=True)
    ]
    points = hv.Points((a[good], b[good]), axes)
    counted = rasterize(
        points, dynamic=False, width=120, height=120, x_range=(low, high), y_range=(low, high)
    )
    line = hv.Curve([(low, low), (high, high)], *axes)
    shared = {"cmap": "Blues", "logz": True, "clipping_colors": {"min": "transparent"}}
    frame = {"title": look.title, "xlim": (low, high), "ylim": (low, high)}
    if backend == "bokeh":
        counted = counted.opts(**shared, tools=["hover"], backend="bokeh")
        line = line.opts(color="#666666", line_width=1, line_dash="dashed", backend="bokeh")
        frame |= {"frame_width": 230, "frame_height": 230}
    else:
        counted = counted.opts(**shared, backend="matplotlib")
        line = line.opts(color="#666666", linewidth=0.8, linestyle="--", backend="matplotlib")
        frame |= {"aspect": "equal", "fig_inches": 2.8}
    return (counted * line).opts(hv.opts.Overlay(**frame), backend=backend)
