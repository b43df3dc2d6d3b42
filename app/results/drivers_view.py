"""The part *Drivers*: what each part of the sea adds to a regional mean of the month shown."""

from __future__ import annotations

from html import escape
from typing import Any

import panel as pn

from app.charts.drivers import DriversChart
from app.charts.texts import signed
from app.results.panel import Foot
from app.widgets import button, column, figure_pane, row, span, text

ABOUT = (
    "Gradient of the regional mean by the sea's temperature, times the sea's anomaly, summed over "
    "basins"
)
PROMPT = "What each part of the sea adds to the regional mean of this {step}."
SUM = (
    "The analysis' anomaly over the region is the sum of three: the basins' contributions, what it "
    "would be under a sea without anomalies, and what neither explains, for it is not linear in "
    "the sea"
)


class DriversView:
    """Button, chart and words.

    Parameters
    ----------
    foot : Foot
    """

    def __init__(self, foot: Foot) -> None:
        self._foot = foot
        self.chart = DriversChart(foot.theme)
        self.find = button(
            "Find the drivers", lambda: foot.send(type="drivers", value=foot.variable), ABOUT
        )
        self.what = text(name="what", sizing_mode="stretch_width")
        self.sum = text(name="sum", sizing_mode="stretch_width")
        self.pane = figure_pane(self.chart.figure, sizing_mode="stretch_width")
        self.words = text(name="words", sizing_mode="stretch_width")
        self.root = column(
            row(self.find, self.what),
            self.sum,
            pn.Column(self.pane, scroll="y-auto", sizing_mode="stretch_both", margin=0),
            self.words,
            name="drivers",
        )
        foot.param.watch(self._show, ["drivers", "month", "variable", "opened"])
        foot.param.watch(lambda event: self.chart.set_theme(event.new), "theme")
        self._show()

    def _show(self, *_: Any) -> None:
        foot, found = self._foot, self._foot.drivers
        if "drivers" not in foot.opened:
            return
        busy = found.get("busy", "")
        parts = found.get("parts")
        if busy:
            self.what.object = span("", f"{busy} …", status=True)
        if not parts:
            self.chart.draw([], "", 0)
            self.words.object = ""
            if not busy:
                self.what.object = span("", f"of {foot.month}")
            prompt = escape(PROMPT.format(step=foot.step))
            self.sum.object = f'<span title="{escape(ABOUT)}">{prompt}</span>'
            return
        variable = next(v for v in foot.variables if v["name"] == found["variable"])
        other = found.get("stale") or found["variable"] != foot.variable
        what = f"{variable['label']}, {found['region']}, {found['month']}, {found['held']}"
        if not busy:
            self.what.object = span("", f"of other settings: {what}" if other else what)
        digits, units = variable["decimals"] + 1, found["units"]
        value, linear, normal, rest = (
            signed(found[name], digits) for name in ("value", "linear", "normal", "remainder")
        )
        self.sum.object = (
            f'<span title="{escape(SUM)}"><b>{value} {escape(units)}</b> = sum of basins {linear}, '
            f"usual sea {normal}, not explained {rest}</span>"
        )
        self.chart.draw(parts, units, digits)
        self.chart.fade(other)
        self.pane.height = self.chart.height
        self.words.object = escape(" ".join(found["words"]))
