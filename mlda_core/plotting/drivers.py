"""What each basin's sea contributes to a region's mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import holoviews as hv

from mlda_core.plotting.backends import check_backend
from mlda_core.plotting.layout import panel
from mlda_core.plotting.look import COLOURS

if TYPE_CHECKING:
    from mlda_core.perturbation.attribution import Drivers


def driver_bars(drivers: Drivers, *, backend: str = "bokeh") -> hv.Bars:
    """Draw the contributions of the basins, the greatest at the top, and the remainder.

    Parameters
    ----------
    drivers : Drivers
    backend : {"bokeh", "matplotlib"}

    Returns
    -------
    Bars
    """
    check_backend(backend)
    parts = [(part.label, part.contribution) for part in drivers.parts]
    parts.append(("remainder", drivers.remainder))
    bars = hv.Bars(
        parts[::-1],
        hv.Dimension("basin", label="Sea"),
        hv.Dimension("contribution", label="Contribution", unit=drivers.units),
    )
    what = f"{drivers.variable}, {drivers.month}: {drivers.value:+.2f} {drivers.units}"
    shared = {"invert_axes": True, "color": COLOURS[2], "xlabel": "", "show_legend": False}
    shared |= panel(1.2, f"{drivers.region.label}\n{what}", backend, tall=1.6)
    if backend == "bokeh":
        shared |= {"tools": ["hover"], "line_color": None}
    else:
        shared |= {"edgecolor": "none"}
    return bars.opts(**shared, backend=backend)
