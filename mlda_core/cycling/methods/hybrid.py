"""Hybrid of 3D-Var and an ensemble: half of the covariance is learnt, half of the day.

Hamill and Snyder 2000, https://doi.org/10.1175/1520-0493(2000)128<2905:AHEKFV>2.0.CO;2: members
are updated with perturbed observations by the gain of both covariances together, and are centred on
the analysis of the forecast that is not perturbed. Before each analysis errors of the learnt sample
are added to them, for what the forecast itself does wrong (Whitaker et al. 2008,
https://doi.org/10.1175/2007MWR2018.1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.errors import UserError
from mlda_core.cycling.covariance import LocalisedSample, columns
from mlda_core.cycling.ensemble_transform import centred
from mlda_core.cycling.gain import Gain
from mlda_core.cycling.method import Analysed, CycledMethod, Estimate, State, Workspace
from mlda_core.cycling.problem import Observations
from mlda_core.forecast.dynamics import advance

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Hybrid(CycledMethod):
    """Members round a forecast.

    Parameters
    ----------
    members : int
    share : float
        Of their covariance, 0 to 1; the problem's own has the rest.
    additive : float
        Variance of the errors that are added to members, in units of the problem's covariance.
    """

    members: int = 20
    share: float = 0.5
    additive: float = 0.3

    key = "hybrid"
    label = "Hybrid 3D-Var"
    sentence = "3D-Var whose covariance is in part that of an ensemble of the day"
    source = (
        "Hamill and Snyder 2000, https://doi.org/10.1175/1520-0493(2000)128<2905:AHEKFV>2.0.CO;2"
    )
    rank = 28

    def __post_init__(self) -> None:
        """Refuse settings that mean nothing."""
        if self.members < 2 or not (0 <= self.share <= 1 and self.additive >= 0):
            raise UserError(
                "A hybrid needs two members or more, a share within 0 to 1 and an additive error "
                "of 0 or more; correct them."
            )

    def start(self, work: Workspace, generator: np.random.Generator) -> State:
        """Draw the members from the initial Gaussian."""
        initial = work.problem.initial
        drawn = initial.sample(self.members, generator)
        return {"mean": np.array(initial.mean, np.float64), "deviations": centred(drawn)[1]}

    def forecast(
        self, work: Workspace, state: State, cycle: int, generator: np.random.Generator
    ) -> State:
        """Step mean and members, and add errors to the members."""
        problem = work.problem
        times = problem.steps(cycle - 1, cycle)
        before = np.concatenate((state["mean"][None], state["mean"] + state["deviations"]))
        after = advance(problem.dynamics, before, times)
        deviations = centred(after[1:])[1]
        if self.additive:
            errors = _errors(problem.background_at(cycle), self.members, generator)
            deviations = deviations + np.sqrt(self.additive) * centred(errors)[1]
        return {"mean": after[0], "deviations": deviations}

    def _of_members(self, work: Workspace, deviations: Array) -> LocalisedSample:
        local = work.problem.localisation
        if local is None:
            raise UserError("The hybrid needs a localisation of its members; give the problem one.")
        scale = np.sqrt(self.share / (len(deviations) - 1))
        return LocalisedSample(scale * deviations, local)

    def estimate(self, work: Workspace, state: State, cycle: int) -> Estimate:
        """Return the forecast, with the spread of both covariances."""
        variance = (1 - self.share) * work.problem.background_at(cycle).variance
        variance = variance + self._of_members(work, state["deviations"]).variance
        return Estimate(state["mean"], np.sqrt(variance))

    def analyse(
        self,
        work: Workspace,
        state: State,
        cycle: int,
        observations: Observations,
        generator: np.random.Generator,
    ) -> Analysed:
        """Update mean and members by one gain; see :meth:`CycledMethod.analyse`."""
        operator, mean, deviations = observations.operator, state["mean"], state["deviations"]
        learnt = work.problem.background_at(cycle)
        owners = (operator, learnt) if operator.linear else None
        static = work.kept("columns", owners, lambda: columns(learnt, operator, mean))
        day = self._of_members(work, deviations)
        of_day = columns(day, operator, mean)
        part = 1 - self.share
        gain = Gain(
            part * static[0] + of_day[0],
            part * static[1] + of_day[1],
            part * learnt.variance + day.variance,
            observations.variance,
        )
        analysis = mean + gain.increment(observations.values - operator.observe(mean[None])[0])
        seen = operator.observe(mean + deviations)
        noise = observations.sd * generator.standard_normal(seen.shape)
        noise = noise * np.sqrt(self.members / (self.members - 1))
        moved = gain.increment((centred(noise)[1] - centred(seen)[1]).T).T
        after = {"mean": analysis, "deviations": deviations + moved}
        return Analysed(after, Estimate(analysis, gain.sd), {"signal": gain.signal})


def _errors(covariance: object, count: int, generator: np.random.Generator) -> Array:
    """Draw errors of a covariance: members of its sample where it has one, as they were."""
    if isinstance(covariance, LocalisedSample):
        chosen = generator.choice(len(covariance.anomalies), count, replace=False)
        return covariance.anomalies[chosen] * np.sqrt(len(covariance.anomalies))
    return covariance.sample(count, generator)  # type: ignore[attr-defined]


CYCLED = (Hybrid(),)
