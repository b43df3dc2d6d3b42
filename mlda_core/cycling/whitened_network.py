"""A network as a filter of codes sees it: with what codes leave out among the errors."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from mlda_core.climate.errors import UserError
from mlda_core.cycling.covariance import LocalisedSample, columns
from mlda_core.cycling.operators import LinearOperator, StateOperator
from mlda_core.cycling.problem import Observations

Array = NDArray[np.float64]


class WhitenedNetwork:
    """A network whose observations are told apart from the rest, with independent unit errors.

    Codes are observed through ``H G(z)`` with errors of covariance ``H R H^T`` of the rest plus
    that of the instruments; multiplied by the inverse of its root they are independent.

    Parameters
    ----------
    rest : LocalisedSample
    observations : Observations
        Their operator, linear, and variances; values are not used.

    Raises
    ------
    UserError
        If the operator is not linear.
    """

    def __init__(self, rest: LocalisedSample, observations: Observations) -> None:
        operator = observations.operator
        if not operator.linear:
            raise UserError(
                "A method in the latent space takes linear observation operators only; use another "
                "method for others."
            )
        self.operator: StateOperator = operator
        self.cross, between = columns(rest, operator, np.zeros(rest.size))
        self.root = linalg.cholesky(between + np.diag(observations.variance), lower=True)
        self.half = self.whitened(self.cross.T)

    @cached_property
    def inverse_root(self) -> Array:
        """The matrix that whitens, shape (p, p): for gradients, which SciPy does not pass."""
        return self.whitened(np.eye(self.operator.size))

    def whitened(self, values: Array) -> Array:
        """Return the inverse root times values of shape (p, ...)."""
        return np.asarray(linalg.solve_triangular(self.root, values, lower=True))

    def of_codes(self, patterns: Array) -> LinearOperator:
        """Return the operator on codes of a decoder's patterns, shape (L, d)."""
        return LinearOperator.of_dense(self.whitened(self.operator.observe(patterns).T))

    def rest_given(self, departures: Array) -> Array:
        """Return the increment of the rest, shape (d,), of departures from state and rest (p,)."""
        return np.asarray(self.half.T @ self.whitened(departures))

    def variance_left(self, variance: Array) -> Array:
        """Return what is left of the rest's variance, shape (d,)."""
        return np.maximum(variance - np.einsum("pd,pd->d", self.half, self.half), 0.0)
