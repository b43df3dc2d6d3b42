"""The cost of a minimisation, step by step."""

from __future__ import annotations

from collections.abc import Sequence

import holoviews as hv

from mlda_core.plotting.backends import check_backend, styled
from mlda_core.plotting.layout import panel
from mlda_core.plotting.look import COLOURS, PlotError


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
    drawn = styled(
        curve,
        backend,
        bokeh={"color": COLOURS[2], "tools": ["hover"], "line_width": 1.5, "line_join": "round"},
        matplotlib={"color": COLOURS[2], "linewidth": 1.2},
    )
    return drawn.opts(**panel(1.8, "Cost of the minimisation", backend), backend=backend)
