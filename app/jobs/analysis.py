"""The analyses of one session, computed in the background; the newest request is shown."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.context import SessionContext
from app.jobs.worker import ANALYSES, Latest
from mlda_core.climate.errors import UserError
from mlda_core.page_state.analyses import AnalysisRequest, assimilated, remainder

if TYPE_CHECKING:
    from mlda_core.assimilation.analysis import Analysis, Cost, Step

# Between two drawn steps: there are seldom more than five, and time to press Pause.
PACE = 0.6
# A slider rests when it has not moved for so many seconds.
REST = 0.15
# Influences that a visitor has looked at are kept, 75 kB each.
KEPT = 64


@dataclass(frozen=True, eq=False)
class _Grown:
    """The analysis of a task's first rows alone."""

    count: int
    analysis: Analysis


class AnalysisJob:
    """Runs tasks and holds the last answer.

    Parameters
    ----------
    context : SessionContext
        Whose page is drawn with new results, or given one sentence with the reason of a failure.
    delivered : callable, optional
        Called when `z` has changed, before the page is drawn.
    """

    def __init__(
        self, context: SessionContext, delivered: Callable[[], None] = lambda: None
    ) -> None:
        self._delivered = delivered
        self._bundle = context.bundle
        self._changed, self._complain = context.redraw, context.complain
        self._retract = context.retract
        self._complaint = ""
        self._work = Latest(context.schedule, self._broken, pool=ANALYSES)
        self._extra = Latest(context.schedule, self._broken_extra, pool=ANALYSES)
        self._cost = Latest(context.schedule, self._broken_cost, pool=ANALYSES)
        self.manual_cost: Cost | None = None
        self._weighed: Any = None
        self._weighed_at = 0.0
        self.task: AnalysisRequest | None = None
        self.finished = False
        self.stepping = self.paced = False
        self.fields: NDArray[np.floating] | None = None
        self.z: NDArray[np.floating] | None = None
        # What `fields` are of.
        self.drawn: AnalysisRequest | None = None
        self.analysis: Analysis | None = None
        self._answered: AnalysisRequest | None = None
        self.costs: list[list[float]] = []
        self._fresh = True
        self.words = ""
        self._spread_of: Analysis | None = None
        self._influence: dict[int, NDArray[np.floating]] = {}
        self._asked: Any = None
        # How many of the observations are taken in, while an analysis is seen to form.
        self.grown: int | None = None
        self._increment: tuple[Analysis, NDArray[np.floating]] | None = None
        self._remainder: tuple[Analysis, NDArray[np.floating] | None] | None = None

    # -- analyses --------------------------------------------------------------------------

    @property
    def month(self) -> str:
        """The month that `fields` are of; '' before there are any."""
        return "" if self.drawn is None else self.drawn.month

    @property
    def assimilated(self) -> frozenset[str] | None:
        """The variables that `fields` were given; None where there are none or no observations."""
        if self.drawn is None or self.drawn.observations.empty:
            return None
        if self.grown is not None:
            return assimilated(self.drawn.observations.iloc[: self.grown])
        return self.drawn.assimilated

    @property
    def run(self) -> str:
        """What is under way: '', 'live', 'step' or 'paused'."""
        if self.task is None or self.finished:
            return ""
        if not self.stepping:
            return "live"
        return "paused" if self._work.paused else "step"

    @property
    def answered(self) -> bool:
        """Whether `analysis` is that of the task: not under way, cancelled or failed."""
        return self.finished and self.task is not None and self._answered is self.task

    def start(
        self, task: AnalysisRequest, *, stepwise: bool = False, growing: Sequence[int] = ()
    ) -> None:
        """Analyse, superseding whatever is under way.

        Parameters
        ----------
        task : AnalysisRequest
            What to analyse.
        stepwise : bool
            Draw every step.
        growing : sequence of int
            Draw the analyses of so many first rows before it, so that it is seen to form.
        """
        self.task, self.finished, self.stepping = task, False, stepwise
        self.grown = None
        self._fresh = True
        self.words = ""
        self._influence.clear()
        self._asked = None
        self._extra.cancel()

        def make() -> Iterator[tuple[Step | _Grown, bool]]:
            for count in growing:
                yield _Grown(count, task.first(count, self._bundle)), True
            steps: Any = task.steps(self._bundle, stepwise=stepwise)
            with contextlib.closing(steps):
                for step in steps:
                    # The first answer and the last are drawn, the others if somebody wants to
                    # see them; their fields are made here, off the event loop.
                    drawn = stepwise or step.index == 0 or step.analysis is not None
                    if drawn:
                        _ = step.fields if step.analysis is None else step.analysis.anomalies
                    yield step, drawn

        def deliver(result: tuple[Step | _Grown, bool]) -> None:
            self._deliver(*result)

        def pace(result: tuple[Step | _Grown, bool]) -> float:
            return PACE if stepwise or isinstance(result[0], _Grown) else 0.0

        self.paced = stepwise
        self._work.stream(make, deliver, pace=pace)

    def pause(self) -> None:
        """Pause a stepwise run."""
        self._work.pause()

    def resume(self, *, once: bool = False) -> None:
        """Resume it, or run one step more."""
        self._work.resume(once=once)

    def cancel(self) -> None:
        """Stop what is under way; what is drawn stays."""
        self._work.cancel()
        if not self.finished:
            self.words = "Cancelled: what is drawn is how far it came."
        self.finished, self.stepping = True, False

    def close(self) -> None:
        """Release everything at the end of the session."""
        for work in (self._work, self._extra, self._cost):
            work.cancel()

    def _deliver(self, step: Step | _Grown, drawn: bool) -> None:
        if isinstance(step, _Grown):
            self.grown = step.count
            self.fields, z = step.analysis.anomalies, step.analysis.z
            self.drawn = self.task
            self.z = None if z is None else np.asarray(z, dtype=np.float32)
            self._delivered()
            self._changed()
            return
        self.grown = None
        if self._fresh:
            self.costs, self._fresh = [], False
        cost = step.cost
        point = [float(cost.prior), float(cost.observations), float(cost.total)]
        if step.index == 1 and not self.stepping:
            # Before it came the linear solution, by the cost of the linear problem: another curve.
            self.costs = []
        # The last step comes again with its analysis.
        again = step.analysis is not None and self.costs and self.costs[-1] == point
        if np.isfinite(point).all() and not again:
            self.costs = [*self.costs, point]
        self.words = step.words
        if step.analysis is not None:
            self.analysis, self._answered = step.analysis, self.task
            self.finished, self.stepping = True, False
            self.words = step.analysis.outcome
            self._retract(self._complaint)
        if drawn:
            self.fields = step.fields if step.analysis is None else step.analysis.anomalies
            self.drawn = self.task
            self.z = None if step.z is None else np.asarray(step.z, dtype=np.float32)
            self._delivered()
            self._changed()

    def _broken(self, error: Exception) -> None:
        self.finished, self.stepping = True, False
        self.words = self._complaint = sentence(error, "The analysis")
        self._complain(self.words)
        self._changed()

    # -- computed from an analysis when it is shown ----------------------------------------

    def increment(self) -> NDArray[np.floating] | None:
        """Return the increment of the last analysis, the same array each time."""
        analysis = self.analysis
        if analysis is None:
            return None
        if self._increment is None or self._increment[0] is not analysis:
            self._increment = (analysis, analysis.increment)
        return self._increment[1]

    def remainder(self) -> NDArray[np.floating] | None:
        """Return the last analysis less what its z decodes to, the same array each time.

        None where it has no latent vector.
        """
        analysis = self.analysis
        if analysis is None:
            return None
        if self._remainder is None or self._remainder[0] is not analysis:
            self._remainder = (analysis, remainder(analysis, self._bundle))
        return self._remainder[1]

    def spread(self) -> tuple[NDArray[np.floating], NDArray[np.floating]] | None:
        """Return the spread and the climatological one, or None until they are made."""
        analysis = self.analysis
        if analysis is None:
            return None
        if self._spread_of is analysis:
            return analysis.spread, analysis.climatological_spread
        if self._asked is not analysis:
            self._asked = analysis

            def made(_: Any) -> None:
                self._spread_of = analysis
                self._changed()

            self._extra.submit(lambda _: analysis.spread, made)
        return None

    def influence(self, row: int | None) -> NDArray[np.floating] | None:
        """Return the increment of one observation alone, or None until it is made."""
        task = self.task
        if task is None or row is None or not 0 <= row < len(task.observations):
            return None
        if row in self._influence:
            return self._influence[row]
        if self._asked != ("row", row):
            self._asked = ("row", row)

            def made(fields: NDArray[np.floating]) -> None:
                if len(self._influence) >= KEPT:
                    self._influence.clear()
                self._influence[row] = fields
                self._changed()

            self._extra.submit(lambda _: task.influence(row, self._bundle), made)
        return None

    def evaluate_cost(self, z: NDArray[np.floating], task: AnalysisRequest) -> None:
        """Compute the cost of a state moved by hand in the background; it is put in `manual_cost`.

        Once a second while a slider moves, and after it rests: each takes 30 ms of a core that the
        slider needs.
        """
        asked = (id(task), z.tobytes())
        if asked == self._weighed:
            return
        self._weighed = asked
        now = time.monotonic()
        wait = 0.0 if now - self._weighed_at > 1.0 else REST
        if not wait:
            self._weighed_at = now

        def job(_: Callable[[], bool]) -> Cost:
            return task.cost(z, self._bundle)

        def made(cost: Cost) -> None:
            self.manual_cost = cost
            self._changed()

        self._cost.submit(job, made, delay=wait)

    def _broken_cost(self, _: Exception) -> None:
        # A method without a latent vector: then there is nothing to compare with.
        self.manual_cost = None

    def _broken_extra(self, error: Exception) -> None:
        self._complain(sentence(error, "That picture"))


def sentence(error: Exception, what: str) -> str:
    """Return an error in one sentence: the library's own, or that of an internal error."""
    if isinstance(error, UserError):
        return str(error)
    return f"{what} could not be made ({type(error).__name__}); choose another method or month."
