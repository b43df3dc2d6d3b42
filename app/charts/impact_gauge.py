"""The gauge of an impact: what is usual, predicted for the state shown, and measured."""

from __future__ import annotations

from typing import Any

from app.charts.base import Chart, bm, make_figure, paint

ROWS = ("measured", "predicted", "usual")
_COLORS = {"usual": "muted", "predicted": "analysis", "measured": "text"}


def empty() -> Any:
    """Return the source of what is shown now: a row each of `ROWS`.

    ``x`` is the month's place in the chart of the series, of the prediction alone; ``beyond`` is
    the end of the gauge where a value lies beyond it.
    """
    none = [float("nan")] * len(ROWS)
    columns = ("x", "low", "median", "high", "beyond")
    return bm.ColumnDataSource({"row": list(ROWS), **dict.fromkeys(columns, none)})


class ImpactGauge(Chart):
    """Three rows on one axis, which is the same for all states of a calendar month.

    Parameters
    ----------
    now : ColumnDataSource
        As `empty` makes it.
    theme : str
    """

    def __init__(self, now: Any, theme: str) -> None:
        super().__init__(theme)
        self.figure = make_figure(x_range=bm.Range1d(0, 1), y_range=bm.FactorRange(*ROWS))
        fig = self.figure
        fig.toolbar_location = None
        fig.toolbar.active_drag = fig.toolbar.active_scroll = None
        self._mappers = [bm.CategoricalColorMapper(factors=list(ROWS), palette=["#000"] * 3)]
        colour = {"field": "row", "transform": self._mappers[0]}
        fig.hbar(
            y="row", left="low", right="high", height=0.5, source=now, fill_color=colour,
            line_color=None, fill_alpha=0.35, border_radius=4,
        )  # fmt: skip
        fig.scatter("median", "row", source=now, size=9, fill_color=colour, line_color=None)
        fig.scatter(
            "beyond", "row", source=now, size=8, marker="triangle", angle=-90, angle_units="deg",
            fill_color=colour, line_color=None,
        )  # fmt: skip
        fig.xaxis[0].ticker.update(desired_num_ticks=4, num_minor_ticks=0)
        fig.ygrid.grid_line_color = None
        fig.yaxis[0].update(major_tick_line_color=None, major_label_text_font_size="12px")
        self._paint()

    def scale(self, start: float, end: float, units: str) -> None:
        """Set the ends and the units of the axis."""
        shown = self.figure.x_range
        if (shown.start, shown.end) != (start, end):
            shown.update(start=start, end=end, reset_start=start, reset_end=end)
        self.figure.xaxis[0].axis_label = units

    def _paint(self) -> None:
        colors = paint(self.figure, self._theme)
        self._mappers[0].palette = [colors[_COLORS[row]] for row in ROWS]
        self.figure.ygrid.grid_line_color = None
        self.figure.yaxis[0].major_tick_line_color = None
