"""Results of a perturbed sea for the foot: series with and without it, and the drivers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from app.components import Message
from app.context import Action, SessionContext
from app.jobs.analysis import sentence
from app.jobs.worker import ANALYSES, Latest
from app.results.panel import CHANGED, Foot
from mlda_core.assimilation.regional_series import Analyses, months_of
from mlda_core.climate.regions import Region
from mlda_core.page_state.perturbations import Place, region_of
from mlda_core.page_state.responses import responder_of
from mlda_core.page_state.rows import InvalidObservationError

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.perturbation.attribution import Drivers, Progress, Scenario
    from mlda_core.perturbation.responder import Responder
    from mlda_core.perturbation.sst_patches import Patch

# Pause between two months of a series, s: analyses of other sessions run then.
TURN = 0.002
# The chart is drawn anew after so many months.
EVERY = 4
# Scenarios kept, 30 MB each when all their months are made: to go back to by undo.
KEPT = 4


class Made(NamedTuple):
    """The settings of a series.

    Parameters
    ----------
    kind : str
        "patches" or "trend".
    patches : tuple of Patch
        Those that count, where they do.
    held : str
        What both analyses are given.
    within : str or tuple of float
        The region outside of which everything is held, where it is.
    """

    kind: str
    patches: tuple[Patch, ...]
    held: str
    within: Place

    @property
    def control(self) -> tuple[Any, ...]:
        """What the analyses under the sea as it was depend on."""
        inside = self.within or self.patches if self.held == "outside" else None
        return self.held, inside

    @property
    def change(self) -> str:
        """The change of the sea in words."""
        if self.kind == "trend":
            return "the sea without its trend"
        return ", ".join(patch.label for patch in self.patches) or "no change of the sea"

    @property
    def words(self) -> str:
        """All of them in words."""
        from mlda_core.perturbation.response import HELD

        return f"{HELD[self.held].label}: {self.change}"


class Asked(NamedTuple):
    """What drivers are of."""

    month: str
    variable: str
    region: Region
    held: str
    within: Place
    patches: tuple[Patch, ...]


# What makes series, while one is made: its own engine. An engine keeps the factors of one dense
# network and month; those of the month that is shown must not be thrown away by a series, for they
# take seconds to make. It is let go of afterwards: it takes half a gigabyte.
_BACKGROUND: dict[Bundle, Responder] = {}


def _background(bundle: Bundle) -> Responder:
    if bundle not in _BACKGROUND:
        from mlda_core.assimilation.assimilator import Assimilator
        from mlda_core.perturbation.responder import Responder

        _BACKGROUND[bundle] = Responder(Assimilator(bundle))
    return _BACKGROUND[bundle]


class _Lent:
    """Return a responder for a scenario, for longer than the engine is kept."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    def analysis(self, *given: Any, **settings: Any) -> Any:
        return _background(self.bundle).analysis(*given, **settings)


