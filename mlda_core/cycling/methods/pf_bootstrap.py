"""The bootstrap particle filter: the forecast proposes, the likelihood weighs.

Gordon, Salmond and Smith 1993, https://doi.org/10.1049/ip-f-2.1993.0015; regularised after Musso,
Oudjane and Le Gland 2001, https://doi.org/10.1007/978-1-4757-3437-9_12.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlda_core.cycling.method import State, Workspace
from mlda_core.cycling.particle_method import ParticleMethod
from mlda_core.cycling.problem import Observations
from mlda_core.forecast.dynamics import advance

Array = NDArray[np.float64]


@dataclass(frozen=True)
class BootstrapFilter(ParticleMethod):
    """See :class:`ParticleMethod`."""

    key = "pf_bootstrap"
    label = "Particle filter"
    sentence = "Bootstrap particle filter: forecasts weighed by their likelihood"
    source = "Gordon et al. 1993, https://doi.org/10.1049/ip-f-2.1993.0015"
    rank = 80

    def forecast(
        self, work: Workspace, state: State, cycle: int, generator: np.random.Generator
    ) -> State:
        """Step the particles, each with its own model error."""
        problem = work.problem
        times = problem.steps(cycle - 1, cycle)
        return {**state, "states": advance(problem.dynamics, state["states"], times, generator)}

    def proposed(
        self,
        work: Workspace,
        state: State,
        cycle: int,
        observations: Observations,
        generator: np.random.Generator,
    ) -> tuple[Array, Array]:
        """Return the forecasts and their likelihoods; see :meth:`ParticleMethod.proposed`."""
        del work, cycle, generator
        observed = observations.operator.observe(state["states"])
        departures = (observations.values - observed) / observations.sd
        constant = np.log(2 * np.pi * observations.variance).sum()
        return state["states"], -0.5 * ((departures**2).sum(axis=1) + constant)


CYCLED = (BootstrapFilter(),)
