"""The part *Series*: regional means over all months, and the run that makes them."""

from __future__ import annotations

from typing import Any

import panel as pn

from app.charts.series import TEST, ChartData, Line, SeriesChart
from app.charts.texts import month_text, plain, signed
from app.results.panel import CHANGED, Foot
from app.widgets import (
    Choice,
    attributes,
    button,
    column,
    figure_pane,
    keep_focus,
    progress_bar,
    row,
    span,
    text,
)
from mlda_core.climate.time_step import MONTH

SCOPES = {"test": "Test years", "all": "All {steps}"}
CHANGES = {"patches": CHANGED[0].upper() + CHANGED[1:], "trend": "Sea without trend"}
STARTS = {"observe": "Compute the series", "perturb": "Compute both series"}
# Text in place of a value in a month that has none.
MISSING = {
    "observe": ("no cells here", "not computed yet"),
    "perturb": ("no cells here", "not computed yet", f"no {CHANGED}"),
}


class SeriesView:
    """Chart, settings and progress of the series.

    Parameters
    ----------
    foot : Foot
    """

    def __init__(self, foot: Foot) -> None:
        self._foot = foot
        colors = {"target": "text", "analysis": "analysis", "changed": "changed"}
        self.chart = SeriesChart(colors, self._go, foot.theme)
        step = foot.step
        scopes = {scope: words.format(steps=step.plural) for scope, words in SCOPES.items()}
        self.scope = Choice(
            f"Which {step.plural}", self._choose_scope, scopes, foot.scope, segments=True
        )
        self.change = Choice(
            "Change of the sea in the series",
            lambda kind: foot.send(type="foot-change", value=kind),
            CHANGES,
            foot.sea,
            width=140,
            css_classes=["shrinks"],
            title="What the blue line is",
        )
        # Two buttons: what a press means is what stood on it, however the run went meanwhile.
        self.start = button(
            STARTS[foot.mode],
            lambda: foot.send(type="series-start", value=foot.scope),
            f"Compute the {step.plural} of this chart that are missing",
        )
        self.cancel = button(
            "Cancel", lambda: foot.send(type="series-cancel"), "Stop; what is done stays"
        )
        keep_focus((self.start, self.cancel), (self.cancel, self.start))
        self.progress = progress_bar(most=1)
        self.count = text(name="count")
        self.month = Choice(
            f"{step.name.capitalize()} of the series",
            self._go,
            {foot.month: foot.month},
            foot.month,
            width=90 if step is MONTH else 110,
        )
        self.key = text(name="key", sizing_mode="stretch_width")
        self.root = column(
            row(
                self.scope.widget,
                self.change.widget,
                self.start,
                self.cancel,
                self.progress,
                self.count,
                pn.Spacer(sizing_mode="stretch_width"),
                self.month.widget,
            ),
            self.key,
            figure_pane(self.chart.figure),
            name="series",
        )
        watch = foot.param.watch
        watch(self._draw, ["series", "analysis", "changed", "scenario", "variable", "scope"])
        watch(self._draw, ["opened", "mode", "sea"])
        watch(self._show_month, "month")
        watch(self._show_stale, "stale")
        watch(self._show_progress, ["progress", "mode"])
        watch(lambda event: self.chart.set_theme(event.new), "theme")
        self._show_progress()
        self._draw()

    def _go(self, month: str) -> None:
        self._foot.send(type="month", value=month)
        self._show_month()

    def _choose_scope(self, scope: str) -> None:
        self._foot.scope = scope

    # -- what is shown -----------------------------------------------------------------------

    def _draw(self, *_: Any) -> None:
        foot = self._foot
        self.change.widget.visible = foot.mode == "perturb"
        self.change.show(foot.sea)
        months = foot.series.get("months", [])
        if "series" not in foot.opened or not months:
            return
        split, variable = foot.series["split"], foot.shown
        shown = [i for i in range(len(months)) if foot.scope == "all" or split[i] == TEST]
        lines = self._lines(variable["name"])
        digits, units = variable["decimals"] + 1, variable["units"]
        missing = MISSING[foot.mode]
        texts = []
        for i in shown:
            rows = []
            for line, none in zip(lines, missing, strict=True):
                value = line.values[i]
                said = f"{line.name} {signed(value, digits)} {units}"
                rows.append(("", none if value is None else said))
            texts.append(month_text(months[i], split[i], rows, foot.step))
        self.chart.draw(ChartData(months, split, shown, lines, units, texts), foot.month)
        self._show_month()
        self._show_stale()

    def _lines(self, name: str) -> list[Line]:
        foot = self._foot
        none: list[float | None] = [None] * len(foot.series["months"])
        perturb = foot.mode == "perturb"
        lines = [
            Line("target", "target", foot.series["target"][name]),
            Line(
                "analysis",
                "sea as it was" if perturb else "analysis",
                foot.analysis.get("values", {}).get(name, none),
            ),
        ]
        if perturb:
            label = foot.changed.get("name", CHANGED)
            values = foot.changed.get("values", {}).get(name, none)
            lines.append(Line("changed", label, values))
        return lines

    def _show_month(self, *_: Any) -> None:
        foot = self._foot
        months, split = foot.series.get("months", []), foot.series.get("split", "")
        if "series" not in foot.opened or not months:
            return
        self.chart.show_month(foot.month)
        shown = {
            m: m for m, s in zip(months, split, strict=True) if foot.scope == "all" or s == TEST
        }
        # A month that the chart does not hold stands in the list all the same, as what is shown.
        self.month.show(
            foot.month, {foot.month: foot.month} | shown if foot.month not in shown else shown
        )

    def _show_stale(self, *_: Any) -> None:
        foot = self._foot
        self.chart.fade(frozenset({"analysis", "changed"} if foot.stale else ()))
        self.key.object = (
            span("of", foot.scenario)
            + span("fit", self._fit())
            + span("stale", foot.stale, status=True)
        )

    def _fit(self) -> str:
        """Say in words how good the series is, or what the change of the sea does."""
        foot = self._foot
        variable = foot.shown
        name, units, digits = variable["name"], variable["units"], variable["decimals"] + 1
        if foot.mode == "perturb":
            change = foot.changed.get("difference", {}).get(name, {})
            if not change.get("n"):
                return ""
            mean = signed(change["mean"], digits)
            return f"changes the mean by {mean} {units} over {change['n']} {foot.step.plural}"
        score = foot.analysis.get("scores", {}).get(name, {})
        if not score.get("n"):
            return ""
        r = "" if score["r"] is None else f", r {plain(score['r'], 2)}"
        compared = f"{score['n']} test {foot.step.plural}"
        return f"{compared}: RMSE {score['rmse']:.{digits}f} {units}{r}"

    def _show_progress(self, *_: Any) -> None:
        foot = self._foot
        state = foot.progress
        running, done, total = (state.get(name, 0) for name in ("running", "done", "total"))
        words = f"{done} of {total}" if running else state.get("words", "")
        name = "words failed" if state.get("failed") else "words"
        # Half-way and at the end it is said aloud.
        aloud = not running or (total and done == total // 2)
        # The end first: it bounds the value.
        self.progress.max = most = max(total, done, 1)
        bar = attributes(f"{foot.step.plural.capitalize()} of the series", "progressbar")
        bar |= {"aria-valuemin": "0", "aria-valuemax": str(most), "aria-valuenow": str(done)}
        self.progress.param.update(value=done, visible=bool(running), html_attributes=bar)
        self.count.object = span(name, words, status=bool(aloud))
        self.start.param.update(name=STARTS[foot.mode], visible=not running)
        self.cancel.visible = bool(running)
