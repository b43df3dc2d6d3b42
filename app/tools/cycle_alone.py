"""One observation through time, in the tool Cycle: what it does to the days before and after."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from app.context import SessionContext
from app.jobs.cycle_alone import AloneJob
from app.maps.color_scales import Look, units
from app.maps.frames import Column, ColumnContent
from app.text import place, signed
from app.tools.cycle_text import day_words
from app.widgets import Choice, Decimal, block, button, fields, text
from mlda_core.climate.scales import round_end
from mlda_core.page_state.cycle_runs import CycleRequest
from mlda_core.page_state.cycles import Alone
from mlda_core.page_state.single_observation import AFTER, BEFORE, AloneRequest

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.cycling.followed import FollowedDay

# Where nothing else is said: south of Iceland, where the weather of Europe comes from.
PLACE = (55.0, 340.0)
# Where the colours end, as a share of the largest increment.
PEAK = 0.6
INTRO = (
    f"4D-Var assimilates the true value at one place on the day shown, in a window from {BEFORE} "
    f"days before to {AFTER} after; go through its days with the arrows of the bar. A click on a "
    "map observes there."
)


class AloneTool:
    """Controls and columns of a single observation.

    Parameters
    ----------
    context : SessionContext
    """

    def __init__(self, context: SessionContext) -> None:
        self._bundle: Bundle = context.bundle
        self.job = AloneJob(context)
        self._drawn: tuple[tuple[Any, ...], ColumnContent] | None = None
        self._shown: Alone | None = None
        send = context.on_messages
        self._names = {variable.name: variable.label for variable in self._bundle.variables}
        self.variable = Choice(
            "Variable of the observation",
            lambda _: None,
            self._names,
            next(iter(self._names)),
            css_classes=["raised", "grows"],
        )
        self.lat = self._number("°N", PLACE[0], "Latitude of the observation, degrees north")
        self.lon = self._number("°E", PLACE[1], "Longitude of the observation, degrees east")
        self.observe = button(
            "Observe here",
            lambda: send([{"type": "cycle-alone", **self.given()}]),
            "Assimilate it alone on the day shown",
        )
        self.words = text(
            name="sensitivity", sizing_mode="stretch_width", html_attributes={"role": "status"}
        )
        self.root = block(
            text("<h2>One observation through time</h2>", "head"),
            fields(self.variable.widget),
            fields(self.lat.widget, self.lon.widget, self.observe),
            self.words,
        )

    def _number(self, label: str, value: float, title: str) -> Decimal:
        return Decimal(
            label,
            lambda _: None,
            value,
            title=title,
            width=74,
            css_classes=["labelled"],
        )

    def given(self) -> dict[str, Any]:
        """Return what the inputs say."""
        return {
            "variable": self.variable.widget.value,
            "lat": self.lat.value,
            "lon": self.lon.value,
        }

    # -- what is asked -----------------------------------------------------------------------

    def wanted(
        self, run: CycleRequest, labels: tuple[str, ...], alone: Alone | None
    ) -> AloneRequest | None:
        """Return the window that the state asks for; None where its day is not of the run."""
        if alone is None or alone[3] not in labels:
            return None
        return AloneRequest(run, alone, labels)

    def refresh(self, request: AloneRequest | None, days: Sequence[FollowedDay]) -> None:
        """Request a window, once the run has come to its first day."""
        if request is not None and request.window[0] < len(days):
            self.job.ask(request, days[request.window[0]].analysis)

    # -- what is drawn -----------------------------------------------------------------------

    def scene(self, month: str, request: AloneRequest | None) -> ColumnContent:
        """Return truth and increment of a day, the same object while they stay the same."""
        result = self.job.result if self.job.asked == request else None
        key = (month, result, self.job.running)
        if self._drawn is None or any(
            a is not b and not (isinstance(a, str) and a == b)
            for a, b in zip(self._drawn[0], key, strict=True)
        ):
            self._drawn = key, self._make(month, request)
        return self._drawn[1]

    def _make(self, month: str, request: AloneRequest | None) -> ColumnContent:
        truth = self._bundle.target(month)
        empty = np.full_like(truth, np.nan)
        words = ("truth", "increment")
        variables = self._bundle.variables
        result = self.job.result
        at = self._at(month, request)
        if result is None or result.request != request or at is None:
            waits = self.job.running and at is not None
            said = () if waits else ((("no window", "", ""),),) * len(variables)
            return ColumnContent(
                truth, empty, words, right=Column("increment", empty), readings=said
            )
        increment = result.analysis[at] - result.background[at]
        look = Look(
            # One scale for all days: how the increment grows and fades is seen. Its peak is
            # narrow, and away from it all would be pale.
            limits=tuple(round_end(PEAK * float(top) or 1.0) for top in result.largest),
            units=tuple(units(variable, full=False) for variable in variables),
            words="increment",
        )
        readings = tuple(
            (
                ("largest", signed(_largest(field), 2), units(variable, full=False)),
                ("all days", signed(float(top), 2).lstrip("+"), units(variable, full=False)),
            )
            for field, top, variable in zip(increment, result.largest, variables, strict=True)
        )
        return ColumnContent(
            truth,
            result.analysis[at],
            words,
            right=Column("increment", increment, look=look),
            readings=readings,
        )

    def shown_day(self, month: str, request: AloneRequest | None) -> tuple[Any, Any] | None:
        """Return a day without the observation and with it, display units; None beside the window.

        Each has the shape (V, lat, lon).
        """
        result, at = self.job.result, self._at(month, request)
        if result is None or result.request != request or at is None:
            return None
        return result.background[at], result.analysis[at]

    def _at(self, month: str, request: AloneRequest | None) -> int | None:
        """Return which day of the window a day is; None beside it."""
        if request is None or month not in request.labels:
            return None
        first, last = request.window
        at = request.labels.index(month)
        return at - first if first <= at <= last else None

    def table(self, request: AloneRequest | None) -> pd.DataFrame:
        """Return the observation as the markers take it."""
        alone = [request.alone] if request is not None else []
        return pd.DataFrame({
            "variable": [one[0] for one in alone],
            "lat": np.array([one[1] for one in alone], float),
            "lon": np.array([one[2] for one in alone], float),
            "withheld": np.zeros(len(alone), bool),
            "touched": np.ones(len(alone), bool),
        })  # fmt: skip

    # -- controls ----------------------------------------------------------------------------

    def note(self, month: str, request: AloneRequest | None) -> str:
        """Return how far the day shown is from that of the observation."""
        at = self._at(month, request)
        if request is None or at is None:
            return "no window"
        if self.job.running:
            return "computing …"
        away = request.window[0] + at - request.cycle
        if not away:
            return "the day of the observation"
        days = "1 day" if abs(away) == 1 else f"{abs(away)} days"
        return f"{days} {'after' if away > 0 else 'before'} it"

    def show(self, request: AloneRequest | None) -> None:
        """Update the controls; the caller holds the document."""
        alone = None if request is None else request.alone
        if alone is not None and alone != self._shown:
            self.variable.show(alone[0])
            self.lat.show(alone[1])
            self.lon.show(alone[2])
        self._shown = alone
        self.words.object = f"<p>{escape(self._said(request), quote=False)}</p>"

    def _said(self, request: AloneRequest | None) -> str:
        job = self.job
        if request is None:
            return INTRO
        name, lat, lon, day = request.alone
        what = f"{self._names.get(name, name)} at {place(lat, lon)} on {day_words(day)}"
        if job.failed and job.asked == request:
            return job.failed
        if job.result is None or job.result.request != request:
            return f"Computing what is made of {what} …"
        unit = {v.name: units(v, full=False) for v in self._bundle.variables}[name]
        first, last = (day_words(request.labels[i]) for i in request.window)
        return (
            f"{what}: {signed(job.result.departure, 1)} {unit} from the forecast of the window's "
            f"first day. Window {first} to {last}."
        )

    def close(self) -> None:
        """Release everything at the end of the session."""
        self.job.close()


def _largest(field: Any) -> float:
    """Return the value that is furthest from zero."""
    flat = np.nan_to_num(np.asarray(field, float)).ravel()
    return float(flat[np.abs(flat).argmax()])
