"""Gaussians of the state, and covariances that a method knows by their columns alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from mlda_core.climate.errors import UserError
from mlda_core.cycling.localisation import Localisation
from mlda_core.cycling.operators import StateOperator
from mlda_core.forecast.model_error import DiagonalCovariance, FactoredCovariance

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LocalisedSample:
    """Sample covariance tapered by distance, ``rho o A A^T``: columns only, no root.

    Parameters
    ----------
    anomalies : ndarray, shape (n, d)
        A^T, divided by ``sqrt(n - 1)``.
    localisation : Localisation
    """

    anomalies: Array
    localisation: Localisation

    @property
    def size(self) -> int:
        """Number of components d."""
        return self.anomalies.shape[1]

    @cached_property
    def variance(self) -> Array:
        """Diagonal of the covariance, shape (d,)."""
        return np.asarray(np.einsum("nd,nd->d", self.anomalies, self.anomalies))

    def scaled(self, factor: float) -> LocalisedSample:
        """Return the covariance times a factor."""
        return LocalisedSample(self.anomalies * np.sqrt(factor), self.localisation)


Factors = DiagonalCovariance | FactoredCovariance
Covariance = DiagonalCovariance | FactoredCovariance | LocalisedSample


def columns(covariance: Covariance, operator: StateOperator, state: Array) -> tuple[Array, Array]:
    """Return ``B H^T`` and ``H B H^T``, with H at a state.

    Parameters
    ----------
    covariance : Covariance
    operator : StateOperator
    state : ndarray, shape (d,)

    Returns
    -------
    cross : ndarray, shape (d, p)
    between : ndarray, shape (p, p)
    """
    h = operator.matrix_at(state)
    if isinstance(covariance, LocalisedSample):
        of = covariance.anomalies @ h.T
        local = covariance.localisation
        return (
            local.of_components(operator) * (covariance.anomalies.T @ of),
            local.between(operator) * (of.T @ of),
        )
    with torch.no_grad():
        rows = covariance.root_transposed(torch.from_numpy(h))
        return (
            np.asarray(covariance.root(rows).numpy()).T,
            np.asarray((rows @ rows.T).numpy()),
        )


class Climatology(Protocol):
    """What is believed of the state at a time without any observation."""

    def at(self, time: object) -> Gaussian:
        """Return the mean and covariance at a time."""


@dataclass(frozen=True, eq=False)
class Gaussian:
    """Mean and covariance; as a climatology, the same at all times.

    Parameters
    ----------
    mean : ndarray, shape (d,)
    covariance : Covariance
    """

    mean: Array
    covariance: Covariance

    @classmethod
    def of_sample(cls, states: Array) -> Gaussian:
        """Return the mean and covariance of states, shape (n, d)."""
        return cls(np.asarray(states.mean(axis=0)), FactoredCovariance.of_sample(states))

    def at(self, time: object) -> Gaussian:
        """Return itself."""
        del time
        return self

    def sample(self, n: int, generator: np.random.Generator) -> Array:
        """Draw states, shape (n, d).

        Raises
        ------
        UserError
            If the covariance has no root.
        """
        return self.mean + factors(self.covariance).sample(n, generator)


def factors(covariance: Covariance) -> Factors:
    """Return a covariance that has a root.

    Raises
    ------
    UserError
        If it has none.
    """
    if isinstance(covariance, LocalisedSample):
        raise UserError(
            "A localised sample covariance has no root to draw or control a state with; "
            "give a covariance in factors."
        )
    return covariance
