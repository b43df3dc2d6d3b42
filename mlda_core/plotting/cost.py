"""The cost of a minimisation, step by step."""

from __future__ import annotations

from collections.abc import Sequence

import holoviews as hv

from mlda_core.plotting.backends import check_backend
from mlda_core.plotting.look import PlotError


def cost_curve(path: Sequence[float], *, backend: str = "bokeh") -> hv.Curve:
    """Draw the cost J of each step.

    Parameters
    ----------
    path : sequence of float
        Such as ``Analysis.path``.
    backend : {"bokeh", "matplotlib"}

    Returns
    -------
    Curve

    Raises
    ------
    PlotError
        If no step was made.
    """
    check_backend(backend)
    if not len(path):
        raise PlotError("The analysis was solved in closed form, so it has no steps to draw.")
    curve = hv.Curve(
        list(enumerate(path)),
        hv.Dimension("step", label="Step"),
        hv.Dimension("cost", label="Cost J"),
    )
    size = {"frame_width": 320, "frame_height": 200} if backend == "bokeh" else {"fig_inches": 3.5}
    return curve.opts(title="Cost of the minimisation", **size, backend=backend)
