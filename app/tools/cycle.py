"""The tool Cycle of one session: assimilation through the days, and how it is shown.

What is cycled is in the state (`mlda_core.page_state.cycles`), the day shown is the page's own; the
days of a run follow from them (`app.jobs.cycle`).
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import panel as pn
from numpy.typing import NDArray

from app.charts.cycle import Curves, CycleChart
from app.components import CycleGestures
from app.context import SessionContext
from app.jobs.cycle import CycleJob
from app.maps.frames import PLAIN, Column, ColumnContent
from app.tools.cycle_alone import AloneTool
from app.tools.cycle_forecast import ForecastTool
from app.tools.cycle_form import CycleForm
from app.tools.cycle_panel import CyclePanel
from app.tools.cycle_text import VIEWS, begin_words, network_words, run_label, run_words
from app.tools.explore import follow
from app.tools.heading_cycle import CycleHeading
from mlda_core.climate.errors import UserError
from mlda_core.climate.regions import REGIONS, inside
from mlda_core.page_state.cycle_runs import CycleRequest, cyclable_days, days_from, offered_methods
from mlda_core.page_state.cycles import AREAS, CycleSettings, withheld_on
from mlda_core.page_state.settings import options_of
from mlda_core.page_state.single_observation import AloneRequest

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.cycling.followed import FollowedDay

Float = NDArray[np.floating]
DEFAULT = "3dvar"
# Of the two curves of the method, what each view is about.
OF = {"background": "background", "background_error": "background"}


@lru_cache(maxsize=8)
def network_table(bundle: Bundle, stations: int) -> pd.DataFrame:
    """Return variable, latitude and longitude of a network's observations. Never changed."""
    from mlda_core.evaluation.assimilation import network_of

    places, _ = network_of(bundle, f"stations_{stations}", 0)
    names = np.array([variable.name for variable in bundle.variables])
    return pd.DataFrame({
        "variable": names[places.variable],
        "lat": places.lat,
        "lon": places.lon,
    })  # fmt: skip


