"""The members of the posterior of one session, drawn in the background by the sampler chosen."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from app.context import SessionContext
from app.jobs.analysis import sentence
from app.jobs.worker import ANALYSES, Latest

if TYPE_CHECKING:
    from mlda_core.assimilation.analysis import Analysis
    from mlda_core.assimilation.posterior.ensemble import Ensemble, EnsembleStep
    from mlda_core.page_state.analyses import AnalysisRequest


class MembersJob:
    """Draws one ensemble at a time; those of the same analysis by other samplers are kept.

    Parameters
    ----------
    context : SessionContext
        Whose page is drawn with progress and members, or given the reason of a failure.
    """

    def __init__(self, context: SessionContext) -> None:
        self._bundle, self._changed = context.bundle, context.redraw
        self._complain, self._retract = context.complain, context.retract
        self._work = Latest(context.schedule, self._broken, pool=ANALYSES)
        self._analysis: Analysis | None = None
        self._made: dict[str, Ensemble] = {}
        self._asked = self._shown = ""
        self.running = self.cancelled = False
        # Steps of the sampler; none are known before the first.
        self.done = self.total = 0
        self.failed = ""

    def ask(self, task: AnalysisRequest, analysis: Analysis, sampler: str) -> Ensemble | None:
        """Return members, or None until they are drawn; a request that differs begins anew.

        Parameters
        ----------
        task : AnalysisRequest
        analysis : Analysis
            Of the task: members are of this one.
        sampler : str
            A key of ``SAMPLERS``.
        """
        if analysis is not self._analysis:
            self.forget()
            self._analysis, self._made = analysis, {}
        if sampler != self._asked:
            self.forget()
            self._asked = sampler
            if sampler not in self._made:
                self._start(task, sampler)
        if sampler in self._made:
            self._shown = sampler
        return self._made.get(sampler)

    def drawn(self, analysis: Analysis | None, sampler: str) -> Ensemble | None:
        """Return members of an analysis if they are there; nothing is begun."""
        return self._made.get(sampler) if analysis is self._analysis else None

    def cancel(self) -> str:
        """Stop; what was drawn before stays.

        Returns
        -------
        str
            The sampler whose members of the same analysis were shown last; '' where none were.
        """
        if self.running:
            self._work.cancel()
            self.running, self.cancelled = False, True
        return self._shown if self._shown in self._made else ""

    def close(self) -> None:
        """Release everything at the end of the session."""
        self._work.cancel()

    def forget(self) -> None:
        """Stop, and forget what was asked: when it is next asked for it is drawn again."""
        self._work.cancel()
        self._asked = self.failed = ""
        self.running = self.cancelled = False
        self.done = self.total = 0

    def _start(self, task: AnalysisRequest, sampler: str) -> None:
        self.running = True

        def make() -> Iterator[EnsembleStep]:
            steps: Any = task.ensemble_steps(self._bundle, sampler)
            with contextlib.closing(steps):
                yield from steps

        def deliver(step: EnsembleStep) -> None:
            self.done, self.total = step.done, step.total
            if step.ensemble is not None:
                self._made[sampler] = step.ensemble
                self.running = False
            self._changed()

        self._work.stream(make, deliver)

    def _broken(self, error: Exception) -> None:
        self.running = False
        self.failed = sentence(error, "The members")
        self._complain(self.failed)
        self._changed()
