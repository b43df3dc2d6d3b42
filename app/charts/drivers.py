"""The chart of a month's drivers: what each basin's sea contributes to a regional mean.

Bokeh's own figure and not `mlda_core.plotting.driver_bars`: it is fed by its source, and its rows
are as low as the text.
"""

from __future__ import annotations

from typing import Any

from app.charts.base import TOOLTIP, Chart, bm, make_figure, paint
from app.charts.texts import plain, signed

ROW = 15
AXIS = 34


class DriversChart(Chart):
    """Horizontal bars, the basins' names to the left and their numbers to the right.

    Parameters
    ----------
    theme : str
    """

    def __init__(self, theme: str) -> None:
        super().__init__(theme)
        self._bars = bm.ColumnDataSource({"y": [], "x": [], "text": [], "warm": []})
        self.figure = make_figure(x_range=bm.Range1d(-1, 1), y_range=bm.Range1d(0, 1))
        fig = self.figure
        fig.update(toolbar_location=None, visible=False)
        self._zero = bm.Span(location=0, dimension="height")
        fig.add_layout(self._zero)
        self._numbers = bm.LinearAxis(axis_line_color=None)
        fig.add_layout(self._numbers, "right")
        self._mapper = bm.LinearColorMapper(palette=["#000000"] * 2, low=0, high=1)
        self._renderer = fig.hbar(
            y="y",
            right="x",
            left=0,
            height=0.66,
            source=self._bars,
            line_color=None,
            fill_color={"field": "warm", "transform": self._mapper},
        )
        fig.add_tools(
            bm.HoverTool(
                renderers=[self._renderer],
                tooltips=TOOLTIP,
                mode="hline",
                point_policy="follow_mouse",
                visible=False,
            )
        )
        fig.xaxis[0].ticker.update(desired_num_ticks=4, num_minor_ticks=0)
        fig.grid.grid_line_color = None
        for axis in (fig.yaxis[0], self._numbers):
            axis.update(
                major_tick_line_color=None,
                minor_tick_line_color=None,
                major_label_text_font_size="12px",
                major_label_standoff=6,
                major_label_policy=bm.AllLabels(),
            )
        self._paint()

    @property
    def height(self) -> int:
        """As high as its rows need, in pixels."""
        return ROW * len(self._bars.data["y"]) + AXIS

    def draw(self, parts: list[dict[str, Any]], units: str, digits: int) -> None:
        """Draw the basins' contributions, the first at the top."""
        y = list(range(len(parts)))[::-1]
        given = [f"{signed(p['contribution'], digits)} {units}" for p in parts]
        shares = ["" if p["share"] is None else f"{plain(100 * p['share'], 0)} %" for p in parts]
        x = [p["contribution"] for p in parts]
        most = 1.05 * max([abs(v) for v in x], default=1.0) or 1.0
        self._bars.data = {
            "y": y,
            "x": x,
            "warm": [float(v >= 0) for v in x],
            "text": [
                f"{p['label']}: {number}{f', {share}' if share else ''}\n"
                f"its sea is {signed(p['anomaly'], 2)} K from normal"
                for p, number, share in zip(parts, given, shares, strict=True)
            ],
        }
        fig = self.figure
        fig.x_range.update(start=-most, end=most, reset_start=-most, reset_end=most)
        fig.y_range.update(start=-0.5, end=len(parts) - 0.5)
        fig.visible = bool(parts)
        fig.xaxis[0].axis_label = f"Contribution, {units}"
        numbers = [f"{number}  {share:>5}" for number, share in zip(given, shares, strict=True)]
        for axis, labels in (
            (fig.yaxis[0], [p["label"] for p in parts]),
            (self._numbers, numbers),
        ):
            axis.ticker = bm.FixedTicker(ticks=y)
            axis.major_label_overrides = dict(zip(y, labels, strict=True))

    def fade(self, faded: bool) -> None:
        """Draw the bars faded: they are of other settings."""
        self._renderer.glyph.fill_alpha = 0.45 if faded else 1.0

    def _paint(self) -> None:
        colors = paint(self.figure, self._theme)
        self._mapper.palette = [colors["cold"], colors["warm"]]
        self._zero.line_color = colors["muted"]
        self.figure.grid.grid_line_color = None
        for axis in (self.figure.yaxis[0], self._numbers):
            axis.update(
                major_label_text_color=colors["text"],
                major_tick_line_color=None,
                minor_tick_line_color=None,
            )
