"""From the changes of the sea of a state to the response, and to the sensitivity."""

from __future__ import annotations

import threading
import time
from contextlib import nullcontext
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.regions import region_mask
from mlda_core.page_state.analyses import engine_of
from mlda_core.page_state.perturbations import PerturbationSettings, Place, region_of

if TYPE_CHECKING:
    from mlda_core.assimilation.adjoint import Sensitivity
    from mlda_core.assimilation.assimilator import Assimilator
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.perturbation.responder import Responder
    from mlda_core.perturbation.response import Response
    from mlda_core.perturbation.sst_patches import Patch

Float = NDArray[np.floating]


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

    @classmethod
    def of(cls, month: str, settings: PerturbationSettings) -> Self:
        """Return what the settings of Perturb ask for."""
        return cls(month, settings.enabled, settings.held, settings.within)

    @property
    def settings(self) -> dict[str, Any]:
        """What the library takes beside month and patches."""
        free = self.held == "outside" and self.within
        return {"held": self.held, "region": region_of(self.within) if free else None}

    def response(self, bundle: Bundle) -> Response:
        """Return the response, whose spread is computed when it is asked for."""
        return responder_of(bundle).respond(self.month, self.patches, **self.settings)

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
        made = question.response(bundle)
        took = time.perf_counter() - start
        spread = made.spread if known is None else known
        every = responder_of(bundle).all_fields(question.month)
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

    @classmethod
    def of(cls, month: str, settings: PerturbationSettings, bundle: Bundle) -> Self:
        """Return what the settings of Perturb ask for."""
        variable = sensitive_variable(settings, bundle)
        return cls(month, settings.held, settings.within, variable, settings.over)


def sensitive_variable(settings: PerturbationSettings, bundle: Bundle) -> str:
    """Return the variable whose sensitivity is asked for: air temperature, or the last there is."""
    names = [variable.name for variable in bundle.variables]
    wanted = settings.variable
    return wanted if wanted in names else "tas" if "tas" in names else names[-1]


def sensitivity_to(bundle: Bundle, aim: SensitivityRequest) -> Sensitivity:
    """Compute a sensitivity to the sea.

    Parameters
    ----------
    bundle : Bundle
    aim : SensitivityRequest
    """
    region = region_of(aim.over)
    inside = None
    if aim.held == "outside":
        free = region_of(aim.within) if aim.within else region
        inside = region_mask(bundle.grid, free) > 0.5
    return responder_of(bundle).sensitivity(
        aim.month, aim.variable, region, aim.held, inside=inside
    )
