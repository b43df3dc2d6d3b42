"""The responses of one session, computed in the background; the newest request is next.

Unlike an analysis, a response under way is finished: while an amount is dragged each one is drawn,
then the newest request is computed, so that the maps follow the slider and no queue builds up.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.context import SessionContext
from app.jobs.analysis import sentence
from app.jobs.worker import ANALYSES, Latest
from mlda_core.page_state.responses import (
    ResponseRequest,
    ResponseResult,
    SensitivityRequest,
    answer_to,
    sensitivity_to,
)

if TYPE_CHECKING:
    from mlda_core.assimilation.adjoint import Sensitivity

Float = NDArray[np.floating]
# Spreads that are kept: of the networks and months that a visitor compares.
KEPT = 24


class ResponseJob:
    """Computes one request at a time, and holds the last results.

    Parameters
    ----------
    context : SessionContext
        Whose page is drawn with new results, or given one sentence with the reason of a failure.
    """

    def __init__(self, context: SessionContext) -> None:
        self._bundle, self._changed = context.bundle, context.redraw
        self._complain, self._retract = context.complain, context.retract
        self._work = Latest(context.schedule, self._broken, pool=ANALYSES)
        self._adjoint = Latest(context.schedule, self._broken_aim, pool=ANALYSES)
        self._spreads: dict[Any, Float] = {}
        self.answer: ResponseResult | None = None
        self.asked: ResponseRequest | None = None
        self._next: ResponseRequest | None = None
        # The last request that was refused, and why: it is not repeated at every redraw.
        self._refused: ResponseRequest | None = None
        self.complaint = self._told = ""
        self.aim: SensitivityRequest | None = None
        self._next_aim: SensitivityRequest | None = None
        self._aiming = False
        self.sensitivity: tuple[SensitivityRequest, Sensitivity, float] | None = None

    @property
    def busy(self) -> ResponseRequest | SensitivityRequest | None:
        """What is under way."""
        return self.asked or (self.aim if self._aiming else None)

    # -- responses ---------------------------------------------------------------------------

    def ask(self, question: ResponseRequest) -> None:
        """Request a response; it waits for the one under way, and a newer request replaces it."""
        if self.asked is not None:
            self._next = None if question == self.asked else question
            return
        if question == self._refused:
            return
        self._refused, self.complaint = None, ""
        if self.answer is not None and self.answer.question == question:
            return
        self.asked = question
        bundle, known = self._bundle, self._spreads.get(question.control)

        def job(_: Callable[[], bool]) -> ResponseResult:
            return answer_to(bundle, question, known)

        self._work.submit(job, self._deliver)

    def _deliver(self, answer: ResponseResult) -> None:
        if len(self._spreads) >= KEPT:
            self._spreads.clear()
        self._spreads[answer.question.control] = answer.spread
        self.answer = answer
        self._retract(self._told)
        self._go_on()

    def _go_on(self) -> None:
        self.asked, follows, self._next = None, self._next, None
        if follows is not None:
            self.ask(follows)
        self._changed()

    def _broken(self, error: Exception) -> None:
        self._refused, self.complaint = self.asked, sentence(error, "The response")
        if self._next is None:
            self._told = self.complaint
            self._complain(self.complaint)
        self._go_on()

    # -- sensitivities -----------------------------------------------------------------------

    def aim_at(self, aim: SensitivityRequest) -> None:
        """Request a sensitivity; as with responses, the newest waits for the one under way."""
        if self._aiming:
            self._next_aim = None if aim == self.aim else aim
            return
        if self.aim == aim:
            return
        self.aim, self._aiming = aim, True
        bundle = self._bundle

        def job(_: Callable[[], bool]) -> tuple[SensitivityRequest, Sensitivity, float]:
            start = time.perf_counter()
            made = sensitivity_to(bundle, aim)
            return aim, made, time.perf_counter() - start

        def deliver(made: tuple[SensitivityRequest, Sensitivity, float]) -> None:
            self.sensitivity = made
            self._aimed()

        self._adjoint.submit(job, deliver)

    def _aimed(self) -> None:
        self._aiming, follows, self._next_aim = False, self._next_aim, None
        if follows is not None:
            self.aim_at(follows)
        self._changed()

    def _broken_aim(self, error: Exception) -> None:
        self._complain(sentence(error, "The sensitivity"))
        self._aimed()

    def close(self) -> None:
        """Release everything at the end of the session."""
        self._work.cancel()
        self._adjoint.cancel()
