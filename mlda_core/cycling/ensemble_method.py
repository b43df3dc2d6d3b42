"""What the ensemble Kalman filters share: members that are stepped one by one."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.errors import UserError
from mlda_core.cycling.ensemble_transform import relaxed, scaled_anomalies, spread_out
from mlda_core.cycling.method import Analysed, CycledMethod, Estimate, State, Workspace
from mlda_core.cycling.problem import Observations
from mlda_core.forecast.dynamics import advance

Array = NDArray[np.float64]
# One day's estimate is kept within these: of few observations it is mostly noise.
_FACTORS = (0.8, 4.0)


@dataclass(frozen=True)
class EnsembleMethod(CycledMethod):
    """Members, inflated and rotated after each analysis.

    Parameters
    ----------
    members : int
    inflation : float
        Factor on the anomalies after an analysis.
    rotate : bool
        Whether they are then mixed by a random rotation.
    relaxation : float
        Fraction by which each component's spread is drawn back to that before the analysis, where
        observations took it (Whitaker and Hamill 2012, https://doi.org/10.1175/MWR-D-11-00276.1).
    adaptive : float
        Weight, 0 to 1, of today's departures in the factor on the background's covariance that is
        estimated from them (Li, Kalnay and Miyoshi 2009, https://doi.org/10.1002/qj.371, equation
        3); the factors before have the rest. 0 estimates nothing.
    """

    members: int = 40
    inflation: float = 1.0
    rotate: bool = False
    relaxation: float = 0.0
    adaptive: float = 0.0

    def __post_init__(self) -> None:
        """Refuse an ensemble without spread."""
        if self.members < 2 or self.inflation <= 0:
            raise UserError(
                "An ensemble needs two members or more and a positive inflation; "
                f"not {self.members} and {self.inflation:g}."
            )
        if not 0.0 <= self.adaptive <= 1.0:
            raise UserError(
                f"The weight of today's inflation is {self.adaptive:g}; give one within 0 to 1."
            )

    def start(self, work: Workspace, generator: np.random.Generator) -> State:
        """Draw the members from the initial Gaussian."""
        members = work.problem.initial.sample(self.members, generator)
        return {"members": members, "factor": np.ones(())}

    def forecast(
        self, work: Workspace, state: State, cycle: int, generator: np.random.Generator
    ) -> State:
        """Step the members, each with its own model error."""
        problem = work.problem
        times = problem.steps(cycle - 1, cycle)
        return {**state, "members": advance(problem.dynamics, state["members"], times, generator)}

    def estimate(self, work: Workspace, state: State, cycle: int) -> Estimate:
        """Return the mean and standard deviation of the members."""
        del work, cycle
        return _estimate(state["members"])

    def analyse(
        self,
        work: Workspace,
        state: State,
        cycle: int,
        observations: Observations,
        generator: np.random.Generator,
    ) -> Analysed:
        """Update the members; see :meth:`CycledMethod.analyse`."""
        del cycle
        before, factor = state["members"], float(state["factor"])
        if self.adaptive:
            factor = self._estimated(before, observations, factor)
            before = spread_out(before, np.sqrt(factor), None)
        members = self.update(work, before, observations, generator)
        if self.relaxation:
            members = relaxed(members, before, self.relaxation)
        if self.rotate or self.inflation != 1.0:
            members = spread_out(members, self.inflation, generator if self.rotate else None)
        after = {"members": members, "factor": np.array(factor)}
        return Analysed(after, _estimate(members), {"factor": factor})

    def _estimated(self, members: Array, observations: Observations, before: float) -> float:
        """Return the factor on the covariance of members that their departures tell."""
        observed = observations.operator.observe(members)
        departures = (observations.values - observed.mean(axis=0)) / observations.sd
        explained = float((scaled_anomalies(observed, observations.sd) ** 2).sum())
        if not explained > 0:
            return before
        told = (float(departures @ departures) - departures.size) / explained
        return before + self.adaptive * (float(np.clip(told, *_FACTORS)) - before)

    @abstractmethod
    def update(
        self,
        work: Workspace,
        members: Array,
        observations: Observations,
        generator: np.random.Generator,
    ) -> Array:
        """Return the members given the observations, shape (n, d), not inflated."""


def _estimate(members: Array) -> Estimate:
    return Estimate(members.mean(axis=0), members.std(axis=0, ddof=1))
