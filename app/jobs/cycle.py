"""The cycle of one session: its days come one by one, in the background."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.context import SessionContext
from app.jobs.analysis import sentence
from app.jobs.worker import ANALYSES, Latest
from mlda_core.page_state.cycle_runs import CycleRequest, days_from, run_of

if TYPE_CHECKING:
    from mlda_core.cycling.followed import FollowedCycle, FollowedDay

# Seconds between two days of a run that is watched.
PACE = 0.25
# A day that is made, by the run that made it; None at the end.
Result = tuple["FollowedCycle", "FollowedDay | None"]


@dataclass(frozen=True, eq=False)
class EarlierRun:
    """The scores of a run before it was changed, to compare with.

    Parameters
    ----------
    request : CycleRequest
    labels : tuple of str
        Its days.
    errors : tuple of dict
        Of each day, as of `mlda_core.cycling.followed.FollowedDay`.
    """

    request: CycleRequest
    labels: tuple[str, ...]
    errors: tuple[dict[str, Any], ...]


class CycleJob:
    """Makes the days of one run up to the one that is wanted; a change keeps those before it.

    Parameters
    ----------
    context : SessionContext
        Whose page is drawn with each new day.
    watched : callable
        Called with the number of each new day while the run plays, and with -1 when it has ended.
    """

    def __init__(self, context: SessionContext, watched: Callable[[int], None]) -> None:
        self._bundle, self._changed, self._watched = context.bundle, context.redraw, watched
        self._work = Latest(context.schedule, self._broken, pool=ANALYSES)
        self._run: FollowedCycle | None = None
        self._until = -1
        self.request: CycleRequest | None = None
        self.labels: tuple[str, ...] = ()
        self.days: list[FollowedDay] = []
        self.earlier: EarlierRun | None = None
        self.running = self.playing = False
        self.failed = ""

    # -- requests ----------------------------------------------------------------------------

    def ask(self, request: CycleRequest, until: int) -> None:
        """Make the days of a run up to one of them.

        Parameters
        ----------
        request : CycleRequest
            Its first day can be cycled from.
        until : int
            Number of the day, from 0; what is there already stays.
        """
        if request != self.request:
            self._begin(request)
        if self.failed or self.playing:
            return
        self._until = min(until, len(self.labels) - 1)
        self._go_on()

    def _begin(self, request: CycleRequest) -> None:
        labels = days_from(self._bundle, request.first)
        kept = self._alike(request, labels)
        if self.request is not None and len(self.days) > max(kept, 1):
            errors = tuple(day.errors for day in self.days)
            self.earlier = EarlierRun(self.request, self.labels[: len(errors)], errors)
        self._work.cancel()
        self._run, self.days = None, self.days[:kept]
        self.request, self.labels = request, labels
        self.running = self.playing = False
        self.failed = ""

    def _alike(self, request: CycleRequest, labels: tuple[str, ...]) -> int:
        """Return how many of the days that are there a request leaves as they are."""
        before = self.request
        same = before is not None and (before.method, before.stations, before.first) == (
            request.method,
            request.stations,
            request.first,
        )
        if before is None or not same:
            return 0
        pairs = ((_withheld(before, day), _withheld(request, day)) for day in labels)
        first = next((i for i, (one, other) in enumerate(pairs) if one != other), len(labels))
        return min(first, len(self.days))

    def play(self) -> None:
        """Let the run go on to its end, watched day by day."""
        if self.request is None or self.playing:
            return
        self.failed = ""
        self.playing, self._until = True, len(self.labels) - 1
        self._go_on()

    def pause(self) -> None:
        """Stop after the day that is under way."""
        self.playing, self._until = False, len(self.days) - 1

    @property
    def finished(self) -> bool:
        """Whether all days of the run are there."""
        return bool(self.labels) and len(self.days) == len(self.labels)

    # -- the run -----------------------------------------------------------------------------

    def _go_on(self) -> None:
        if self.running or len(self.days) > self._until or self.request is None:
            if self.finished:
                self.playing = False
            return
        self.running = True
        bundle, request, known, first = self._bundle, self.request, self._run, len(self.days)
        kept = next((d for d in reversed(self.days) if d.checkpoint is not None), None)

        def make() -> Iterator[Result]:
            run = known
            day = None if run is None else run.day(first)
            if run is None or day is None:
                run = run_of(bundle, request)
                if kept is not None and kept.checkpoint is not None:
                    run.resume(kept.checkpoint)
            cycle = first
            # What is wanted changes on the way: another day, or a pause.
            while cycle <= self._until:
                yield run, run.day(cycle)
                cycle += 1
            yield run, None

        self._work.stream(make, self._deliver, pace=lambda _: PACE if self.playing else 0.0)

    def _deliver(self, result: Result) -> None:
        self._run, day = result
        if day is None:
            self.running = False
            ended = self.playing and self.finished
            self._go_on()
            if ended:
                self._watched(-1)
        elif day.cycle == len(self.days):
            self.days.append(day)
            if self.playing:
                self._watched(day.cycle)
        self._changed()

    def _broken(self, error: Exception) -> None:
        self.running = self.playing = False
        self.failed = sentence(error, "The cycle")
        self._changed()

    def close(self) -> None:
        """Release everything at the end of the session."""
        self._work.cancel()


def _withheld(request: CycleRequest, day: str) -> str:
    return next((area for since, area in reversed(request.changes) if since <= day), "")
