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
        "gain", owners, lambda: Gain.of(covariance.scaled(factor), observations, background)
    )
    departures = observations.values - operator.observe(background[None])[0]
    return Estimate(background + gain.increment(departures), gain.sd), gain.signal


class Gain:
    """``K = B H^T (H B H^T + R)^-1``, with one factor of p x p and nothing of d x d.

    Parameters
    ----------
    cross : ndarray, shape (d, p)
        ``B H^T``.
    between : ndarray, shape (p, p)
        ``H B H^T``.
    variance : ndarray, shape (d,)
        Of B.
    errors : ndarray, shape (p,)
        Variances of the observations' errors.
    """

    def __init__(self, cross: Array, between: Array, variance: Array, errors: Array) -> None:
        self.cross, self.between, self._variance = cross, between, variance
        self.factor = linalg.cho_factor(between + np.diag(errors), lower=True, check_finite=False)

    @classmethod
    def of(cls, covariance: Covariance, observations: Observations, state: Array) -> Gain:
        """Return that of a covariance, with H at a state."""
        cross, between = columns(covariance, observations.operator, state)
        return cls(cross, between, covariance.variance, observations.variance)

    def increment(self, departures: Array) -> Array:
        """Return ``K d``, shape (d,) or (d, n), of departures of shape (p,) or (p, n)."""
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
