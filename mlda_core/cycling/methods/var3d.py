"""3D-Var with a static covariance: background from the forecast, one linearised step.

Lorenc 1986, https://doi.org/10.1002/qj.49711247414; Kalnay 2003, chapter 5,
https://doi.org/10.1017/CBO9780511802270. Solved in the space of the observations, which for linear
operators is the minimum of the 3D-Var cost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from mlda_core.cycling.gain import interpolated
from mlda_core.cycling.method import Analysed, CycledMethod, Estimate, State, Workspace
from mlda_core.cycling.problem import Observations
from mlda_core.forecast.dynamics import advance


@dataclass(frozen=True)
class Var3D(CycledMethod):
    """The static covariance is the problem's, times a factor.

    Parameters
    ----------
    factor : float
        Of the covariance of background errors.
    """

    factor: float = 1.0

    key = "3dvar"
    label = "3D-Var"
    sentence = "Background from the forecast, static covariance of its errors"
    source = "Lorenc 1986, https://doi.org/10.1002/qj.49711247414"
    rank = 20
    offered: ClassVar[Mapping[str, Any] | None] = MappingProxyType({})

    def start(self, work: Workspace, generator: np.random.Generator) -> State:
        """Start from the mean of the initial Gaussian."""
        del generator
        return {"mean": np.array(work.problem.initial.mean, np.float64)}

    def forecast(
        self, work: Workspace, state: State, cycle: int, generator: np.random.Generator
    ) -> State:
        """Step the mean, without model error."""
        del generator
        problem = work.problem
        times = problem.steps(cycle - 1, cycle)
        return {"mean": advance(problem.dynamics, state["mean"][None], times)[0]}

    def estimate(self, work: Workspace, state: State, cycle: int) -> Estimate:
        """Return the forecast, with the spread of the static covariance."""
        variance = work.problem.background_at(cycle).variance
        return Estimate(state["mean"], np.sqrt(self.factor * variance))

    def analyse(
        self,
        work: Workspace,
        state: State,
        cycle: int,
        observations: Observations,
        generator: np.random.Generator,
    ) -> Analysed:
        """Add the increment; see :meth:`CycledMethod.analyse`."""
        del generator
        covariance = work.problem.background_at(cycle)
        estimate, signal = interpolated(
            work, covariance, state["mean"], observations, factor=self.factor
        )
        return Analysed({"mean": estimate.mean}, estimate, {"signal": signal})


CYCLED = (Var3D(),)