class AttributionPanel:
    """Series under the sea as it was and under a changed one, and the drivers of a month.

    Parameters
    ----------
    context : SessionContext
    foot : Foot
        Where it is shown.
    region : callable
        Returns the region that the foot averages over.
    """

    def __init__(self, context: SessionContext, foot: Foot, region: Callable[[], Region]) -> None:
        self._bundle, self._state, self._foot = context.bundle, context.state, foot
        self._region, self._complain = region, context.complain
        self._run = Latest(context.schedule, self._broken, pool=ANALYSES)
        self._driving = Latest(context.schedule, self._broken_drivers, pool=ANALYSES)
        self._controls: OrderedDict[Any, Analyses] = OrderedDict()
        self._scenarios: OrderedDict[Made, Scenario] = OrderedDict()
        # Which of them is in the chart, and which is being made.
        self._shown: Made | None = None
        self._running: Made | None = None
        self._charted: Any = None
        self._progress: dict[str, Any] = {"running": False}
        self._drivers: tuple[Asked, Drivers] | None = None
        self._seeking: Asked | None = None
        self._described: Any = None

    # -- requests --------------------------------------------------------------------------

    def _wanted(self) -> Made:
        made = self._state.perturbations
        outside = made.held == "outside"
        kind = self._foot.sea
        # Settings without effect on a series must not start a new one.
        patches = made.enabled if kind == "patches" or (outside and not made.within) else ()
        return Made(kind, patches, made.held, made.within if outside else "")

    def _inside(self, responder: Responder, made: Made | Asked) -> Any:
        region = region_of(made.within) if made.within else None
        return responder.inside(made.patches, made.held, region)

    # -- what is shown ---------------------------------------------------------------------

    def show(self) -> None:
        """Update the foot; the caller holds the document."""
        wanted = self._wanted()
        if self._running is not None and self._running != wanted:
            # Its thread is better used for the response to what is there now.
            self._run.cancel()
            self._running = None
            self._tell(words="Stopped: the change of the sea is another now.")
        if "series" in self._foot.opened:
            self._show_series(wanted)
        if "drivers" in self._foot.opened:
            self._show_drivers()

    def again(self) -> None:
        """Show everything anew: the foot showed something else, or another region is chosen."""
        self._charted = self._described = None
        self._foot.show_progress(**self._progress)

    def _show_series(self, wanted: Made) -> None:
        if wanted in self._scenarios:
            self._shown = wanted
        shown = self._shown
        key = (wanted, shown, self._region())
        if key == self._charted:
            return
        before, self._charted = self._charted, key
        stale = ""
        if shown is not None and shown != wanted:
            stale = f"Made for other settings; run again for {wanted.words}."
        self._foot.stale = stale
        if before is not None and before[1:] == key[1:] and shown is not None:
            # While an amount is dragged the lines stay as they are: only the words are new.
            return
        drawn = shown or wanted
        self._foot.show_series(self._control(drawn).means(self._region()), drawn.words)
        self._show_changed(drawn)

    def _control(self, made: Made) -> Analyses:
        if made.control not in self._controls:
            self._controls[made.control] = Analyses(self._bundle)
            while len(self._controls) > KEPT:
                self._controls.popitem(last=False)
        return self._controls[made.control]

    def _show_changed(self, made: Made) -> None:
        scenario = self._scenarios.get(made)
        if scenario is None:
            self._foot.show_changed(None, None)
            return
        region = self._region()
        control = scenario.control.means(region)
        self._foot.show_analysis(control)
        name = "without trend" if made.kind == "trend" else CHANGED
        self._foot.show_changed(control, scenario.changed.means(region), name)

    # -- the series ------------------------------------------------------------------------

    def actions(self) -> Mapping[str, Action]:
        """Return what each message about attribution does."""
        return {"foot-change": self.choose_change, "drivers": self.find}

    def choose_change(self, message: Message) -> None:
        """Choose what the blue line is: the sea as it is changed here, or without its trend."""
        kind = message.get("value")
        if kind not in ("patches", "trend"):
            raise InvalidObservationError(
                "The foot of the page has no such change; reload the page."
            )
        self._foot.sea = str(kind)

    def start(self, scope: str) -> None:
        """Make the months of a scope that are missing."""
        made = self._wanted()
        if self._running == made:
            # A second press: it is under way.
            return
        if made.kind == "patches" and not made.patches:
            raise InvalidObservationError(
                "No change of the sea is switched on; add one, or the trend."
            )
        _demand_freedom(made)
        bundle, month = self._bundle, self._state.month
        step = bundle.seasons.step
        months = months_of(bundle, "test" if scope == "test" else "all")
        known = self._scenarios.get(made)
        total = len(months if known is None else known.missing(months))
        if not total:
            self._tell(words=f"These {step.plural} are all done.")
            return
        control = self._control(made)

        def make() -> Iterator[Scenario | Progress]:
            from mlda_core.perturbation.attribution import Scenario, with_patches, without_trend

            scenario = known
            if scenario is None:
                responder: Any = _Lent(bundle)
                trend = made.kind == "trend"
                change = without_trend(bundle) if trend else with_patches(bundle, made.patches)
                inside = self._inside(responder_of(bundle), made)
                scenario = Scenario(responder, change, made.held, inside=inside, control=control)
            try:
                yield scenario
                yield from scenario.run(months, first=month)
            finally:
                _BACKGROUND.pop(bundle, None)

        def deliver(result: Any) -> None:
            if not hasattr(result, "done"):
                self._take(made, result)
                return
            last = result.done == result.total
            if last:
                self._running = None
            if result.done % EVERY == 0 or last or result.done == 1:
                if self._foot.mode == "perturb" and self._shown == made:
                    self._show_changed(made)
                words = f"{result.total} {step.plural} computed." if last else ""
                self._tell(result.done, result.total, running=not last, words=words)

        self._running = made
        self._tell(0, total, running=True)
        self._run.stream(make, deliver, pace=TURN)

    def _take(self, made: Made, scenario: Scenario) -> None:
        self._scenarios[made] = scenario
        self._scenarios.move_to_end(made)
        while len(self._scenarios) > KEPT:
            self._scenarios.popitem(last=False)
        if self._foot.mode == "perturb":
            self._show_series(self._wanted())

    def cancel(self) -> None:
        """Stop the series; the months done stay."""
        if self._running is None:
            # It ended just as the button was pressed, and its outcome is shown.
            return
        self._run.cancel()
        self._show_changed(self._running)
        self._running = None
        self._tell(words="Cancelled; what is done stays.")

    def _tell(
        self,
        done: int = 0,
        total: int = 0,
        *,
        running: bool = False,
        words: str = "",
        failed: bool = False,
    ) -> None:
        self._progress = {
            "done": done, "total": total, "running": running, "words": words, "failed": failed,
        }  # fmt: skip
        if self._foot.mode == "perturb":
            self._foot.show_progress(**self._progress)

    def _broken(self, error: Exception) -> None:
        self._running = None
        self._tell(words=sentence(error, "The series"), failed=True)

    # -- the drivers -----------------------------------------------------------------------

    def _asked(self, variable: str) -> Asked:
        made = self._state.perturbations
        outside = made.held == "outside"
        patches = made.enabled if outside and not made.within else ()
        within = made.within if outside else ""
        return Asked(self._state.month, variable, self._region(), made.held, within, patches)

    def find(self, message: Message) -> None:
        """Find the drivers of the month shown, for a variable."""
        variable = str(message.get("value"))
        if variable not in [v.name for v in self._bundle.variables]:
            raise InvalidObservationError(
                f"There is no variable '{variable[:24]}'; choose another."
            )
        asked, bundle = self._asked(variable), self._bundle
        if asked == self._seeking:
            return
        _demand_freedom(asked)

        def job(_: Callable[[], bool]) -> tuple[Asked, Drivers]:
            from mlda_core.perturbation.attribution import drivers

            responder = responder_of(bundle)
            inside = self._inside(responder, asked)
            made = drivers(
                responder, asked.month, variable, asked.region, asked.held, inside=inside
            )
            return asked, made

        def deliver(result: tuple[Asked, Drivers]) -> None:
            self._drivers, self._seeking = result, None
            self._show_drivers()

        self._seeking = asked
        self._driving.submit(job, deliver)

    def _show_drivers(self) -> None:
        found = self._drivers
        variable = found[0].variable if found is not None else ""
        stale = found is not None and found[0] != self._asked(variable)
        key = (found, self._seeking, stale)
        if key == self._described:
            return
        self._described = key
        busy = ""
        if self._seeking is not None:
            busy = f"Finding the drivers of {self._seeking.month}"
        self._foot.show_drivers(None if found is None else found[1], stale=stale, busy=busy)

    def _broken_drivers(self, error: Exception) -> None:
        self._seeking = None
        self._complain(sentence(error, "The account of drivers"))
        self._show_drivers()

    def close(self) -> None:
        """Release everything at the end of the session."""
        self._run.cancel()
        self._driving.cancel()


def _demand_freedom(asked: Made | Asked) -> None:
    """Refuse to hold everything outside of no region: nothing could respond."""
    if asked.held == "outside" and not asked.within and not asked.patches:
        raise InvalidObservationError(
            "Everything outside a region is held, and none is chosen; choose one beside 'free "
            "inside', or change the sea somewhere."
        )
