"""A cycle that is watched: day by day beside what one would have without it, and scored.

Beside the method run a static analysis of the same observations, which knows nothing of the days
before, and a forecast from the first analysis that is never corrected.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlda_core.bundle.bundle import Bundle
from mlda_core.climate.regions import Region, region_mask
from mlda_core.cycling.bundle_case import Case
from mlda_core.cycling.cycle import Cycle, CycledStep
from mlda_core.cycling.method import Estimate
from mlda_core.cycling.problem import Problem
from mlda_core.forecast.dynamics import Dynamics, advance

Array = NDArray[np.float64]
Half = NDArray[np.float16]
Checkpoint = Mapping[str, NDArray[Any]]
# What is scored: root mean square errors, and the spreads that the method itself expects.
SCORED = (
    "background",
    "analysis",
    "background_spread",
    "analysis_spread",
    "static",
    "free",
)
# The zero of every cycled method.
STATIC = "static"
_FREE = "free"
# Components of a checkpoint that is kept every day, and days between two larger ones: members of an
# ensemble take 1 MB as halves.
SMALL, APART = 200_000, 5


@dataclass(frozen=True, eq=False)
class FollowedDay:
    """A day of a cycle, as halves where it is fields: standardised anomalies end at about 5.

    Parameters
    ----------
    cycle : int
    background, analysis : ndarray of float16, shape (V, lat, lon)
        Standardised.
    spread : ndarray of float16, shape (V, lat, lon), optional
        Standard deviation of the analysis; None where the method has none.
    errors : dict
        Each of :data:`SCORED`, shape (areas, V), in display units; NaN where there is none.
    checkpoint : mapping, optional
        From which :meth:`FollowedCycle.resume` goes on after this day.
    """

    cycle: int
    background: Half
    analysis: Half
    spread: Half | None
    errors: dict[str, Array]
    checkpoint: Checkpoint | None


class FollowedCycle:
    """A method cycled through a case beside its zero and a free forecast.

    Days may be asked for by several threads, one at a time.

    Parameters
    ----------
    bundle : Bundle
    case : Case
        With the truth.
    problem : Problem
        What is cycled: the case's own, or with other observations.
    free : Dynamics
        The forecast that is never corrected.
    method : str
        Key of a cycled method.
    areas : sequence of Region
        Over which errors are averaged.
    **settings
        Of the method.
    """

    def __init__(
        self,
        bundle: Bundle,
        case: Case,
        problem: Problem,
        free: Dynamics,
        method: str,
        areas: Sequence[Region],
        **settings: Any,
    ) -> None:
        self._bundle, self._case, self._free_model = bundle, case, free
        self._cycle = Cycle(problem, method, **settings)
        self._static = None if self._cycle.method.key == STATIC else Cycle(problem, STATIC)
        masks = np.stack([region_mask(bundle.grid, area) for area in areas])
        weights = masks[:, None] * bundle.grid.weights * bundle.mask
        total = weights.sum(axis=(-2, -1), keepdims=True)
        self._weights = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
        self._empty = total[..., 0, 0] == 0
        self._free: Array | None = None
        self._last: FollowedDay | None = None
        self._lock = threading.Lock()

    def resume(self, checkpoint: Checkpoint) -> None:
        """Go on after the day whose checkpoint that is."""
        kept = {k: _whole(v) for k, v in checkpoint.items() if k != _FREE}
        self._cycle.resume(kept)
        if self._static is not None:
            self._static.resume({"seed": kept["seed"], "next": kept["next"], "method": _STATIC})
        self._free = _whole(checkpoint[_FREE])

    @property
    def next(self) -> int:
        """The cycle that comes next."""
        return self._cycle.next

    def day(self, cycle: int) -> FollowedDay | None:
        """Return a cycle, run as far as it takes; None where it lies behind."""
        with self._lock:
            if self._last is not None and self._last.cycle == cycle:
                return self._last
            if cycle < self.next:
                return None
            while self.next <= cycle:
                self._last = self._one(self.next)
            return self._last

    def _one(self, cycle: int) -> FollowedDay:
        step = next(self._cycle.run(cycle))
        static = step if self._static is None else next(self._static.run(cycle))
        if self._free is None:
            self._free = step.analysis.mean
        else:
            times = self._cycle.problem.steps(cycle - 1, cycle)
            self._free = advance(self._free_model, self._free[None], times)[0]
        spread = step.analysis.sd
        return FollowedDay(
            cycle,
            self._half(step.background.mean),
            self._half(step.analysis.mean),
            None if spread is None else self._half(spread),
            self._scores(cycle, step, static.analysis.mean, self._free),
            self._checkpoint(cycle, self._free),
        )

    def _half(self, state: Array) -> Half:
        return state.reshape(self._bundle.mask.shape).astype(np.float16)

    def _checkpoint(self, cycle: int, free: Array) -> Checkpoint | None:
        carried = self._cycle.carried
        if sum(v.size for v in carried.values()) > SMALL and cycle % APART:
            return None
        state: dict[str, NDArray[Any]] = {**self._cycle.state(), _FREE: free}
        return {k: np.asarray(v, np.float16) if np.ndim(v) else v for k, v in state.items()}

    def _scores(self, cycle: int, step: CycledStep, static: Array, free: Array) -> dict[str, Array]:
        season = int(self._case.days.season[cycle])
        truth = self._case.days.anomalies[cycle].astype(np.float64)
        made = {
            "background": shown(self._bundle, step.background.mean, season) - truth,
            "analysis": shown(self._bundle, step.analysis.mean, season) - truth,
            "background_spread": shown_spread(self._bundle, step.background, season),
            "analysis_spread": shown_spread(self._bundle, step.analysis, season),
            "static": shown(self._bundle, static, season) - truth,
            "free": shown(self._bundle, free, season) - truth,
        }
        return {name: self._rms(field) for name, field in made.items()}

    def _rms(self, field: Array | None) -> Array:
        if field is None:
            return np.full(self._empty.shape, np.nan)
        square = np.einsum("avyx,vyx->av", self._weights, np.nan_to_num(field) ** 2)
        return np.where(self._empty, np.nan, np.sqrt(square))


def shown(bundle: Bundle, state: NDArray[np.floating[Any]], season: int) -> Array:
    """Return a standardised state as anomalies in display units, shape (V, lat, lon).

    Parameters
    ----------
    bundle : Bundle
    state : ndarray, of V * lat * lon components
    season : int
        Of its time.
    """
    x = np.asarray(state, np.float64).reshape(1, *bundle.mask.shape)
    seasons = np.array([season])
    normaliser = bundle.normaliser
    return np.where(
        bundle.mask, normaliser.anomalies(normaliser.restore(x, seasons), seasons)[0], np.nan
    )


def shown_spread(bundle: Bundle, estimate: Estimate, season: int) -> Array | None:
    """Return the standard deviation of an estimate in display units; None where it has none.

    Rain's transform is not linear: half of what lies between a deviation less and one more.
    """
    if estimate.sd is None:
        return None
    more, less = (shown(bundle, estimate.mean + s * estimate.sd, season) for s in (1.0, -1.0))
    return np.abs(more - less) / 2


_STATIC = np.array(STATIC)


def _whole(value: NDArray[Any]) -> NDArray[Any]:
    return value.astype(np.float64) if value.dtype == np.float16 else value
