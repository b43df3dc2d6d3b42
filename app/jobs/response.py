"""The responses of one session, computed in the background; the newest request is next.

Unlike an analysis, a response under way is finished: while an amount is dragged each one is drawn,
then the newest request is computed, so that the maps follow the slider and no queue builds up.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.context import SessionContext
from app.jobs.analysis import engine_of, sentence
from app.jobs.worker import ANALYSES, Latest
from mlda_core.climate.regions import region_mask
from mlda_core.page_state.perturbations import Place, region_of

if TYPE_CHECKING:
    from mlda_core.assimilation.adjoint import Sensitivity
    from mlda_core.assimilation.assimilator import Assimilator
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.perturbation.responder import Responder
    from mlda_core.perturbation.response import Response
    from mlda_core.perturbation.sst_patches import Patch

Float = NDArray[np.floating]
# Spreads that are kept: of the networks and months that a visitor compares.
KEPT = 24


def responder_of(bundle: Bundle) -> Responder:
    """Return the bundle's responses, shared by all sessions; the engine is the analyses' own."""
    return _responder_of(engine_of(bundle))


# By the engine: where a fifth bundle has taken its place, responses have a new one too.
@lru_cache(maxsize=4)
def _responder_of(engine: Assimilator) -> Responder:
    from mlda_core.perturbation.responder import Responder

    return Responder(engine)


@dataclass(frozen=True)
class ResponseRequest:
    """Request of a response.

    Parameters
    ----------
    month : str
        ``YYYY-MM``.
    patches : tuple of Patch
        The changes that count.
    held : str
        What both analyses are given.
    within : str or tuple of float
        The region outside of which everything is held.
    """

    month: str
    patches: tuple[Patch, ...]
    held: str
    within: Place

    @property
    def settings(self) -> dict[str, Any]:
        """What the library takes beside month and patches."""
        free = self.held == "outside" and self.within
        return {"held": self.held, "region": region_of(self.within) if free else None}

    @property
    def control(self) -> tuple[Any, ...]:
        """What the analysis without a change depends on."""
        # Without a region of its own, the patches say where nothing is held.
        inside = (self.within or self.patches) if self.held == "outside" else None
        return self.month, self.held, inside


@dataclass(frozen=True, eq=False)
class ResponseResult:
    """A response with the fields that are shown with it.

    Parameters
    ----------
    question : ResponseRequest
        What was asked.
    response : Response
        The library's.
    all_fields : ndarray, shape (V, lat, lon)
        The month's analysis from all fields; the same array for the same month.
    spread : ndarray, shape (V, lat, lon)
        One posterior standard deviation of a single month, display units.
    seconds : float
        How long the response took.
    """

    question: ResponseRequest
    response: Response
    all_fields: Float
    spread: Float
    seconds: float


# The factors of a network in a calendar month take seconds, once per process: two requests of
# the same, such as the first visitor's and the warm-up's, compute them once.
_COLD = threading.Lock()
_warm: set[tuple[Any, ...]] = set()


def answer_to(
    bundle: Bundle, question: ResponseRequest, known: Float | None = None
) -> ResponseResult:
    """Compute a response and the fields that are shown with it.

    Parameters
    ----------
    bundle : Bundle
        Shared by all sessions.
    question : ResponseRequest
        What is asked.
    known : ndarray, shape (V, lat, lon), optional
        The spread, where it is known already: it is of the analysis without a change, so an
        amount leaves it as it is.

    Raises
    ------
    PerturbationError
        If a patch touches no open sea.
    """
    _, held, inside = question.control
    network = (id(bundle), question.month[5:7], held, inside)
    with nullcontext() if network in _warm else _COLD:
        start = time.perf_counter()
        responder = responder_of(bundle)
        made = responder.respond(question.month, question.patches, **question.settings)
        took = time.perf_counter() - start
        spread = made.spread if known is None else known
        every = responder.all_fields(question.month)
    _warm.add(network)
    return ResponseResult(question, made, every, spread, took)


@dataclass(frozen=True)
class SensitivityRequest:
    """A sensitivity that is asked for: of the mean of a variable over a place.

    Where everything outside a region is held and none is named, it is this place.
    """

    month: str
    held: str
    within: Place
    variable: str
    over: Place


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
            region = region_of(aim.over)
            inside = None
            if aim.held == "outside":
                free = region_of(aim.within) if aim.within else region
                inside = region_mask(bundle.grid, free) > 0.5
            made = responder_of(bundle).sensitivity(
                aim.month, aim.variable, region, aim.held, inside=inside
            )
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
