"""Prior and posterior of one number as densities, and where the target lies."""

from __future__ import annotations

import holoviews as hv
import numpy as np
from scipy.stats import norm

from mlda_core.plotting.backends import check_backend, shaded, styled
from mlda_core.plotting.layout import legend, panel
from mlda_core.plotting.look import COLOURS, INK, PlotError

_PRIOR = "#999999"


def densities(
    prior: tuple[float, float],
    posterior: tuple[float, float],
    *,
    units: str,
    target: float | None = None,
    title: str = "",
    backend: str = "bokeh",
) -> hv.Overlay:
    """Draw two normal densities.

    Parameters
    ----------
    prior, posterior : tuple of float
        Mean and standard deviation, display units.
    units : str
    target : float, optional
        The truth, where it is known.
    title : str
    backend : {"bokeh", "matplotlib"}

    Returns
    -------
    Overlay

    Raises
    ------
    PlotError
        If there is no such backend, or a mean or a standard deviation is none.
    """
    check_backend(backend)
    for name, (mean, sd) in (("prior", prior), ("posterior", posterior)):
        if not (np.isfinite(mean) and np.isfinite(sd) and sd > 0):
            raise PlotError(
                f"The density of the {name} needs a mean and a standard deviation above 0, and has "
                f"{mean} and {sd}; give those of a place where the variable is."
            )
    ends = [m + sign * 3.5 * s for m, s in (prior, posterior) for sign in (-1, 1)]
    values = np.linspace(min(ends), max(ends), 400)
    x = hv.Dimension("value", label=title or "Value", unit=units)
    y = hv.Dimension("density", label="Probability density", unit=f"1/{units}")
    fills, lines = [], []
    shown = {"prior": (prior, _PRIOR), "posterior": (posterior, COLOURS[1])}
    for name, ((mean, sd), colour) in shown.items():
        density = norm.pdf(values, mean, sd)
        fills.append(
            styled(
                hv.Area((values, density), x, y),
                backend,
                bokeh=shaded(colour, 0.3, "bokeh"),
                matplotlib=shaded(colour, 0.3, "matplotlib"),
            )
        )
        lines.append(_line(hv.Curve((values, density), x, y, label=name), colour, backend))
    if target is not None:
        top = norm.pdf(posterior[0], *posterior)
        lines.append(
            _line(hv.Curve([(target, 0.0), (target, top)], x, y, label="target"), INK, backend)
        )
    frame = {"ylim": (0, None), **legend(backend), **panel(1.8, title, backend)}
    return hv.Overlay([*fills, *lines]).opts(hv.opts.Overlay(**frame), backend=backend)


def _line(curve: hv.Curve, colour: str, backend: str) -> hv.Curve:
    return styled(
        curve,
        backend,
        bokeh={"color": colour, "line_width": 1.5},
        matplotlib={"color": colour, "linewidth": 1.2},
    )
