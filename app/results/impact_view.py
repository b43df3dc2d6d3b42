"""The part *Impact*: what is predicted for the state shown, and the series over all months."""

from __future__ import annotations

from html import escape
from typing import Any

import panel as pn

from app.charts.base import bm
from app.charts.impact_gauge import ROWS, ImpactGauge, empty
from app.charts.series import TEST, ChartData, Line, SeriesChart, month_index
from app.charts.texts import month_text
from app.results.panel import Foot
from app.web_files import read
from app.widgets import Choice, column, figure_pane, row, span, text

SCOPES = {"near": "Near", "test": "Test years", "all": "All"}
SCOPES_TITLE = (
    "Near: seven years either side of the month shown. Test years: months that the model and the "
    "head have never seen"
)
# Months either side of the month shown.
NEAR = 84
NAN = float("nan")
ABOUT_SKILL = (
    "Error: the continuous ranked probability score (CRPS), how far a predicted distribution is "
    "from what was measured. Climatology: what was measured in that month of other years. A "
    "straight line: ridge regression on all latents"
)


class ImpactView:
    """Number, gauge and chart. A slider's frame patches one source and two texts.

    Parameters
    ----------
    foot : Foot
    """

    def __init__(self, foot: Foot) -> None:
        self._foot = foot
        self._drawn: Any = None
        self._now = empty()
        self.gauge = ImpactGauge(self._now, foot.theme)
        colors = {"median": "changed", "observed": "text"}
        self.chart = SeriesChart(colors, self._go, foot.theme, band="median", now=self._now)
        self.head = Choice(
            "Impact series shown",
            self._choose,
            dict(foot.impacts),
            foot.impact.get("name", ""),
            width=280,
        )
        self.head.widget.visible = len(foot.impacts) > 1
        self.number = text(name="number", sizing_mode="stretch_width")
        self.facts = text(name="facts", sizing_mode="stretch_width")
        self.scope = Choice(
            "Months of the impact series",
            self._scope,
            SCOPES,
            foot.impact_scope,
            segments=True,
            title=SCOPES_TITLE,
        )
        self.month = Choice(
            "Month of the impact series", self._go, {foot.month: foot.month}, foot.month, width=90
        )
        self.skill = text(name="skill", sizing_mode="stretch_width")
        self._spoken = bm.Div(
            text="", css_classes=["hidden"], stylesheets=[read("widgets/text.css")]
        )
        self._aloud = bm.Div(visible=False)
        self._aloud.js_on_change(
            "text",
            bm.CustomJS(args={"place": self._spoken}, code=read("callbacks/speak_at_rest.js")),
        )
        self.root = pn.Row(
            column(
                self.head.widget,
                self.number,
                figure_pane(self.gauge.figure, min_height=60, max_height=120),
                self.facts,
                name="now",
                styles={"flex": "0 0 300px"},
                scroll="y-auto",
            ),
            column(
                row(self.scope.widget, pn.Spacer(sizing_mode="stretch_width"), self.month.widget),
                figure_pane(self.chart.figure),
                self.skill,
                figure_pane(self._spoken, sizing_mode=None),
                figure_pane(self._aloud, sizing_mode=None),
                name="then",
            ),
            sizing_mode="stretch_both",
            margin=0,
            css_classes=["impact"],
            stylesheets=[read("widgets/parts.css")],
        )
        foot.param.watch(self._show, ["impact", "impact_now", "impact_scope", "opened"])
        foot.param.watch(self._repaint, "theme")
        self._show()

    def _choose(self, name: str) -> None:
        self._foot.send(type="impact", value=name)
        # One that was refused is not shown.
        self.head.show(self._foot.impact.get("name", ""))

    def _go(self, month: str) -> None:
        self._foot.send(type="month", value=month)
        self._show()

    def _scope(self, scope: str) -> None:
        self._foot.impact_scope = scope

    def _repaint(self, event: Any) -> None:
        self.chart.set_theme(event.new)
        self.gauge.set_theme(event.new)

    def _show(self, *_: Any) -> None:
        foot = self._foot
        if "impact" not in foot.opened or not foot.impact.get("months"):
            return
        now = foot.impact_now
        month = now.get("month", foot.month)
        # The chart is drawn anew with the month alone; a slider moves the mark in it.
        drawn = (id(foot.impact), month, foot.impact_scope)
        if drawn != self._drawn:
            self._drawn = drawn
            self._draw(month)
        if now.get("month"):
            self._show_now(now)

    def _draw(self, month: str) -> None:
        foot = self._foot
        record = foot.impact
        months, split, units = record["months"], record["split"], record["units"]
        shown = self._shown(month)
        names = ("observed", "median", "low", "high")
        texts = []
        for i in shown:
            observed, median, low, high = (_figure(record[name][i]) for name in names)
            predicted = (
                f"predicted {median}, 80 %: {low}\N{EN DASH}{high}"
                if median
                else "no prediction, for a variable is lacking"
            )
            measured = f"measured {observed} {units}" if observed else "not measured"
            texts.append(month_text(months[i], split[i], [("", measured), ("", predicted)]))
        lines = [
            Line("median", "predicted, 80 %", record["median"]),
            Line("observed", "measured", record["observed"]),
        ]
        band = record["low"], record["high"]
        self.chart.draw(ChartData(months, split, shown, lines, units, texts, band), month)
        self.head.show(record["name"], dict(foot.impacts))
        choices = {months[i]: months[i] for i in shown}
        self.month.show(month, choices if month in choices else {month: month} | choices)
        skill = record["skill"]
        self.skill.object = (
            f'<span title="{escape(f"{skill}. {ABOUT_SKILL}")}">{escape(skill)}</span>'
        )

    def _shown(self, month: str) -> list[int]:
        foot = self._foot
        months, split = foot.impact["months"], foot.impact["split"]
        every = range(len(months))
        if foot.impact_scope == "all":
            return list(every)
        if foot.impact_scope == "test":
            return [i for i in every if split[i] == TEST]
        first, last = month_index(months[0]), month_index(months[-1])
        # A window of one length, wherever it is.
        start = max(first, min(month_index(month) - NEAR, last - 2 * NEAR))
        return [i for i in every if start <= month_index(months[i]) <= start + 2 * NEAR]

    def _show_now(self, now: dict[str, Any]) -> None:
        record, calendar = self._foot.impact, now["calendar"] - 1
        low, normal, high = record["usual"][calendar]
        least, most = record["extremes"][calendar]
        # One scale a calendar month, so that what moves is the state and not the axis.
        start, top = min(0.0, least), max(most, high)
        end = top + 0.04 * max(top - start, 1e-9)
        self.gauge.scale(start, end, record["units"])
        predicted = [NAN if now[name] is None else now[name] for name in ("low", "median", "high")]
        measured = NAN if now["observed"] is None else now["observed"]
        rows = {
            "measured": (NAN, measured, NAN),
            "predicted": tuple(predicted),
            "usual": (low, normal, high),
        }
        place = self.chart.place_of(now["month"])
        lows, medians, highs = ([rows[name][j] for name in ROWS] for j in range(3))
        self._now.data = {
            "row": list(ROWS),
            "x": [NAN, NAN if place is None else place, NAN],
            "low": lows,
            "median": medians,
            "high": highs,
            "beyond": [end if m > end else NAN for m in medians],
        }
        texts = now.get("texts", {})
        title = record["title"] if len(self._foot.impacts) < 2 else ""
        self.number.object = (
            (f'<b class="title">{escape(title)}</b>' if title else "")
            + f'<p class="big"><output>{texts.get("median", "–")}</output> '
            f'<span class="unit">{escape(record["units"])}</span> '
            f'<span class="range">{escape(texts.get("range", ""))}</span></p>'
        )
        note = now["note"] or record["about"]
        warns = " warns" if now["note"] else ""
        self.facts.object = span("measured", now["facts"]) + span(f"note{warns}", note)
        self._aloud.text = now["words"]


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 100 else f"{float(f'{value:.2g}'):g}"
