"""The card of one observation: what it said, what was expected, what it moved, and why no more."""

from __future__ import annotations

import math
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import panel as pn

from app.charts.densities import Curve, Densities, DensityChart, Mark, normal
from app.context import SessionContext
from app.jobs.analysis import AnalysisJob, sentence
from app.jobs.worker import ANALYSES, Latest
from app.text import number, short_labels, signed
from app.web_files import read
from app.widgets import button, row, text
from mlda_core.assimilation.methods import METHODS
from mlda_core.assimilation.observation_influence import (
    ObservationInfluence,
    observation_influence,
)
from mlda_core.page_state.analyses import AnalysisRequest, engine_of

if TYPE_CHECKING:
    from app.state import State

HEIGHT = 92


def densities_of(found: ObservationInfluence) -> Densities:
    """Return the picture of a card."""
    after = "with it" if found.use == "used" else "were it used"
    known = normal(after, "analysis", found.analysis, found.analysis_sd, fill=True)
    if found.density is not None:
        known = Curve(after, "analysis", *found.density, fill=True)
    mark = Mark("the observation", "text", found.value, found.error_sd)
    if not np.isnan(found.low):
        mark = Mark("what it says", "text", np.nan, low=found.low, high=found.high)
    return Densities(
        (
            normal("before any", "muted", found.background, found.background_sd, dash="dashed"),
            normal("from the others", "changed", found.others, found.others_sd),
            known,
        ),
        (mark,),
        found.units,
    )


def facts(found: ObservationInfluence) -> list[tuple[str, str]]:
    """Return the numbers of a card, with what they are."""
    n = 1 if found.background_sd >= 3 else 2
    unit = found.units

    def pair(value: float, sd: float) -> str:
        return f"{signed(value, n)} ± {number(sd, n)} {unit}"

    chances = found.chances
    words = found.words
    if not np.isnan(found.low) and found.kind == "report":
        words += f": {_range(found.low, found.high, n)} {unit}, ± {number(found.error_sd, n)}"
    probable = [] if chances is None else [
        ("Probability of that, before any", f"{100 * chances.before:.0f} %"),
        ("From the others", f"{100 * chances.others:.0f} %"),
        ("Once it is used", f"{100 * chances.after:.0f} %"),
    ]  # fmt: skip
    return [
        ("It says", words),
        *probable,
        ("Expected before any observation", pair(found.background, found.background_sd)),
        ("Expected from the others", pair(found.others, found.others_sd)),
        ("Analysis there" if found.use == "used" else "Analysis, were it used",
         pair(found.analysis, found.analysis_sd)),
        ("The others had told", f"{100 * found.told:.0f} % of the variance there"),
        ("Its own say in the analysis there",
         f"{100 * found.influence:.0f} % (alone: {100 * found.alone:.0f} %)"),
    ]  # fmt: skip


def _range(low: float, high: float, digits: int) -> str:
    """Return a class's ends as people write them.

    >>> _range(-math.inf, -1.5, 1), _range(-1.5, 0.5, 1)
    ('below −1.5', '−1.5 to +0.5')
    """
    if math.isinf(low):
        return f"below {signed(high, digits)}"
    if math.isinf(high):
        return f"above {signed(low, digits)}"
    return f"{signed(low, digits)} to {signed(high, digits)}"


class ObservationCard:
    """The card of the observation that is selected alone.

    Parameters
    ----------
    context : SessionContext
    work : AnalysisJob
        The analyses of the observations.
    row_of : callable
        Returns the row selected alone; None where it is none.
    """

    def __init__(
        self, context: SessionContext, work: AnalysisJob, row_of: Callable[[], int | None]
    ) -> None:
        self._state: State = context.state
        self._bundle, self._analyses, self._row_of = context.bundle, work, row_of
        self._changed = context.redraw
        self._work = Latest(context.schedule, self._broken, pool=ANALYSES)
        self._asked: tuple[AnalysisRequest, int] | None = None
        self._drawn: ObservationInfluence | None = None
        self._failed = ""
        self._names = short_labels(context.bundle.variables)
        self.found: ObservationInfluence | None = None
        self.chart = DensityChart(context.state.theme, HEIGHT)
        self.title = text(name="title", sizing_mode="stretch_width")
        self.words = text(name="card", sizing_mode="stretch_width")
        self.close_button = button(
            "Close", lambda: context.on_messages([{"type": "obs-card-close"}]), "Select nothing"
        )
        self.root = pn.Column(
            row(self.title, self.close_button),
            pn.pane.Bokeh(self.chart.figure, sizing_mode="stretch_width", margin=0),
            self.words,
            visible=False,
            margin=0,
            sizing_mode="stretch_width",
            stylesheets=[read("widgets/parts.css")],
            css_classes=["card"],
        )
        self.root.jscallback(visible=read("callbacks/into_sight.js"))

    def refresh(self) -> None:
        """Look the selected observation up in the background, once there is an analysis."""
        row, task = self._row_of(), self._analyses.task
        if row is None or self._state.tool != "observe":
            self._asked = self.found = None
            return
        if task is None or not self._analyses.answered or row >= len(task.observations):
            return
        if not METHODS[task.method].posterior:
            self.found = None
            self._failed = (
                "This method has no posterior, so what an observation tells is not known."
            )
            return
        known = self._asked
        if known is not None and known[0] is task and known[1] == row:
            return
        # What was found is of another row or analysis.
        self._asked, self._failed, self.found = (task, row), "", None
        bundle = self._bundle

        def made(found: ObservationInfluence) -> None:
            self.found = found
            self._changed()

        self._work.submit(
            lambda _: observation_influence(
                engine_of(bundle), task.observations, task.month, row, **task.settings
            ),
            made,
        )

    def _broken(self, error: Exception) -> None:
        self.found, self._failed = None, sentence(error, "The card")
        self._changed()

    def show(self) -> None:
        """Update the card; the caller holds the document."""
        row = self._row_of()
        self.root.visible = row is not None and self._state.tool == "observe"
        if row is None:
            return
        self.chart.set_theme(self._state.theme)
        found = self.found
        if found is None or self._asked is None or self._asked[1] != row:
            self.title.object = f"Observation {row + 1}"
            self.words.object = f"<p>{escape(self._failed or 'Looking it up …')}</p>"
            self.chart.draw(Densities())
            self._drawn = None
            return
        name = self._names.get(found.variable, found.variable)
        label = f", {found.label}" if found.label else ""
        where = escape(f"{name} {found.where}{label}")
        # A long one is cut off; whole it is in its tooltip.
        title = f"<b>Observation {row + 1}</b>: {where}"
        self.title.object = f'<span title="{where}">{title}</span>'
        if self._drawn is not found:
            self._drawn = found
            self.chart.draw(densities_of(found))
        rows = "".join(
            f'<tr><td style="color:var(--muted);padding-right:8px">{escape(what)}</td>'
            f"<td>{escape(value)}</td></tr>"
            for what, value in facts(found)
        )
        self.words.object = (
            f'<div style="font-size:12px">{self.chart.key()}</div>'
            f'<p class="sentence" role="status">{escape(found.sentence())}</p>'
            f'<details><summary>Numbers</summary><table style="font-size:12px">{rows}</table>'
            "</details>"
        )

    def close(self) -> None:
        """Release everything at the end of the session."""
        self._work.cancel()
