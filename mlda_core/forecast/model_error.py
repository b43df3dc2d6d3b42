"""Covariances in factors, so that no matrix of the size of the state is ever formed.

A covariance of d components is ``L L^T`` with a root L of r columns. The error of a forecast model
is one, and so are the covariances of backgrounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from mlda_core.climate.errors import UserError

Array = NDArray[np.float64]


class ModelError(Protocol):
    """A Gaussian error of mean zero, known by a root of its covariance."""

    @property
    def size(self) -> int:
        """Number of components d."""

    @property
    def rank(self) -> int:
        """Number of columns r of the root."""

    @property
    def variance(self) -> Array:
        """Diagonal of the covariance, shape (d,)."""

    def root(self, weights: torch.Tensor) -> torch.Tensor:
        """Return ``L w``, shape (n, d), of weights of shape (n, r); differentiable."""

    def root_transposed(self, states: torch.Tensor) -> torch.Tensor:
        """Return ``L^T x``, shape (n, r), of states of shape (n, d); differentiable."""

    def sample(self, n: int, generator: np.random.Generator) -> Array:
        """Draw errors, shape (n, d)."""


@dataclass(frozen=True, eq=False)
class DiagonalCovariance:
    """Independent components.

    Parameters
    ----------
    variance : ndarray, shape (d,)
    """

    variance: Array

    def __post_init__(self) -> None:
        """Refuse what is no variance."""
        variance = np.asarray(self.variance, np.float64)
        object.__setattr__(self, "variance", variance)
        if variance.ndim != 1 or not np.isfinite(variance).all() or (variance < 0).any():
            raise UserError("A variance is negative or not a number; give one number >= 0 each.")

    @property
    def size(self) -> int:
        """Number of components d."""
        return self.variance.size

    @property
    def rank(self) -> int:
        """Number of columns of the root: d."""
        return self.variance.size

    @cached_property
    def _sd(self) -> torch.Tensor:
        return torch.from_numpy(np.sqrt(self.variance))

    def root(self, weights: torch.Tensor) -> torch.Tensor:
        """Return ``L w``; see :class:`ModelError`."""
        return weights * self._sd.to(weights.dtype)

    def root_transposed(self, states: torch.Tensor) -> torch.Tensor:
        """Return ``L^T x``; see :class:`ModelError`."""
        return states * self._sd.to(states.dtype)

    def sample(self, n: int, generator: np.random.Generator) -> Array:
        """Draw errors, shape (n, d)."""
        return generator.standard_normal((n, self.size)) * self._sd.numpy()

    def scaled(self, factor: float) -> DiagonalCovariance:
        """Return the covariance times a factor."""
        return DiagonalCovariance(self.variance * factor)


@dataclass(frozen=True, eq=False)
class FactoredCovariance:
    """``L L^T`` with a dense root.

    Parameters
    ----------
    factor : ndarray, shape (d, r)
        L.
    """

    factor: Array

    @classmethod
    def of_matrix(cls, matrix: ArrayLike) -> FactoredCovariance:
        """Factor a covariance matrix, shape (d, d), by its symmetric square root.

        Raises
        ------
        UserError
            If the matrix is no covariance.
        """
        full = np.asarray(matrix, np.float64)
        if full.ndim != 2 or full.shape[0] != full.shape[1] or not np.allclose(full, full.T):
            raise UserError("A covariance matrix is not square and symmetric; give one that is.")
        values, vectors = np.linalg.eigh(full)
        if values[0] < -1e-9 * max(values[-1], 1e-300):
            raise UserError("A covariance matrix has a negative eigenvalue; give one without.")
        return cls((vectors * np.sqrt(values.clip(0))) @ vectors.T)

    @classmethod
    def of_sample(cls, states: ArrayLike) -> FactoredCovariance:
        """Return the covariance of states, shape (n, d), with as few columns as it has ranks."""
        sample = np.asarray(states, np.float64)
        anomalies = (sample - sample.mean(axis=0)) / np.sqrt(len(sample) - 1)
        if len(sample) > sample.shape[1]:
            return cls.of_matrix(anomalies.T @ anomalies)
        return cls(np.ascontiguousarray(anomalies.T))

    @property
    def size(self) -> int:
        """Number of components d."""
        return self.factor.shape[0]

    @property
    def rank(self) -> int:
        """Number of columns r of the root."""
        return self.factor.shape[1]

    @cached_property
    def variance(self) -> Array:
        """Diagonal of the covariance, shape (d,)."""
        return np.asarray(np.einsum("dr,dr->d", self.factor, self.factor))

    @cached_property
    def _tensor(self) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(self.factor))

    def root(self, weights: torch.Tensor) -> torch.Tensor:
        """Return ``L w``; see :class:`ModelError`."""
        return weights @ self._tensor.T.to(weights.dtype)

    def root_transposed(self, states: torch.Tensor) -> torch.Tensor:
        """Return ``L^T x``; see :class:`ModelError`."""
        return states @ self._tensor.to(states.dtype)

    def sample(self, n: int, generator: np.random.Generator) -> Array:
        """Draw errors, shape (n, d)."""
        return np.asarray(generator.standard_normal((n, self.rank)) @ self.factor.T)

    def scaled(self, factor: float) -> FactoredCovariance:
        """Return the covariance times a factor."""
        return FactoredCovariance(self.factor * np.sqrt(factor))
