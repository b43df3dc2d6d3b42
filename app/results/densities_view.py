"""The part *Densities*: what is known of a variable at a place or over a region."""

from __future__ import annotations

from html import escape
from typing import Any

from app.charts.densities import Densities, DensityChart
from app.results.panel import Foot
from app.widgets import Choice, column, figure_pane, row, span, text

PLACES = {"place": "Place", "region": "Region"}


class DensitiesView:
    """Chart, choice of place or region, and the nearest observations.

    Parameters
    ----------
    foot : Foot
    """

    def __init__(self, foot: Foot) -> None:
        self._foot = foot
        self.where = Choice(
            "Where",
            lambda key: foot.send(type="density-where", value=key),
            PLACES,
            foot.densities.get("where", "region"),
            segments=True,
            title="A place: choose Ask and click a map. A region: that chosen above, of the "
            "variable chosen here",
        )
        self.variable = Choice(
            "Variable of the densities",
            lambda name: foot.send(type="density-variable", value=name),
            {v["name"]: v["label"] for v in foot.variables},
            foot.variable,
            width=160,
        )
        self.chart = DensityChart(foot.theme)
        self.words = text(name="said", sizing_mode="stretch_width")
        self.key = text(name="key", sizing_mode="stretch_width")
        # Its room is kept: the figure would not give it back.
        self.near = text(name="words", sizing_mode="stretch_width", min_height=34)
        self.root = column(
            row(self.where.widget, self.variable.widget, self.words),
            self.key,
            figure_pane(self.chart.figure),
            self.near,
            name="densities",
        )
        foot.param.watch(self._show, ["densities", "opened"])
        foot.param.watch(self._repaint, "theme")
        self._show()

    def _repaint(self, event: Any) -> None:
        self.chart.set_theme(event.new)
        self._show()

    def _show(self, *_: Any) -> None:
        foot = self._foot
        if "densities" not in foot.opened:
            return
        shown = foot.densities
        self.where.show(shown.get("where", "region"))
        self.variable.show(shown.get("variable", foot.variable))
        self.chart.draw(shown.get("chart") or Densities())
        self.words.object = span("of", shown.get("words", ""), status=True)
        self.key.object = self.chart.key()
        near = "".join(f"<li>{escape(line)}</li>" for line in shown.get("nearest", ()))
        note = escape(shown.get("note", ""))
        self.near.object = (f"<p>{note}</p>" if note else "") + (f"<ul>{near}</ul>" if near else "")
