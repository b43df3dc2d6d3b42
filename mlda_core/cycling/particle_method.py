"""What the particle filters share: weighted states, resampled where few weigh."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.errors import UserError
from mlda_core.cycling.method import Analysed, CycledMethod, Estimate, State, Workspace
from mlda_core.cycling.problem import Observations
from mlda_core.cycling.resampling import (
    bandwidth,
    effective_number,
    jitter,
    repeated,
    reweight,
    systematic,
    weighted_root,
)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ParticleMethod(CycledMethod):
    """Particles with weights; the diagnostics hold the log evidence and each particle's parent.

    Parameters
    ----------
    particles : int
    threshold : float
        Resample where the effective number is this fraction of the particles or less.
    jitter : float
        Factor on Scott's kernel width of the noise given to particles that resampling repeats;
        needed where the model has no error of its own.
    """

    particles: int = 100
    threshold: float = 0.5
    jitter: float = 0.0

    def __post_init__(self) -> None:
        """Refuse fewer than two particles."""
        if self.particles < 2:
            raise UserError(f"A particle filter with {self.particles} particles: use 2 or more.")

    def start(self, work: Workspace, generator: np.random.Generator) -> State:
        """Draw the particles from the initial Gaussian, with equal weights."""
        states = work.problem.initial.sample(self.particles, generator)
        return {"states": states, "weights": np.full(self.particles, 1.0 / self.particles)}

    def estimate(self, work: Workspace, state: State, cycle: int) -> Estimate:
        """Return the weighted mean and standard deviation."""
        del work, cycle
        return _estimate(state["states"], state["weights"])

    def analyse(
        self,
        work: Workspace,
        state: State,
        cycle: int,
        observations: Observations,
        generator: np.random.Generator,
    ) -> Analysed:
        """Weigh the particles, and resample them; see :meth:`CycledMethod.analyse`."""
        states, log_likelihood = self.proposed(work, state, cycle, observations, generator)
        weights, log_evidence = reweight(state["weights"], log_likelihood)
        estimate = _estimate(states, weights)
        effective = effective_number(weights)
        n = self.particles
        parents = np.arange(n)
        if effective <= self.threshold * n:
            root = weighted_root(states, weights)
            parents = systematic(weights, generator)
            weights, states = np.full(n, 1.0 / n), states[parents]
            if self.jitter:
                twins = repeated(parents)
                width = self.jitter * bandwidth(n, states.shape[1])
                states[twins] += width * jitter(root, int(twins.sum()), generator)
        return Analysed(
            {**state, "states": states, "weights": weights},
            estimate,
            {"effective": effective, "log_evidence": log_evidence, "parents": parents},
        )

    @abstractmethod
    def proposed(
        self,
        work: Workspace,
        state: State,
        cycle: int,
        observations: Observations,
        generator: np.random.Generator,
    ) -> tuple[Array, Array]:
        """Return the particles at the time of the observations, and their log likelihoods."""


def _estimate(states: Array, weights: Array) -> Estimate:
    root = weighted_root(states, weights)
    return Estimate(weights @ states, np.sqrt(np.einsum("nd,nd->d", root, root)))
