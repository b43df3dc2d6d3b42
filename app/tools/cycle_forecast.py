"""The forecast from an analysis, in the tool Cycle: contours of ten members."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import panel as pn

from app.charts.members import SpaghettiChart
from app.context import SessionContext
from app.jobs.cycle_forecast import LEADS, MEMBERS, ForecastJob, ForecastRequest
from app.maps.color_scales import units
from app.maps.member_maps import Lines, contours
from app.tools.cycle_text import day_words
from app.widgets import block, button, fields, text
from mlda_core.page_state.cycle_runs import CycleRequest, cyclable_days

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.cycling.followed import FollowedDay

HEIGHT = "zg500"
# The edge of the polar air, and of the tropics'.
LEVELS = (5300.0, 5600.0)
# Of another variable, how much of the climatology's area lies below.
SHARES = (35, 65)
INTRO = (
    f"{MEMBERS} members from the analysis of the day shown, {LEADS} days ahead: their errors have "
    "the shape of climatology's and the size that the method expects."
)


class ForecastTool:
    """Controls and chart of the forecast.

    Parameters
    ----------
    context : SessionContext
    theme : str
    """

    def __init__(self, context: SessionContext, theme: str) -> None:
        self._bundle: Bundle = context.bundle
        self.job = ForecastJob(context)
        names = [variable.name for variable in self._bundle.variables]
        self._v = names.index(HEIGHT) if HEIGHT in names else 0
        self._drawn: tuple[Any, ...] = ()
        self.chart = SpaghettiChart(theme)
        self.chart.figure.update(sizing_mode="stretch_width", height=168)
        self.pane = pn.pane.Bokeh(self.chart.figure, sizing_mode="stretch_width", margin=0)
        self.pane.visible = False
        self.begin = button(
            "Forecast from here",
            lambda: context.on_messages([{"type": "cycle-forecast"}]),
            "Ten members from the analysis of the day shown",
        )
        self.words = text(
            name="sensitivity", sizing_mode="stretch_width", html_attributes={"role": "status"}
        )
        self.root = block(
            text("<h2>Forecast from an analysis</h2>", "head"),
            fields(self.begin),
            self.words,
            self.pane,
        )

    @property
    def levels(self) -> tuple[float, ...]:
        """Values of the contours."""
        variable = self._bundle.variables[self._v]
        if variable.name == HEIGHT:
            return LEVELS
        usual = self._bundle.climatology(self._bundle.seasons.of(self._bundle.months[0]))[self._v]
        return tuple(round(float(np.nanpercentile(usual, share))) for share in SHARES)

    def start(self, run: CycleRequest, day: FollowedDay, label: str) -> None:
        """Start a forecast from a day of a run."""
        days = cyclable_days(self._bundle)
        at = days.index(label)
        labels = days[at : at + LEADS + 1]
        follows = self._bundle.seasons.step.consecutive(labels)
        end = len(labels) if follows.all() else int(np.argmin(follows)) + 1
        self.job.start(ForecastRequest(run, day.cycle, self._v, labels[:end]), day)

    def show(self, run: CycleRequest, month: str, projection: str, theme: str) -> None:
        """Update the chart; the caller holds the document."""
        job = self.job
        if job.request is not None and job.request.run != run:
            job.forget()
        self.chart.set_theme(theme)
        at = self._at(month)
        self.words.object = f"<p>{escape(self._said(month, at), quote=False)}</p>"
        self.pane.visible = job.request is not None and not job.failed
        shown = None if at is None or at >= len(job.days) else job.days[at]
        key = (shown, projection)
        if not self._drawn or self._drawn[0] is not shown or self._drawn[1] != projection:
            self._drawn = key
            self.chart.draw(
                {} if shown is None else self._lines(shown, month, projection), projection
            )

    def _at(self, month: str) -> int | None:
        request = self.job.request
        if request is None or month not in request.labels:
            return None
        return request.labels.index(month)

    def _lines(self, shown: Any, month: str, projection: str) -> dict[str, Lines]:
        bundle = self._bundle
        truth = (
            bundle.target(month)[self._v] + bundle.climatology(bundle.seasons.of(month))[self._v]
        )

        def of(states: Any) -> Lines:
            return [
                line
                for state in states
                for level in self.levels
                for line in contours(state, bundle.grid, level, projection)
            ]

        return {"members": of(shown[1:]), "analysis": of(shown[:1]), "target": of([truth])}

    def _said(self, month: str, at: int | None) -> str:
        job = self.job
        request = job.request
        if request is None:
            return INTRO
        if job.failed:
            return job.failed
        first, last = (day_words(request.labels[i]) for i in (0, -1))
        if at is None:
            return f"The forecast from {first} goes to {last}; go to one of its days with the bar."
        if at >= len(job.days):
            return f"Forecasting {day_words(month)} …"
        variable = self._bundle.variables[self._v]
        values = " and ".join(f"{level:,.0f}" for level in self.levels)
        return (
            f"{variable.label} of {values} {units(variable, full=True)} on {day_words(month)}, "
            f"day {at} of the forecast from {first}. Thin and blue: members; orange: the "
            "unperturbed forecast; thick and plain: the truth."
        )

    def close(self) -> None:
        """Release everything at the end of the session."""
        self.job.close()