class CycleTool:
    """State and figures of the tool Cycle.

    Parameters
    ----------
    context : SessionContext
    offered : bool
        Whether the bundle can be cycled.
    """

    def __init__(self, context: SessionContext, *, offered: bool) -> None:
        bundle = context.bundle
        self.offered = offered
        self._bundle, self._state, self._context = bundle, context.state, context
        self.work = CycleJob(context, self._watched)
        self.methods = offered_methods() if offered else {}
        self.complaint = ""
        # The day to which the run has taken the page; another one is the visitor's.
        self._taken = ""
        self._last_drawn = ""
        self._scene: tuple[tuple[Any, ...], ColumnContent] | None = None
        self._curves: tuple[tuple[Any, ...], Curves] | None = None
        self._fields: dict[tuple[int, str], Float] = {}
        self.panel = CyclePanel(
            context.on_messages,
            methods=[[key, *words] for key, words in self.methods.items()],
            variables=[[variable.name, variable.label] for variable in bundle.variables],
            areas=[[key, area.short] for key, area in AREAS.items()],
        )
        self.alone = AloneTool(context)
        self.gestures = CycleGestures(context.on_messages, margin=0, width=0, height=0)
        # Whether the browser has drawn the page: the form would delay its maps.
        self.opened = False
        self.heading = CycleHeading(context.on_messages, options_of(CycleSettings, "view"))

    # What has charts is made when it is asked for: of bundles that cannot be cycled it would be an
    # eighth of what a visit takes to open.

    @cached_property
    def chart(self) -> CycleChart:
        """Errors over the days of the run."""
        send = self._context.on_messages
        return CycleChart(lambda day: send([{"type": "month", "value": day}]), self._state.theme)

    @cached_property
    def forecast(self) -> ForecastTool:
        """The forecast from an analysis."""
        return ForecastTool(self._context, self._state.theme)

    @cached_property
    def form(self) -> CycleForm:
        """Everything in the column of tools."""
        pane = pn.pane.Bokeh(self.chart.figure, sizing_mode="stretch_width", margin=0)
        return CycleForm(self.panel, pane, (self.alone.root, self.forecast.root))

    @property
    def active(self) -> bool:
        """Whether this tool draws the columns."""
        return bool(self.offered and self._state.tool == "cycle")

    @property
    def settings(self) -> CycleSettings:
        """Those of the state."""
        settings: CycleSettings = self._state.cycles
        return settings

    # -- requests ---------------------------------------------------------------------------

    @property
    def method(self) -> str:
        """The method that is cycled: that of the state, if it is offered."""
        wanted = self.settings.method
        return wanted if wanted in self.methods else DEFAULT

    def request(self) -> CycleRequest:
        """Return the run that the state asks for."""
        s = self.settings
        return CycleRequest(self.method, s.stations, s.first, s.changes)

    def refresh(self) -> None:
        """Request the day shown of the run; it is made in the background."""
        work = self.work
        if not self.active:
            if work.playing:
                work.pause()
            return
        if work.playing and self._state.month != self._taken:
            # The visitor went to another day: the run waits.
            work.pause()
        self.complaint = ""
        if self.settings.method not in self.methods:
            self.complaint = (
                f"The page does not cycle '{self.settings.method}'; it shows "
                f"{self.methods[DEFAULT][0]} instead, so choose a method."
            )
        if not self.settings.first:
            return
        try:
            labels = days_from(self._bundle, self.settings.first)
        except UserError as error:
            self.complaint = str(error)
            return
        month = self._state.month
        there = len(work.days) - 1 if work.request == self.request() else 0
        work.ask(self.request(), labels.index(month) if month in labels else there)
        if self._alone:
            self.alone.refresh(self.observed(), work.days)

    @property
    def _alone(self) -> bool:
        """Whether one observation is shown, and not the run."""
        return self.settings.view == "alone"

    def observed(self) -> AloneRequest | None:
        """Return the single observation that the state asks for; None where there is none."""
        return self.alone.wanted(self.request(), self.labels, self.settings.alone)

    def begin(self, day: str) -> None:
        """Begin a run on a day, or on the first that can be cycled where it cannot."""
        try:
            days_from(self._bundle, day)
        except UserError:
            day = cyclable_days(self._bundle)[0]
        self.show_day(day)
        self._state.cycles = self.settings.replace(first=day, changes=())

    def play(self) -> None:
        """Let the run go on by itself from the last day that is there."""
        self.refresh()
        self._taken = self._state.month
        self.work.play()

    def show_day(self, day: str) -> None:
        """Show a day, in the model too."""
        self._state.month = day
        if self._state.model == "code":
            follow(self._state, self._bundle)

    def _watched(self, number: int) -> None:
        if number < 0:
            self._state.commit()
            self._context.done("The run has ended.")
        elif self.active and self._state.month == self._taken:
            self._taken = self.work.labels[number]
            self.show_day(self._taken)

    # -- what is drawn -----------------------------------------------------------------------

    @property
    def labels(self) -> tuple[str, ...]:
        """Days of the run; none before it has begun, or where it is refused."""
        return self.work.labels if self.settings.first and not self._refused else ()

    @property
    def _refused(self) -> bool:
        return self.work.request != self.request()

    def day_of(self, month: str) -> FollowedDay | None:
        """Return a day of the run, if it is there."""
        labels = self.labels
        at = labels.index(month) if month in labels else len(labels)
        return self.work.days[at] if at < len(self.work.days) else None

    @property
    def month(self) -> str:
        """The day that is drawn: the one before until a new one is there."""
        month: str = self._state.month
        if self.day_of(month) is not None:
            self._last_drawn = month
        elif month in self.labels and self.work.running and self.day_of(self._last_drawn):
            return self._last_drawn
        return month

    @property
    def stale(self) -> bool:
        """Whether what is drawn is still of another day than the state's."""
        return self.month != self._state.month

    def scene(self) -> ColumnContent | None:
        """Return what both columns show, the same object while it stays the same; else None."""
        if not self.active:
            return None
        month, view = self.month, self.settings.view
        if self._alone:
            return self.alone.scene(month, self.observed())
        day = self.day_of(month)
        waits = month in self.labels and self.work.running
        key = (view, month, day, waits)
        if self._scene is None or not _same(self._scene[0], key):
            self._scene = (key, self._make(view, month, day, waits=waits))
        return self._scene[1]

    def _make(
        self, view: str, month: str, day: FollowedDay | None, *, waits: bool
    ) -> ColumnContent:
        truth = self._bundle.target(month)
        words = ("truth", VIEWS[view][0])
        if day is None:
            empty = np.full_like(truth, np.nan)
            right = PLAIN if view in ("analysis", "background") else Column("increment", empty)
            said = () if waits else ((("not cycled", "", ""),),) * len(truth)
            return ColumnContent(truth, empty, words, right=right, readings=said)
        season = self._bundle.seasons.of(month)
        of = OF.get(view, "analysis")
        second = self._shown(getattr(day, of), season)
        right = PLAIN
        if view in ("error", "background_error"):
            right = Column("difference")
        elif view == "increment":
            right = Column("increment", second - self._shown(day.background, season))
        elif view == "spread":
            right = Column("spread", self._spread(day, season))
        return ColumnContent(truth, second, words, right=right)

    def shown_day(self) -> tuple[Float, Float, Float | None] | None:
        """Return background, analysis and spread of the day drawn, display units; None without.

        Each has the shape (V, lat, lon).
        """
        month = self.month
        if self._alone:
            found = self.alone.shown_day(month, self.observed())
            return None if found is None else (*found, None)
        day = self.day_of(month)
        if day is None:
            return None
        season = self._bundle.seasons.of(month)
        background, analysis = (self._shown(x, season) for x in (day.background, day.analysis))
        return background, analysis, self._spread(day, season)

    def _shown(self, state: NDArray[Any], season: int) -> Float:
        from mlda_core.cycling.followed import shown

        return shown(self._bundle, state, season).astype(np.float32)

    def _spread(self, day: FollowedDay, season: int) -> Float | None:
        from mlda_core.cycling.followed import shown_spread
        from mlda_core.cycling.method import Estimate

        if day.spread is None:
            return None
        mean, sd = (x.astype(np.float64).ravel() for x in (day.analysis, day.spread))
        spread = shown_spread(self._bundle, Estimate(mean, sd), season)
        return None if spread is None else spread.astype(np.float32)

    def table(self) -> pd.DataFrame:
        """Return the network on the day drawn, as the markers take it."""
        if self._alone:
            return self.alone.table(self.observed())
        rows = network_table(self._bundle, self.settings.stations)
        area = withheld_on(self.settings, self.month)
        held = np.zeros(len(rows), bool)
        if area:
            held = inside(AREAS[area], rows["lat"].to_numpy(), rows["lon"].to_numpy())
        return rows.assign(withheld=held, touched=held)

    def roles(self) -> dict[str, str]:
        """Return of each variable whether it is observed."""
        if self._alone:
            return {}
        given = set(network_table(self._bundle, self.settings.stations)["variable"])
        return {
            variable.name: "observed" if variable.name in given else "inferred"
            for variable in self._bundle.variables
        }

    def outlined(self) -> list[tuple[float, float, float, float]]:
        """Return the area that is withheld on the day drawn, and that of the curves."""
        keys = (withheld_on(self.settings, self.month), self.settings.over)
        return [
            (area.south, area.north, area.west, area.east)
            for area in (AREAS[key] for key in keys if key)
            if area is not REGIONS["globe"]
        ]

    # -- the curves --------------------------------------------------------------------------

    @property
    def variable(self) -> str:
        """The variable of the curves."""
        names = [variable.name for variable in self._bundle.variables]
        wanted = self.settings.variable
        return wanted if wanted in names else "zg500" if "zg500" in names else names[0]

    @property
    def region(self) -> str:
        """Where the errors of the curves are averaged, as people write it."""
        return AREAS[self.settings.over].short

    def curves(self) -> Curves:
        """Return the curves, the same object while they stay the same."""
        s, work = self.settings, self.work
        of = OF.get(s.view, "analysis")
        days = work.days if self.labels else []
        last = days[-1] if days else None
        key = (self.variable, s.over, of, last, len(days), work.earlier, self.labels, s.changes)
        if self._curves is None or not _same(self._curves[0], key):
            self._curves = (key, self._drawn(of))
        return self._curves[1]

    def _drawn(self, of: str) -> Curves:
        work, labels = self.work, self.labels
        names = [variable.name for variable in self._bundle.variables]
        v, a = names.index(self.variable), list(AREAS).index(self.settings.over)

        def values(errors: Any, name: str) -> NDArray[np.float64]:
            return np.array([day[name][a, v] for day in errors])

        errors = [day.errors for day in work.days] if labels else []
        kinds = {"chosen": of, "spread": f"{of}_spread", "static": "static", "free": "free"}
        lines = {kind: values(errors, name) for kind, name in kinds.items()}
        label = self.methods[self.method][0]
        said = {"chosen": f"{label}: {of}", "spread": "its own spread", "free": "free forecast"}
        if self.method != "static":
            said["static"] = "static analysis"
        if not np.isfinite(lines["spread"]).any():
            del said["spread"]
        earlier = work.earlier
        if earlier is not None:
            lines["earlier"] = values(earlier.errors, of)
            method = self.methods[earlier.request.method][0]
            said["earlier"] = run_label(earlier.request, method, self.request())
        variable = self._bundle.variables[v]
        from app.maps.color_scales import units

        return Curves(
            labels,
            lines,
            said if errors else {},
            earlier.labels if earlier is not None else (),
            self._stretches(),
            units(variable, full=False),
            f"RMSE of {variable.label}",
        )

    def _stretches(self) -> tuple[tuple[str, str], ...]:
        """Return first and last day of each stretch of the run with fewer stations."""
        found: list[list[str]] = []
        before = ""
        for day in self.labels[: len(self.work.days)]:
            area = withheld_on(self.settings, day)
            if area and area == before:
                found[-1][1] = day
            elif area:
                found.append([day, day])
            before = area
        return tuple((first, last) for first, last in found)

    # -- controls ----------------------------------------------------------------------------

    def show(self) -> None:
        """Update the controls; the caller holds the document."""
        if not self.active:
            # A day that goes on while another tool is open: nobody waits for it here.
            self.gestures.put(busy=False)
            return
        s, work = self.settings, self.work
        labels, month = self.labels, self._state.month
        self.panel.put(
            settings={
                "method": self.method,
                "stations": s.stations,
                "variable": self.variable,
                "over": s.over,
                "withheld": withheld_on(s, month),
            },
            words={
                "method": f"{self.methods[self.method][1]}.",
                "run": self._run_words(),
                "network": network_words(s, month),
            },
            playing=work.playing,
            begun=bool(labels),
            within=month in labels,
            done=len(work.days) if labels else 0,
            total=len(labels),
        )
        if self.opened:
            self.form.build()
            self.heading.build()
        self.alone.show(self.observed())
        self.forecast.show(self.request(), month, self._state.projection, self._state.theme)
        waited = work.running or (self._alone and self.alone.job.running)
        self.gestures.put(clicks=self._alone, busy=waited and not work.playing)
        self.chart.draw(self.curves(), self.month)
        self.chart.set_theme(self._state.theme)
        self.heading.put(view=s.view, note=self._note(), stale=self.stale)

    def _run_words(self) -> str:
        if self.complaint:
            return self.complaint
        if not self.labels:
            return begin_words()
        work = self.work
        return run_words(
            self.labels,
            len(work.days),
            self._state.month,
            running=work.running,
            playing=work.playing,
            failed=work.failed,
        )

    def _note(self) -> str:
        if self.stale:
            return f"still of {self.month}"
        if self._alone:
            return self.alone.note(self.month, self.observed())
        if self.day_of(self.month) is not None:
            return ""
        return "…" if self.month in self.labels and self.work.running else "not cycled"

    @property
    def pending(self) -> bool:
        """Whether the day shown is under way."""
        return self.work.running and not self.work.playing and self.stale

    def nino_words(self) -> tuple[str, str] | None:
        """Return what the two numbers of Nino 3.4 are of; None where they are of no day."""
        if self.day_of(self.month) is None or self._alone:
            return None
        return "truth", OF.get(self.settings.view, "analysis")

    def close(self) -> None:
        """Release everything at the end of the session."""
        self.work.close()
        self.alone.close()
        if self.offered:
            self.forecast.close()
        self.gestures.listen(None)
        self.panel.listen(None)
        self.heading.listen(None)


def _same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Whether two keys hold the same objects; arrays are not compared by value."""
    return all(
        a is b or (isinstance(a, str | bool | int | tuple) and a == b)
        for a, b in zip(one, other, strict=True)
    )
