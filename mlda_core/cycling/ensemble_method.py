"""What the ensemble Kalman filters share: members that are stepped one by one."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.errors import UserError
from mlda_core.cycling.ensemble_transform import relaxed, spread_out
from mlda_core.cycling.method import Analysed, CycledMethod, Estimate, State, Workspace
from mlda_core.cycling.problem import Observations
from mlda_core.forecast.dynamics import advance

Array = NDArray[np.float64]


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
    """

    members: int = 40
    inflation: float = 1.0
    rotate: bool = False
    relaxation: float = 0.0

    def __post_init__(self) -> None:
        """Refuse an ensemble without spread."""
        if self.members < 2 or self.inflation <= 0:
            raise UserError(
                "An ensemble needs two members or more and a positive inflation; "
                f"not {self.members} and {self.inflation:g}."
            )

    def start(self, work: Workspace, generator: np.random.Generator) -> State:
        """Draw the members from the initial Gaussian."""
        return {"members": work.problem.initial.sample(self.members, generator)}

    def forecast(
        self, work: Workspace, state: State, cycle: int, generator: np.random.Generator
    ) -> State:
        """Step the members, each with its own model error."""
        problem = work.problem
        times = problem.steps(cycle - 1, cycle)
        return {"members": advance(problem.dynamics, state["members"], times, generator)}

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
        members = self.update(work, state["members"], observations, generator)
        if self.relaxation:
            members = relaxed(members, state["members"], self.relaxation)
        if self.rotate or self.inflation != 1.0:
            members = spread_out(members, self.inflation, generator if self.rotate else None)
        return Analysed({"members": members}, _estimate(members))

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
