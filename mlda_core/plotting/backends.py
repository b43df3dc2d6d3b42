"""The two backends that draw: Bokeh and Matplotlib, each loaded at its first use."""

from __future__ import annotations

from typing import Any

import geoviews as gv
import holoviews as hv

from mlda_core.plotting.cells import Cells, register
from mlda_core.plotting.look import PlotError

BACKENDS = ("bokeh", "matplotlib")


def check_backend(backend: str) -> None:
    """Load a backend.

    Raises
    ------
    PlotError
        If there is no such backend.
    """
    if backend not in BACKENDS:
        raise PlotError(f"There is no backend '{backend}'; use {' or '.join(BACKENDS)}.")
    if gv.QuadMesh not in hv.Store.registry.get(backend, {}):
        current = hv.Store.current_backend
        gv.extension(backend)
        # What a notebook chose stays chosen.
        if gv.QuadMesh in hv.Store.registry.get(current, {}):
            hv.Store.set_current_backend(current)
    if Cells not in hv.Store.registry[backend]:
        register(backend)


def styled(element: Any, backend: str, *, bokeh: dict[str, Any], matplotlib: dict[str, Any]) -> Any:
    """Return an element with the options of the backend that will draw it."""
    return element.opts(**(bokeh if backend == "bokeh" else matplotlib), backend=backend)


def shaded(colour: str, alpha: float, backend: str) -> dict[str, Any]:
    """Return the options of an area without an edge."""
    if backend == "bokeh":
        return {"color": colour, "alpha": alpha, "line_width": 0}
    # Both: HoloViews has a default for the one and, where Bokeh was loaded first, for the other.
    return {"color": colour, "facecolor": colour, "alpha": alpha, "linewidth": 0}
