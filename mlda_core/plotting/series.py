"""Series over months, with what they leave open."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import holoviews as hv
import numpy as np
from numpy.typing import NDArray

from mlda_core.plotting.backends import check_backend, shaded, styled
from mlda_core.plotting.layout import legend, panel
from mlda_core.plotting.look import COLOURS, PlotError

Line = NDArray[np.floating] | Sequence[float]


def series(
    months: Sequence[str],
    lines: Mapping[str, Line],
    *,
    units: str,
    spread: Mapping[str, Line] | None = None,
    title: str = "",
    backend: str = "bokeh",
) -> hv.Overlay:
    """Draw series of months.

    Parameters
    ----------
    months : sequence of str
        ``YYYY-MM``, ascending.
    lines : mapping of str to ndarray, shape (M,)
        By label; NaN leaves a gap.
    units : str
    spread : mapping of str to ndarray, shape (M,), optional
        Standard deviations of some of the lines, drawn as bands of one either side.
    title : str
    backend : {"bokeh", "matplotlib"}

    Returns
    -------
    Overlay

    Raises
    ------
    PlotError
        If a line has another length than the months, a band has no line or is below zero, or a
        month is none.
    """
    check_backend(backend)
    if not lines:
        raise PlotError("There is no line to draw; give one in lines.")
    time = np.array([_month(month) for month in months], "datetime64[ns]")
    spread = dict(spread or {})
    for name, values in {**lines, **spread}.items():
        if len(values) != len(time):
            raise PlotError(f"'{name}' has {len(values)} months of {len(time)}; give all of them.")
    lost = sorted(set(spread) - set(lines))
    if lost:
        raise PlotError(f"There is no line '{lost[0]}' for its spread; give it in lines.")
    for name, values in spread.items():
        if (np.asarray(values, float) < 0).any():
            raise PlotError(f"The spread of '{name}' is below 0 somewhere; give deviations.")
    x, y = (
        hv.Dimension("time", label="Month"),
        hv.Dimension("value", label=title or "Value", unit=units),
    )
    layers = []
    for i, (name, values) in enumerate(lines.items()):
        colour = COLOURS[i % len(COLOURS)]
        if name in spread:
            sd = np.asarray(spread[name], float)
            band = hv.Area((time, values - sd, values + sd), x, [y, "top"])
            layers.append(
                styled(
                    band,
                    backend,
                    bokeh=shaded(colour, 0.25, "bokeh"),
                    matplotlib=shaded(colour, 0.25, "matplotlib"),
                )
            )
        curve = hv.Curve((time, np.asarray(values, float)), x, y, label=name)
        layers.append(
            styled(
                curve,
                backend,
                bokeh={"color": colour, "line_width": 1.5, "tools": ["hover"]},
                matplotlib={"color": colour, "linewidth": 1.2},
            )
        )
    frame: dict[str, Any] = {
        "show_grid": True,
        **legend(backend),
        "xlabel": "",
        "ylabel": units,
        **panel(3.0, title, backend),
    }
    if backend == "matplotlib":
        frame["hooks"] = [_quiet_axes]
    else:
        frame["gridstyle"] = {"grid_line_alpha": 0.5}
    return hv.Overlay(layers).opts(hv.opts.Overlay(**frame), backend=backend)


def _quiet_axes(plot: Any, _element: Any) -> None:
    """Write months as months, and a grid that is paler than the lines."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    axes = plot.handles["axis"]
    locator = AutoDateLocator(maxticks=9)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
    axes.grid(linewidth=0.4, alpha=0.4)


def _month(text: str) -> np.datetime64:
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", str(text)):
        raise PlotError(f"'{str(text)[:24]}' is no month; write YYYY-MM.")
    return np.datetime64(text, "M")
