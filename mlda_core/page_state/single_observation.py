"""One observation of a state in a window of 4D-Var."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.errors import UserError
from mlda_core.page_state.cycle_runs import CycleRequest, case_for, material_of
from mlda_core.page_state.cycles import Alone

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle

# Days of the window before and after that of the observation.
BEFORE, AFTER = 3, 4


@dataclass(frozen=True)
class AloneRequest:
    """An observation that is asked for, alone in its window.

    Parameters
    ----------
    run : CycleRequest
        Whose analysis the window starts from.
    alone : tuple
        Variable, latitude, longitude and day of the observation.
    labels : tuple of str
        Days of the run.
    """

    run: CycleRequest
    alone: Alone
    labels: tuple[str, ...]

    @property
    def cycle(self) -> int:
        """Number of the observation's day in the run."""
        return self.labels.index(self.alone[3])

    @property
    def window(self) -> tuple[int, int]:
        """First and last day of the window."""
        return max(self.cycle - BEFORE, 0), min(self.cycle + AFTER, len(self.labels) - 1)


@dataclass(frozen=True, eq=False)
class AloneResult:
    """What an observation does to the days of its window.

    Parameters
    ----------
    request : AloneRequest
    background, analysis : ndarray of float32, shape (days, V, lat, lon)
        Anomalies in display units, from the window's first day on.
    largest : ndarray, shape (V,)
        The largest increment of all days.
    departure : float
        Of the observation from the background, display units.
    """

    request: AloneRequest
    background: NDArray[np.float32]
    analysis: NDArray[np.float32]
    largest: NDArray[np.floating[Any]]
    departure: float


def through(bundle: Bundle, request: AloneRequest, start: NDArray[Any]) -> AloneResult:
    """Assimilate the true value at a place and day by 4D-Var in the window round it.

    Parameters
    ----------
    bundle : Bundle
    request : AloneRequest
    start : ndarray, shape (V, lat, lon)
        The run's analysis on the window's first day, standardised.

    Raises
    ------
    UserError
        If nothing can be observed there.
    """
    from mlda_core.cycling.bundle_case import ERROR, operator_of
    from mlda_core.cycling.followed import shown
    from mlda_core.cycling.problem import Observations
    from mlda_core.cycling.single_observation import through_time

    name, lat, lon, day = request.alone
    names = [variable.name for variable in bundle.variables]
    if name not in names:
        raise UserError(
            f"There is no variable '{name[:24]}' here; choose one of {', '.join(names)}."
        )
    where = np.array([names.index(name)]), np.array([lat]), np.array([lon])
    if not bundle.operator.observable(*where).all():
        raise UserError("Nothing of that variable can be observed there; choose another place.")
    places = bundle.operator.locate(*where)
    operator = operator_of(bundle, places)
    case = case_for(bundle, request.run)
    cycle, (first, last) = request.cycle, request.window
    truth = case.days.x[cycle].astype(np.float64).ravel()
    # The model as it is: drawn to climatology every day, the increments would fade by that alone.
    problem = replace(case.problem, dynamics=material_of(bundle).dynamics)
    observed = Observations(operator, operator.observe(truth[None])[0], np.array([ERROR**2]))
    made = through_time(problem, start.astype(np.float64).ravel(), first, last, cycle, observed)
    seasons = [bundle.seasons.of(label) for label in request.labels[first : last + 1]]
    background, analysis = (
        np.stack([shown(bundle, x, s) for x, s in zip(part, seasons, strict=True)])
        for part in (made.background, made.analysis)
    )
    increment = np.abs(analysis - background)
    # At the place: cells and weights are of the flattened state.
    there, believed = (
        float(np.nan_to_num(fields).ravel()[places.index[0]] @ places.weight[0])
        for fields in (bundle.target(day), background[cycle - first])
    )
    return AloneResult(
        request,
        background.astype(np.float32),
        analysis.astype(np.float32),
        np.nanmax(increment, axis=(0, 2, 3)),
        there - believed,
    )
