"""A linear model of latent vectors, estimated from pairs of states.

The linear inverse model of Penland and Sardeshmukh 1995,
https://doi.org/10.1175/1520-0442(1995)008<1999:TOGOTS>2.0.CO;2, which is dynamic mode decomposition
of the codes: the decoder is nonlinear, so that this is Koopman's operator on the observables that
the encoder gives (Lusch, Kutz and Brunton 2018, https://doi.org/10.1038/s41467-018-07210-0).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from mlda_core.forecast.dynamics import Time
from mlda_core.forecast.latent_states import Pairs
from mlda_core.forecast.model_error import FactoredCovariance

Array = NDArray[np.float64]
# Greatest modulus of an eigenvalue: nothing may grow or stay for ever.
MOST_GROWTH = 0.999


@dataclass(frozen=True, eq=False)
class LinearDynamics:
    """Latent vectors times a matrix.

    Parameters
    ----------
    matrix : ndarray, shape (L, L)
        The next latent vector is ``matrix @ z`` plus the model error.
    error : ndarray, shape (L, L)
        Covariance of the error of a step.
    name : str
    """

    matrix: Array
    error: Array
    name: str = "koopman"

    @property
    def size(self) -> int:
        """Length of a latent vector."""
        return len(self.matrix)

    @cached_property
    def model_error(self) -> FactoredCovariance:
        """Of one step."""
        return FactoredCovariance.of_matrix(self.error)

    @cached_property
    def _tensor(self) -> torch.Tensor:
        return torch.from_numpy(self.matrix.T.copy())

    def step(self, states: torch.Tensor, time: Time) -> torch.Tensor:
        """Step states; see :meth:`mlda_core.forecast.dynamics.Dynamics.step`."""
        del time
        return states @ self._tensor.to(states.dtype)


def fit_linear(pairs: Pairs, ridge: float) -> LinearDynamics:
    """Estimate the matrix by ridge regression, and the covariance of what it leaves.

    Parameters
    ----------
    pairs : Pairs
    ridge : float
        Added to the covariance's diagonal, in units of its mean.

    Returns
    -------
    LinearDynamics
        Stable: eigenvalues of modulus above :data:`MOST_GROWTH` are pulled back to it.
    """
    n = len(pairs.before)
    now = pairs.before.T @ pairs.before / n
    lagged = pairs.after.T @ pairs.before / n
    strength = ridge * np.trace(now) / len(now)
    matrix = stable(np.linalg.solve((now + strength * np.eye(len(now))).T, lagged.T).T)
    left = pairs.after - pairs.before @ matrix.T
    return LinearDynamics(matrix, left.T @ left / n)


def stable(matrix: Array) -> Array:
    """Pull eigenvalues of modulus above :data:`MOST_GROWTH` back to it."""
    values, vectors = np.linalg.eig(matrix)
    size = np.abs(values)
    if size.max() <= MOST_GROWTH:
        return matrix
    pulled = np.where(size > MOST_GROWTH, values * MOST_GROWTH / size, values)
    return np.asarray(np.real(vectors @ np.diag(pulled) @ np.linalg.inv(vectors)))


def lost_of(dynamics: LinearDynamics, pairs: Pairs) -> float:
    """Return the part of the variance of the next latent vectors that is not explained."""
    left = pairs.after - pairs.before @ dynamics.matrix.T
    return float((left**2).sum() / (pairs.after**2).sum())


RIDGES = (0.0, 0.003, 0.01, 0.03, 0.1, 0.3)


def choose_linear(train: Pairs, held: Pairs) -> tuple[LinearDynamics, float]:
    """Return the model with the ridge of :data:`RIDGES` that is best on held-out pairs.

    The covariance of its error is that of the training pairs, scaled to the variance of the
    held-out ones: on those that it was fitted to it errs too little.
    """
    found = [(fit_linear(train, ridge), ridge) for ridge in RIDGES]
    chosen, ridge = min(found, key=lambda one: lost_of(one[0], held))
    left = held.after - held.before @ chosen.matrix.T
    factor = (left**2).sum() / len(left) / np.trace(chosen.error)
    return replace(chosen, error=chosen.error * factor), ridge
