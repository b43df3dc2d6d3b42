"""Errors and spread of a cycle over its days, growing as it runs.

Bokeh's own figure and not `mlda_core.plotting`: it is fed by its source, and a click goes to a day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import bokeh.events
import numpy as np
from bokeh.core.properties import value
from numpy.typing import NDArray

from app.charts.base import TOOLTIP, Chart, bm, make_figure, paint
from app.maps.figures import FONT

# Lines by kind: colour, dash and width; dashes tell them apart without their colours.
LINES: dict[str, tuple[str, str, float]] = {
    "earlier": ("muted", "dotted", 1.6),
    "free": ("changed", "dotdash", 1.6),
    "static": ("accent", "dashed", 1.6),
    "spread": ("analysis", "dotted", 1.6),
    "chosen": ("analysis", "solid", 2.4),
}
# The order of the legend.
ORDER = ("chosen", "spread", "static", "free", "earlier")
DAY_MS = 86_400_000.0


@dataclass(frozen=True)
class Curves:
    """What the chart shows.

    Parameters
    ----------
    days : sequence of str
        ``YYYY-MM-DD``, all days of the run.
    lines : mapping
        Values of the first days, by kind of :data:`LINES`; ``earlier`` by its own days.
    names : mapping
        Of the lines in the legend; those without one are not shown.
    earlier_days : sequence of str
        Of the earlier run.
    withheld : sequence of (str, str)
        First and last day of each stretch with fewer stations.
    units : str
    what : str
        Of which variable and where, for the axis.
    """

    days: Sequence[str]
    lines: Mapping[str, NDArray[np.floating]]
    names: Mapping[str, str]
    earlier_days: Sequence[str] = ()
    withheld: Sequence[tuple[str, str]] = ()
    units: str = ""
    what: str = "RMSE"


def at(day: str) -> float:
    """Return where a day stands on the axis, milliseconds."""
    return float(np.datetime64(day, "ms").astype(np.int64))


class CycleChart(Chart):
    """A line for each error.

    Parameters
    ----------
    go : callable
        Is given the day that was clicked.
    theme : str
    """

    def __init__(self, go: Callable[[str], None], theme: str) -> None:
        super().__init__(theme)
        self._go = go
        self._curves: Curves | None = None
        self._sources = {
            kind: bm.ColumnDataSource({"x": [], "y": [], "text": []}) for kind in LINES
        }
        self._stretches = bm.ColumnDataSource({"x0": [], "x1": []})
        self.figure = make_figure(
            x_axis_type="datetime",
            x_range=bm.Range1d(0, 1),
            y_range=bm.Range1d(0, 1),
            height=250,
            toolbar_location=None,
        )
        fig = self.figure
        fig.sizing_mode = "stretch_width"
        self._shade = fig.vstrip("x0", "x1", source=self._stretches, line_color=None)
        self._shade.level = "underlay"
        self._lines: dict[str, Any] = {}
        self._items: dict[str, Any] = {}
        for kind, (_, dash, width) in LINES.items():
            self._lines[kind] = fig.line(
                "x", "y", source=self._sources[kind], line_width=width, line_dash=dash
            )
            self._items[kind] = bm.LegendItem(label=value(kind), renderers=[self._lines[kind]])
        # The first day of a run is a point.
        self._dot = fig.scatter("x", "y", source=self._sources["chosen"], size=4, line_color=None)
        fig.add_tools(
            bm.HoverTool(
                renderers=[self._lines["chosen"]],
                tooltips=TOOLTIP,
                mode="vline",
                point_policy="snap_to_data",
                line_policy="nearest",
            )
        )
        self._here = bm.Span(dimension="height", line_width=2, visible=False)
        fig.add_layout(self._here)
        fig.on_event(bokeh.events.Tap, self._tap)
        fig.add_layout(
            bm.Legend(
                items=[self._items[kind] for kind in ORDER],
                ncols=2,
                label_text_font_size="11px",
                label_text_font=FONT,
                glyph_width=24,
                glyph_height=12,
                label_height=12,
                label_standoff=4,
                spacing=4,
                padding=0,
                margin=2,
                border_line_color=None,
                background_fill_alpha=0.0,
            ),
            "below",
        )
        fig.xaxis[0].update(
            axis_label="Day",
            ticker=bm.DatetimeTicker(desired_num_ticks=5, num_minor_ticks=0),
            formatter=bm.DatetimeTickFormatter(
                days="%-d %b", months="%-d %b", years="%-d %b %Y", hours="%-d %b"
            ),
            major_label_policy=bm.NoOverlap(min_distance=8),
        )
        fig.yaxis[0].ticker.update(desired_num_ticks=4, num_minor_ticks=0)
        fig.xgrid.grid_line_color = None
        self._paint()

    def _tap(self, event: Any) -> None:
        curves = self._curves
        if curves is None or event.x is None or not len(curves.days):
            return
        days = np.array([at(day) for day in curves.days])
        self._go(curves.days[int(np.abs(days - float(event.x)).argmin())])

    def draw(self, curves: Curves, day: str) -> None:
        """Draw the curves, with a line where the day shown stands."""
        if curves is not self._curves:
            self._curves = curves
            self._draw(curves)
        there = day in curves.days
        self._here.update(visible=there, location=at(day) if there else 0.0)

    def _draw(self, curves: Curves) -> None:
        top = 0.0
        for kind, source in self._sources.items():
            days = curves.earlier_days if kind == "earlier" else curves.days
            values = np.asarray(curves.lines.get(kind, ()), float)
            shown = days[: len(values)] if kind in curves.names else []
            source.data = {
                "x": [at(label) for label in shown],
                "y": values[: len(shown)].tolist(),
                "text": [
                    _text(curves, label, i) if kind == "chosen" else ""
                    for i, label in enumerate(shown)
                ],
            }
            if len(shown):
                top = max(top, float(np.nanmax(values, initial=0.0)))
            self._items[kind].update(
                label=value(curves.names.get(kind, kind)), visible=kind in curves.names
            )
        fig = self.figure
        fig.y_range.update(start=0.0, end=1.08 * top or 1.0)
        first, last = (at(curves.days[i]) for i in (0, -1)) if curves.days else (0.0, DAY_MS)
        fig.x_range.update(start=first - DAY_MS / 2, end=max(last, first + DAY_MS) + DAY_MS / 2)
        self._stretches.data = {
            "x0": [at(one) - DAY_MS / 2 for one, _ in curves.withheld],
            "x1": [at(other) + DAY_MS / 2 for _, other in curves.withheld],
        }
        fig.yaxis[0].axis_label = f"{curves.what}, {curves.units}" if curves.units else curves.what

    def _paint(self) -> None:
        colors = paint(self.figure, self._theme)
        for kind, (colour, _, _) in LINES.items():
            self._lines[kind].glyph.line_color = colors[colour]
        self._dot.glyph.fill_color = colors["analysis"]
        self._here.line_color = colors["text"]
        self._shade.glyph.update(fill_color=colors["accent_soft"], fill_alpha=0.8)
        self.figure.xgrid.grid_line_color = None


def _text(curves: Curves, day: str, i: int) -> str:
    """Return what is said of a day under the pointer."""
    lines = [
        f"{curves.names[kind]}: {float(curves.lines[kind][i]):.3g} {curves.units}"
        for kind in ORDER
        if kind in curves.names and kind != "earlier" and i < len(curves.lines.get(kind, ()))
    ]
    return "\n".join([day, *lines])
