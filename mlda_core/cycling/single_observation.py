"""One observation in a window of 4D-Var: what it does to the days before and after."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from mlda_core.climate.errors import UserError
from mlda_core.cycling.problem import Observations, Problem
from mlda_core.cycling.window import Window, gauss_newton

Array = NDArray[np.float64]
# Gauss-Newton steps: with one observation the second changes little.
_STEPS, _TOLERANCE = 3, 1e-6


@dataclass(frozen=True, eq=False)
class ThroughTime:
    """A trajectory before and after observations were assimilated.

    Parameters
    ----------
    cycles : ndarray of int, shape (n,)
    background, analysis : ndarray, shape (n, d)
    """

    cycles: NDArray[np.int64]
    background: Array
    analysis: Array

    @property
    def increments(self) -> Array:
        """Analysis minus background, shape (n, d)."""
        return self.analysis - self.background


def through_time(
    problem: Problem, start: Array, first: int, last: int, cycle: int, observations: Observations
) -> ThroughTime:
    """Assimilate the observations of one cycle by 4D-Var in a window round it.

    The trajectory before them is changed as well as that after: the model is exact, so the analysis
    is the trajectory whose start fits background and observations best.

    Parameters
    ----------
    problem : Problem
        Its static covariance of background errors is that of the window's start.
    start : ndarray, shape (d,)
        Background at the first cycle.
    first, last : int
        Cycles of the window.
    cycle : int
        Of the observations.
    observations : Observations
        Few: a copy of the state is made for each.

    Raises
    ------
    UserError
        If the cycle is outside of the window, or the window outside of the problem.
    """
    if not 0 <= first <= cycle <= last <= problem.cycles:
        raise UserError(
            f"Cycle {cycle} is not in the window from {first} to {last} of {problem.cycles} "
            "cycles; choose a window that has it."
        )
    covariance = problem.background_at(first)
    window = Window(problem, first, last, start, covariance, [(cycle, observations)])
    nothing = np.zeros(window.rank)
    control, _ = gauss_newton(window, nothing, _STEPS, _TOLERANCE)
    with torch.no_grad():
        both = torch.from_numpy(np.stack([nothing, control]))
        states = [at.numpy() for _, at in window.states(both)]
    before, after = np.stack(states, axis=1)
    return ThroughTime(np.arange(first, last + 1), before, after)
