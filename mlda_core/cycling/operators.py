"""Observation operators of state vectors, linear or not, differentiable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from mlda_core.climate.errors import UserError

Array = NDArray[np.float64]


class StateOperator(Protocol):
    """From a state of d components to p observed values.

    The same object serves all times of one network: gains are kept by it.
    """

    @property
    def size(self) -> int:
        """Number of observed values p."""

    @property
    def linear(self) -> bool:
        """Whether its matrix is the same at every state."""

    @property
    def places(self) -> Array | None:
        """Coordinates of the observed values, shape (p, k), as a localisation reads them."""

    def apply(self, states: torch.Tensor) -> torch.Tensor:
        """Return the observed values of states, shape (n, p), of states of shape (n, d)."""

    def observe(self, states: Array) -> Array:
        """As :meth:`apply`, of arrays and without gradients."""

    def matrix_at(self, state: Array) -> Array:
        """Return the derivative H at a state, shape (p, d)."""


@dataclass(frozen=True, eq=False)
class LinearOperator:
    """A matrix, stored sparse.

    Parameters
    ----------
    matrix : sparse array, shape (p, d)
    places : ndarray, shape (p, k), optional
    """

    matrix: sparse.csr_array
    places: Array | None = None

    linear = True

    @classmethod
    def of_dense(cls, matrix: ArrayLike, places: Array | None = None) -> LinearOperator:
        """Make the operator of a dense matrix, shape (p, d)."""
        return cls(sparse.csr_array(np.asarray(matrix, np.float64)), places)

    @classmethod
    def of_components(
        cls, components: ArrayLike, size: int, places: Array | None = None
    ) -> LinearOperator:
        """Observe some components of a state of ``size`` components.

        Raises
        ------
        UserError
            If there is no such component.
        """
        at = np.asarray(components, np.int64)
        if at.ndim != 1 or at.size == 0 or at.min() < 0 or at.max() >= size:
            raise UserError(
                f"Observed components must lie in 0 to {size - 1}, and be one or more; "
                "correct the list."
            )
        ones = np.ones(at.size)
        return cls(sparse.csr_array((ones, (np.arange(at.size), at)), (at.size, size)), places)

    @property
    def size(self) -> int:
        """Number of observed values p."""
        return self.matrix.shape[0]

    @cached_property
    def _padded(self) -> tuple[torch.Tensor, torch.Tensor]:
        # Rows padded to the longest: a gather passes gradients, as quickly as a sparse product.
        m = self.matrix
        width = int(np.diff(m.indptr).max(initial=1))
        at = np.zeros((m.shape[0], width), np.int64)
        weights = np.zeros((m.shape[0], width))
        for i in range(m.shape[0]):
            row = slice(m.indptr[i], m.indptr[i + 1])
            at[i, : m.indptr[i + 1] - m.indptr[i]] = m.indices[row]
            weights[i, : m.indptr[i + 1] - m.indptr[i]] = m.data[row]
        return torch.from_numpy(at), torch.from_numpy(weights)

    def apply(self, states: torch.Tensor) -> torch.Tensor:
        """Return the observed values; see :class:`StateOperator`."""
        at, weights = self._padded
        return (states[..., at] * weights.to(states.dtype)).sum(dim=-1)

    def observe(self, states: Array) -> Array:
        """Return the observed values; see :class:`StateOperator`."""
        return np.asarray(self.matrix @ states.T).T

    @cached_property
    def _dense(self) -> Array:
        return np.asarray(self.matrix.toarray(), np.float64)

    def matrix_at(self, state: Array) -> Array:
        """Return H, shape (p, d), whatever the state."""
        del state
        return self._dense


@dataclass(frozen=True, eq=False)
class NonlinearOperator:
    """A differentiable function of the state.

    Parameters
    ----------
    function : callable
        From states (n, d) to observed values (n, p), tensors.
    size : int
        p.
    places : ndarray, shape (p, k), optional
    """

    function: Callable[[torch.Tensor], torch.Tensor]
    size: int
    places: Array | None = None

    linear = False

    def apply(self, states: torch.Tensor) -> torch.Tensor:
        """Return the observed values; see :class:`StateOperator`."""
        return self.function(states)

    def observe(self, states: Array) -> Array:
        """Return the observed values; see :class:`StateOperator`."""
        with torch.no_grad():
            return np.asarray(self.function(torch.from_numpy(np.array(states))).numpy())

    def matrix_at(self, state: Array) -> Array:
        """Return the derivative H at a state, shape (p, d), in one pass over p copies of it."""
        copies = torch.from_numpy(np.repeat(np.asarray(state, np.float64)[None], self.size, axis=0))
        copies.requires_grad_()
        (slope,) = torch.autograd.grad(self.function(copies).diagonal().sum(), copies)
        return np.asarray(slope.numpy())
