"""The cost of an analysis by step.

Bokeh's own figure and not `mlda_core.plotting.cost_curve`: it is fed by its source, and three
centimetres high without a title.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.charts.base import TOOLTIP, Chart, bm, make_figure, paint

# The axis spans at least this fraction of the cost, so that a small decrease looks small.
LEAST_SPAN = 0.02


class CostChart(Chart):
    """A line with a dot for each step.

    Parameters
    ----------
    theme : str
    """

    def __init__(self, theme: str) -> None:
        super().__init__(theme)
        self._path: Sequence[Sequence[float]] = ()
        self._source = bm.ColumnDataSource({"step": [], "cost": [], "text": []})
        self.figure = make_figure(
            x_range=bm.Range1d(0, 1), y_range=bm.Range1d(0, 1), height=60, toolbar_location=None
        )
        fig = self.figure
        fig.sizing_mode = "stretch_width"
        self._line = fig.line("step", "cost", source=self._source, line_width=1.5)
        self._dots = fig.scatter("step", "cost", source=self._source, size=5, line_color=None)
        fig.add_tools(
            bm.HoverTool(
                renderers=[self._dots], tooltips=TOOLTIP, mode="vline", point_policy="follow_mouse"
            )
        )
        fig.xaxis[0].update(
            # An axis label would take a third of the height.
            major_label_overrides={0: "step 0"},
            ticker=bm.BasicTicker(desired_num_ticks=6, num_minor_ticks=0, min_interval=1),
        )
        fig.yaxis[0].update(
            axis_label="Cost", ticker=bm.BasicTicker(desired_num_ticks=2, num_minor_ticks=0)
        )
        fig.xgrid.grid_line_color = None
        self._paint()

    def draw(self, path: Sequence[Sequence[float]]) -> None:
        """Draw prior, observations and total of each step."""
        if path == self._path:
            return
        self._path = path
        total = [step[2] for step in path]
        most, least = max(total, default=1.0), min(total, default=0.0)
        # From the least to the largest, for the linear solution is near and what is left has to
        # be seen.
        span = max(most - least, LEAST_SPAN * abs(most)) or 1.0
        middle = (most + least) / 2
        self.figure.y_range.update(start=middle - 0.6 * span, end=middle + 0.6 * span)
        steps = list(range(len(path)))
        self.figure.x_range.update(start=-0.2, end=max(len(path) - 1, 1) + 0.2)
        # One step makes no curve.
        drawn = len(path) > 1
        self._source.data = {
            "step": steps if drawn else [],
            "cost": total if drawn else [],
            "text": [
                f"step {i}: {whole:.1f} = prior {prior:.1f} + observations {observed:.1f}"
                for i, (prior, observed, whole) in enumerate(path)
            ]
            if drawn
            else [],
        }

    def _paint(self) -> None:
        colors = paint(self.figure, self._theme)
        self._line.glyph.line_color = colors["accent"]
        self._dots.glyph.fill_color = colors["accent"]
        self.figure.xgrid.grid_line_color = None
