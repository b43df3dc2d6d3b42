"""What each basin's sea contributes to a region's mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import holoviews as hv

from mlda_core.plotting.backends import check_backend

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
    title = f"{drivers.variable}, {drivers.region.label}, {drivers.month}: {drivers.value:+.2f}"
    shared = {"title": f"{title} {drivers.units}", "invert_axes": True, "color": "#0072B2"}
    size = {"frame_width": 320, "frame_height": 260} if backend == "bokeh" else {"fig_inches": 4.5}
    return bars.opts(**shared, **size, backend=backend)
