"""The foot of one session's page: scores of the analysis by method, and series over all months."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.components import Message
from app.context import Action, SessionContext, merge_actions
from app.jobs.analysis import sentence
from app.jobs.worker import ANALYSES, Latest
from app.results.attribution import EVERY, TURN, AttributionPanel
from app.results.departures import DeparturesPanel
from app.results.impacts import ImpactPanel
from app.results.members import MembersPanel
from app.results.panel import PARTS, Foot, regions_of
from app.results.view import FootView
from app.tools.methods import METHOD_LABELS, methods_of
from app.tools.observe import ObserveTool
from app.tools.observe_text import month_words, scenario
from mlda_core.assimilation.methods import scored_in
from mlda_core.assimilation.regional_series import Point, Series, by_season, months_of, observer
from mlda_core.climate.errors import UserError
from mlda_core.climate.regions import REGIONS, Region, drawn_box
from mlda_core.evaluation.verification import verify
from mlda_core.page_state.analyses import AnalysisRequest, engine_of
from mlda_core.page_state.rows import InvalidObservationError
from mlda_core.page_state.snapshot import OTHERS

if TYPE_CHECKING:
    from app.tools.pinned import Pinned
    from mlda_core.assimilation.analysis import Analysis

BOX = "box"
# Climatology is the zero of the scores.
COMPARED = scored_in("assimilation")
# Rows of the table that are no methods: what is pinned, and the model where it is no analysis.
PINNED, MODEL = "pinned", "model"
_ROWS = {
    PINNED: ["Pinned state", "The state that stays in the left column while the model goes on"],
    MODEL: ["Model", "The state in the model column, which is no analysis"],
}
# More observations than this are a dense network, whose factors take seconds a calendar month.
DENSE = 1000


class VerificationPanel:
    """State and actions of the foot.

    Parameters
    ----------
    context : SessionContext
    observe : ObserveTool
        Whose analysis is verified.
    pinned : Pinned, optional
        Is scored too.
    model : callable
        Returns the anomalies that the model shows.
    """

    def __init__(
        self,
        context: SessionContext,
        observe: ObserveTool,
        pinned: Pinned | None = None,
        model: Callable[[], Any] = lambda: None,
    ) -> None:
        bundle, state = context.bundle, context.state
        self._pinned, self._model = pinned, model
        self._bundle, self._state, self._observe, self._say = bundle, state, observe, context.say
        self._compare = Latest(context.schedule, self._broken_comparison, pool=ANALYSES)
        self._run = Latest(context.schedule, self._broken_series, pool=ANALYSES)
        self._analyses: dict[str, Any] = {}
        self._analyses_of: tuple[Any, ...] | None = None
        self._table: Any = None
        self._scored: Any = None
        self._of: dict[str, Any] = {}
        self._series: Series | None = None
        self._series_of: tuple[Any, ...] | None = None
        self._charted: Any = None
        self._running = False
        self._shown_box: Any = None
        self._progress: dict[str, Any] = {"running": False}
        self.foot = Foot(
            context.on_messages,
            variables=bundle.variables,
            methods=methods_of(bundle),
            regions=regions_of(bundle),
            month=state.month,
            step=bundle.seasons.step,
            theme=state.theme,
        )
        self.attribution = AttributionPanel(context, self.foot, lambda: self._region)
        self.impacts = ImpactPanel(context, self.foot)
        self.departures = DeparturesPanel(context, self.foot, observe, lambda: self._region)
        self.members = MembersPanel(context, self.foot, observe)
        observe.ask_place = self.departures.ask_place
        self.view = FootView(self.foot)

    @property
    def _region(self) -> Region:
        box = self._state.observations.region
        if self.foot.region == BOX and box is not None:
            return drawn_box(*box)
        return REGIONS.get(self.foot.region, REGIONS["globe"])

    def show(self) -> None:
        """Update the foot; the caller holds the document."""
        state, foot = self._state, self.foot
        box = state.observations.region
        if box != self._shown_box:
            self._shown_box = box
            foot.set_box(None if box is None else drawn_box(*box).label)
        perturbs = state.tool == "perturb" and self._bundle.sea_row >= 0
        # Perturb shows other analyses than those that are scored here.
        analysed = state.model == "analysis" and not perturbs
        shown = state.observations.method if analysed else ""
        mode = "perturb" if perturbs else "observe"
        turned = mode != foot.mode
        foot.put(month=state.month, method=shown, mode=mode, theme=state.theme)
        self.impacts.show()
        if mode == "observe":
            self.departures.follow()
            self.members.follow()
        self._show_scores()
        if mode == "perturb":
            if turned:
                self.attribution.again()
            self.attribution.show()
            return
        if turned:
            self._charted = None
            foot.stale = ""
            foot.show_progress(**self._progress)
        self.departures.show()
        self.members.show()
        if "series" in foot.opened:
            self._show_series()

    def outlined(self) -> list[tuple[float, float, float, float]]:
        """Return the region that the open parts average over; none for the whole globe."""
        region, parts = self._region, {"scores", "series", "drivers", "densities"}
        places = self.departures.outlined()
        if not parts & set(self.foot.opened) or region == REGIONS["globe"]:
            return places
        return [*places, (region.south, region.north, region.west, region.east)]

    def actions(self) -> Mapping[str, Action]:
        """Return what each message of the foot does."""
        own = {
            "foot": self.open_parts,
            "foot-region": self.choose_region,
            "method": self.choose_method,
            "compare": self.compare,
            "series-start": self.start_series,
            "series-cancel": self.cancel_series,
        }
        return merge_actions(
            own,
            self.impacts.actions(),
            self.attribution.actions(),
            self.departures.actions(),
            self.members.actions(),
        )

    # -- the table ---------------------------------------------------------------------------

    def _show_scores(self) -> None:
        if "scores" not in self.foot.opened:
            # Made no more, they would be of another month or network when it opens again.
            self._forget_scores()
            return
        work = self._observe.analysing
        task = work.task
        rows, notes = self._rows_beside()
        decoded = self._state.model != "analysis"
        if task is None or work.analysis is None or not work.answered:
            if rows and decoded:
                self._score({}, None, self._state.month, rows, notes)
            return
        if decoded and task.month != self._state.month:
            # No analysis is shown, and the last one made is of another month.
            if rows:
                self._score({}, None, self._state.month, rows, notes)
            else:
                self._forget_scores()
            return
        key = (task.month, task.localisation, task.residual)
        if self._analyses_of != key or self._table is not task.observations:
            self._analyses_of, self._table, self._analyses = key, task.observations, {}
            self._scored = None
            self._compare.cancel()
            self.foot.busy = ""
        self._analyses[task.method] = work.analysis.anomalies
        ordered = {m: self._analyses[m] for m in COMPARED if m in self._analyses}
        if task.month != self._state.month:
            rows, notes = {}, ()
        self._score(ordered, task, task.month, rows, (*self._notes(task), *notes))

    def _score(
        self,
        analyses: dict[str, Any],
        task: AnalysisRequest | None,
        month: str,
        rows: dict[str, Any],
        notes: tuple[str, ...],
    ) -> None:
        """Put scores into the table, unless they are there: analyses, and states beside them."""
        fields = analyses | rows
        settings = None if task is None else (task.localisation, task.residual)
        scored = (month, settings, tuple(map(id, fields.values())), self._region, notes)
        if scored == self._scored:
            return
        # What is scored is held, or another array could have its place and its id.
        self._scored, self._of = scored, fields
        found = verify(
            fields,
            self._bundle,
            target=self._bundle.target(month),
            observations=None if task is None else task.observations,
            region=self._region,
            month=month,
        )
        # A pinned analysis may have been given what is withheld now.
        withheld = {k: v for k, v in found.withheld.items() if k[0] not in rows}
        self.foot.extra = [[key, *_ROWS[key]] for key in rows]
        self.foot.show_scores(replace(found, withheld=withheld, words=(*notes, *found.words)))

    def _rows_beside(self) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Return the pinned state, the model if it is no analysis, and what they are, in words."""
        pinned, state = self._pinned, self._state
        if pinned is None or not state.pinned or state.tool in OTHERS:
            return {}, ()
        if pinned.month != state.month:
            why = f"The pinned state ({pinned.words}) is of another {self._bundle.seasons.step}: "
            return {}, (f"{why}it is not scored here.",)
        if pinned.fields is None:
            return {}, ()
        rows = {PINNED: pinned.fields}
        if state.model != "analysis":
            rows[MODEL] = self._model()
        return rows, (f"Pinned: {pinned.words}.",)

    def _forget_scores(self) -> None:
        self._scored = None
        self.foot.put(scores={}, extra=[])

    def _notes(self, task: AnalysisRequest) -> tuple[str, ...]:
        """Return what the scores are of, where that is not what one would think."""
        notes = []
        if self.foot.mode == "perturb":
            made_of = scenario(self._state.observations)
            notes.append(
                f"Scored is the analysis of the tool Observe ({made_of}; {task.month}), not what "
                "Perturb shows."
            )
        if other := month_words(self._observe.table, self._state.month):
            notes.append(other)
        if self.foot.mode == "observe":
            notes += self._observe.next.promise_words()
        return tuple(notes)

    def open_parts(self, message: Message) -> str | None:
        """Open or fold a part."""
        parts = message.get("value")
        if not isinstance(parts, list) or not all(
            isinstance(part, str) and part in PARTS for part in parts
        ):
            raise InvalidObservationError("The foot of the page has no such part; reload the page.")
        self.foot.opened = parts
        # Which impact, place and members are shown stands in links.
        holders = (self.impacts, self.departures, self.members)
        changed = [holder.opened(parts) for holder in holders]
        return "" if any(changed) else None

    def choose_region(self, message: Message) -> None:
        """Verify over another region."""
        key = message.get("value")
        if key not in [region[0] for region in self.foot.regions]:
            raise InvalidObservationError(f"There is no region '{str(key)[:24]}'; draw it first.")
        self.foot.region = str(key)
        self._charted = None

    def choose_method(self, message: Message) -> str:
        """Show the analysis of a method."""
        made = self._state.observations.adjust({"method": message.get("value")})
        self._observe.show_analysis(observations=made)
        return f"The model shows {METHOD_LABELS.get(made.method, made.method)}."

    def compare(self, _: Message) -> None:
        """Run every method on the same observations."""
        task = self._observe.analysing.task
        if task is None:
            raise InvalidObservationError(
                "There is no analysis to compare with; press Resume first."
            )
        if self.foot.busy:
            # A second press: it is under way.
            return
        missing = [m for m in methods_of(self._bundle) if m in COMPARED and m not in self._analyses]
        bundle = self._bundle

        def make() -> Iterator[tuple[str, Analysis | None, str]]:
            for method in missing:
                yield method, None, ""
                settings = {**task.settings, "method": method}
                try:
                    made = engine_of(bundle).run(task.observations, task.month, **settings)
                except UserError as error:
                    # Regression is refused without an observed sea; the other methods go on.
                    yield method, None, sentence(error, METHOD_LABELS.get(method, method))
                else:
                    yield method, made, ""

        def deliver(result: tuple[str, Analysis | None, str]) -> None:
            method, made, words = result
            if made is not None:
                self._analyses[method] = made.anomalies
            elif words:
                self._say(words)
            else:
                self.foot.busy = f"running {METHOD_LABELS.get(method, method)}"
            if method == missing[-1] and (made is not None or words):
                self.foot.busy = ""
            self._show_scores()

        if missing:
            self.foot.busy = f"running {METHOD_LABELS.get(missing[0], missing[0])}"
            self._compare.stream(make, deliver, pace=TURN)

    def _broken_comparison(self, error: Exception) -> None:
        self.foot.busy = ""
        self._say(sentence(error, "The comparison"), failed=True)

    # -- the series ----------------------------------------------------------------------------

    def _scenario(self) -> Series:
        """Return the series of the present observations; another one when these change."""
        observed = self._state.observations
        key = observed.analysed
        if self._series is None or self._series_of != key:
            if self._series is not None:
                self._run.cancel()
                words = "Stopped: what is observed has changed." if self._running else ""
                self._running = False
                self._tell(words=words)
            observe = observer(
                self._observe.table.everywhere,
                self._bundle,
                error=observed.error,
                seed=observed.noise,
            )
            self._series = Series(
                self._bundle,
                observe,
                method=observed.method,
                settings={"residual": observed.residual, "localisation": observed.localisation},
            )
            self._series_of, self._charted = key, None
        return self._series

    def _show_series(self) -> None:
        series = self._scenario()
        key = (series, self._region)
        if key != self._charted:
            self._charted = key
            self.foot.show_series(series.means(self._region), scenario(self._state.observations))

    def start_series(self, message: Message) -> None:
        """Assimilate the months of a scope that are missing."""
        scope, step = message.get("value"), self._bundle.seasons.step
        if scope not in ("test", "all"):
            raise InvalidObservationError(
                f"There are no {step.plural} '{str(scope)[:24]}'; choose test or all."
            )
        if self.foot.mode == "perturb":
            self.attribution.start(scope)
            return
        series, bundle = self._scenario(), self._bundle
        if self._running:
            # A second press: it is under way.
            return
        months = months_of(bundle, "test" if scope == "test" else "all")
        if len(self._observe.table) > DENSE:
            months = by_season(months, self._state.month)
        total = len(series.missing(months))
        if not total:
            self._tell(words=f"These {step.plural} are all done.")
            return
        self._running = True
        self._tell(0, total, running=True)

        def deliver(point: Point) -> None:
            last = point.done == point.total
            self._running = not last
            if point.done % EVERY == 0 or last:
                if self.foot.mode == "observe":
                    self.foot.show_analysis(series.means(self._region))
                words = f"{point.total} {step.plural} computed." if last else ""
                self._tell(point.done, point.total, running=not last, words=words)

        self._run.stream(lambda: series.run(engine_of(bundle), months), deliver, pace=TURN)

    def cancel_series(self, _: Message) -> None:
        """Stop the series; the months done stay."""
        if self.foot.mode == "perturb":
            self.attribution.cancel()
            return
        if not self._running:
            # It ended just as the button was pressed, and its outcome is shown.
            return
        self._run.cancel()
        self._running = False
        if self._series is not None:
            self.foot.show_analysis(self._series.means(self._region))
        self._tell(words="Cancelled; what is done stays.")

    def _broken_series(self, error: Exception) -> None:
        self._running = False
        self._tell(words=sentence(error, "The series"), failed=True)

    def _tell(
        self,
        done: int = 0,
        total: int = 0,
        *,
        running: bool = False,
        words: str = "",
        failed: bool = False,
    ) -> None:
        """Show how far the series is, now or when the foot shows it again."""
        self._progress = {
            "done": done, "total": total, "running": running, "words": words, "failed": failed,
        }  # fmt: skip
        if self.foot.mode == "observe":
            self.foot.show_progress(**self._progress)

    def close(self) -> None:
        """Release everything at the end of the session."""
        self._compare.cancel()
        self._run.cancel()
        self.attribution.close()
        self.departures.close()
        self.foot.listen(None)
