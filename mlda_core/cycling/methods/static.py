"""Optimal interpolation from climatology, each time alone: the zero of every cycled method.

Gandin 1963, Objective Analysis of Meteorological Fields; Kalnay 2003, chapter 5,
https://doi.org/10.1017/CBO9780511802270.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from mlda_core.cycling.gain import interpolated
from mlda_core.cycling.method import Analysed, CycledMethod, Estimate, State, Workspace
from mlda_core.cycling.problem import Observations


@dataclass(frozen=True)
class Static(CycledMethod):
    """Nothing is carried from one time to the next."""

    key = "static"
    label = "Static"
    sentence = "Optimal interpolation from climatology, each time alone"
    source = "Kalnay 2003, https://doi.org/10.1017/CBO9780511802270"
    rank = 10
    offered = MappingProxyType({})

    def start(self, work: Workspace, generator: np.random.Generator) -> State:
        """Carry nothing."""
        del work, generator
        return {}

    def forecast(
        self, work: Workspace, state: State, cycle: int, generator: np.random.Generator
    ) -> State:
        """Carry nothing."""
        del work, cycle, generator
        return state

    def estimate(self, work: Workspace, state: State, cycle: int) -> Estimate:
        """Return the climatology."""
        del state
        believed = work.problem.climatology.at(work.problem.time(cycle))
        return Estimate(believed.mean, np.sqrt(believed.covariance.variance))

    def analyse(
        self,
        work: Workspace,
        state: State,
        cycle: int,
        observations: Observations,
        generator: np.random.Generator,
    ) -> Analysed:
        """Interpolate; see :meth:`CycledMethod.analyse`."""
        del generator
        believed = work.problem.climatology.at(work.problem.time(cycle))
        estimate, signal = interpolated(work, believed.covariance, believed.mean, observations)
        return Analysed(state, estimate, {"signal": signal})


CYCLED = (Static(),)
