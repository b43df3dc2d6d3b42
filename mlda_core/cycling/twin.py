"""Twin experiments: a truth run by the forecast model itself, and observations of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mlda_core.cycling.covariance import Gaussian
from mlda_core.cycling.cycle import CycledStep
from mlda_core.cycling.operators import StateOperator
from mlda_core.cycling.problem import Observations
from mlda_core.forecast.dynamics import Dynamics, trajectory

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Twin:
    """A truth and its observations.

    Parameters
    ----------
    truth : ndarray, shape (every * cycles + 1, d)
        At each step.
    observations : list
        Of each cycle; None at the start.
    """

    truth: Array
    observations: list[Observations | None]

    @property
    def cycles(self) -> int:
        """Number of cycles after the start."""
        return len(self.observations) - 1

    def at_cycles(self) -> Array:
        """Return the truth at each cycle, shape (cycles + 1, d)."""
        return self.truth[:: (len(self.truth) - 1) // self.cycles]


def simulate(
    dynamics: Dynamics,
    initial: Gaussian,
    operator: StateOperator,
    variance: Array,
    *,
    cycles: int,
    every: int = 1,
    seed: int = 0,
) -> Twin:
    """Draw a truth and observe it after every ``every`` steps, all times with one network.

    Parameters
    ----------
    dynamics : Dynamics
        Its times are step numbers.
    initial : Gaussian
    operator : StateOperator
    variance : ndarray, shape (p,)
        Of the errors of the observations.
    cycles : int
    every : int
    seed : int

    Returns
    -------
    Twin
    """
    generator = np.random.default_rng(seed)
    start = initial.sample(1, generator)
    truth = trajectory(dynamics, start, range(every * cycles), generator)[:, 0]
    clean = operator.observe(truth[::every])
    noise = generator.standard_normal(clean.shape) * np.sqrt(variance)
    observed = [Observations(operator, values, variance) for values in (clean + noise)[1:]]
    return Twin(truth, [None, *observed])


@dataclass
class Scores:
    """Root mean square errors and spreads of a run, time by time.

    Parameters
    ----------
    background, analysis, spread : list of float
        Over the components; the spread is the analysis', NaN where a method has none.
    """

    background: list[float] = field(default_factory=list)
    analysis: list[float] = field(default_factory=list)
    spread: list[float] = field(default_factory=list)

    def mean_after(self, cycle: int) -> tuple[float, float, float]:
        """Return the three time means over the cycles after one, the start being cycle 0."""
        means = [float(np.mean(s[cycle + 1 :])) for s in (self.background, self.analysis)]
        return means[0], means[1], float(np.mean(self.spread[cycle + 1 :]))


def score(steps: Iterable[CycledStep], truth: Array) -> Scores:
    """Score a run as it goes.

    Parameters
    ----------
    steps : iterable of CycledStep
        From the start on.
    truth : ndarray, shape (cycles + 1, d)

    Returns
    -------
    Scores
    """
    out = Scores()
    for step in steps:
        true = truth[step.cycle]
        out.background.append(_rms(step.background.mean - true))
        out.analysis.append(_rms(step.analysis.mean - true))
        sd = step.analysis.sd
        out.spread.append(float("nan") if sd is None else _rms(sd))
    return out


def _rms(values: Array) -> float:
    return float(np.sqrt(np.mean(values**2)))
