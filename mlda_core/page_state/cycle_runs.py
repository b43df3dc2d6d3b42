"""What all cycles of a bundle share, made once a process: climatology, forecast, TEST days."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np

from mlda_core.climate.errors import UserError
from mlda_core.page_state.cycles import AREAS, MOST_DAYS, Change, CycleSettings

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.cycling.bundle_case import Case
    from mlda_core.cycling.covariance import Gaussian
    from mlda_core.cycling.followed import FollowedCycle
    from mlda_core.cycling.learnt_background import LearntBackground
    from mlda_core.cycling.shipped_case import ForecastTrust
    from mlda_core.forecast.dynamics import Dynamics
    from mlda_core.vae.dataset import Months

T = TypeVar("T")
# Two visitors who come at once wait for one climatology, of 80 MB and some seconds.
_LOCK = threading.Lock()


@dataclass(frozen=True)
class CycleRequest:
    """A run that is asked for.

    Parameters
    ----------
    method : str
        Key of a cycled method.
    stations : int
        Of the network.
    first : str
        Its first day.
    changes : tuple of (str, str)
        From which day on which area is not observed.
    """

    method: str
    stations: int
    first: str
    changes: tuple[Change, ...] = ()

    @classmethod
    def of(cls, settings: CycleSettings) -> Self:
        """Return what the settings of Cycle ask for; the method must be `offered_methods`' own."""
        return cls(settings.method, settings.stations, settings.first, settings.changes)


@dataclass(frozen=True, eq=False)
class Material:
    """What all cycles of a bundle share.

    Parameters
    ----------
    climatology : Gaussian
        Of its VALIDATION days.
    trust : ForecastTrust
        How far its forecasts are trusted.
    dynamics : Dynamics
        The grid forecast.
    days : Months
        Its TEST days.
    """

    climatology: Gaussian
    trust: ForecastTrust
    dynamics: Dynamics
    days: Months


def material_of(bundle: Bundle) -> Material:
    """Return what all cycles of a bundle share."""
    return _locked(lambda: _material(bundle))


def _locked(make: Callable[[], T]) -> T:
    with _LOCK:
        return make()


@lru_cache(maxsize=2)
def _material(bundle: Bundle) -> Material:
    from mlda_core.bundle.samples import months_of_bundle
    from mlda_core.cycling.shipped_case import load_trust, shipped_climatology
    from mlda_core.forecast.loading import load_forecast

    return Material(
        shipped_climatology(bundle),
        load_trust(bundle),
        load_forecast(bundle, "grid"),
        months_of_bundle(bundle).in_split("test"),
    )


# 80 MB each.
@lru_cache(maxsize=2)
def _background(bundle: Bundle, stations: int) -> LearntBackground:
    from mlda_core.cycling.shipped_case import shipped_background

    shared = _material(bundle)
    return shipped_background(bundle, shared.climatology, shared.trust, stations)


def offered_methods() -> dict[str, tuple[str, str]]:
    """Return label and sentence of the methods that the page offers, by key."""
    from mlda_core.cycling.methods import CYCLED

    return {
        key: (method.label, method.sentence)
        for key, method in CYCLED.items()
        if method.offered is not None
    }


# Asked for with every frame.
@lru_cache(maxsize=4)
def cyclable_days(bundle: Bundle) -> tuple[str, ...]:
    """Return the days that can be cycled, in order."""
    return tuple(day for day in bundle.months if bundle.split(day) == "test")


def days_from(bundle: Bundle, first: str) -> tuple[str, ...]:
    """Return the days of a run: TEST days that follow one another, at most ``MOST_DAYS``.

    Raises
    ------
    UserError
        If the first is no TEST day, or the last of them.
    """
    days = cyclable_days(bundle)
    if first not in days:
        raise UserError(
            f"{first} is no TEST day, and climatology is of the VALIDATION days; begin within "
            f"{days[0]} to {days[-1]}."
        )
    found = days[days.index(first) :][:MOST_DAYS]
    follows = bundle.seasons.step.consecutive(found)
    end = len(found) if follows.all() else int(np.argmin(follows)) + 1
    if end < 2:
        raise UserError(f"No TEST day follows {first}; begin earlier.")
    return found[:end]


def case_for(bundle: Bundle, request: CycleRequest) -> Case:
    """Return the case of a request, its network unchanged."""
    from mlda_core.cycling.bundle_case import ENSEMBLE_HALF_WIDTH_KM, case_of, localisation_of
    from mlda_core.evaluation.assimilation import network_of

    shared = material_of(bundle)
    wanted = days_from(bundle, request.first)
    days = shared.days.where(np.isin(shared.days.names, wanted))
    places, _ = network_of(bundle, f"stations_{request.stations}", 0)
    learnt = _locked(lambda: _background(bundle, request.stations))
    return case_of(
        bundle,
        shared.dynamics,
        days,
        places,
        shared.climatology,
        learnt=learnt,
        share=0.0,
        localisation=localisation_of(bundle, ENSEMBLE_HALF_WIDTH_KM),
    )


def run_of(bundle: Bundle, request: CycleRequest) -> FollowedCycle:
    """Return a run at its start."""
    from mlda_core.cycling.followed import FollowedCycle
    from mlda_core.cycling.methods import cycled_method
    from mlda_core.cycling.withheld import with_changes

    case = case_for(bundle, request)
    labels = days_from(bundle, request.first)
    changes = [
        (labels.index(day), AREAS[area] if area else None)
        for day, area in request.changes
        if day in labels
    ]
    problem = with_changes(bundle, case, changes)
    settings: dict[str, Any] = dict(cycled_method(request.method).offered or {})
    return FollowedCycle(
        bundle,
        case,
        problem,
        material_of(bundle).dynamics,
        request.method,
        tuple(AREAS.values()),
        **settings,
    )
