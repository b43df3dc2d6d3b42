"""The Kalman gain of a static covariance, in the space of the observations."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from mlda_core.cycling.covariance import Covariance, columns
from mlda_core.cycling.method import Estimate, Workspace
from mlda_core.cycling.problem import Observations

Array = NDArray[np.float64]


def interpolated(
    work: Workspace,
    covariance: Covariance,
    background: Array,
    observations: Observations,
    factor: float = 1.0,
) -> tuple[Estimate, float]:
    """Return a background plus the increment of observations, and the degrees of freedom.

    The gain is kept as long as network and covariance are the same and the operator is linear.

    Parameters
    ----------
    work : Workspace
    covariance : Covariance
    background : ndarray, shape (d,)
    observations : Observations
    factor : float
        Of the covariance.
    """
    operator = observations.operator
    owners = (operator, covariance, observations.variance) if operator.linear else None
    gain = work.kept(
        "gain", owners, lambda: Gain(covariance.scaled(factor), observations, background)
    )
    departures = observations.values - operator.observe(background[None])[0]
    return Estimate(background + gain.increment(departures), gain.sd), gain.signal


class Gain:
    """``K = B H^T (H B H^T + R)^-1``, with one factor of p x p and nothing of d x d.

    Parameters
    ----------
    covariance : Covariance
        B.
    observations : Observations
        Their operator and variances; values are not used.
    state : ndarray, shape (d,)
        Where H is taken.
    """

    def __init__(self, covariance: Covariance, observations: Observations, state: Array) -> None:
        self.cross, self.between = columns(covariance, observations.operator, state)
        self.factor = linalg.cho_factor(
            self.between + np.diag(observations.variance), lower=True, check_finite=False
        )
        self._variance = covariance.variance

    def increment(self, departures: Array) -> Array:
        """Return ``K d``, shape (d,), of departures of shape (p,)."""
        return np.asarray(
            self.cross @ linalg.cho_solve(self.factor, departures, check_finite=False)
        )

    @cached_property
    def sd(self) -> Array:
        """Standard deviation of the analysis, shape (d,)."""
        half = linalg.solve_triangular(self.factor[0], self.cross.T, lower=True, check_finite=False)
        return np.sqrt(np.maximum(self._variance - np.einsum("pd,pd->d", half, half), 0.0))

    @cached_property
    def signal(self) -> float:
        """Degrees of freedom for signal, the trace of ``H K``."""
        return float(np.trace(linalg.cho_solve(self.factor, self.between, check_finite=False)))
