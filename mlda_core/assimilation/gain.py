"""Factored innovation covariance S = H B H^T + R of one network, reused for all values."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from mlda_core.assimilation.prior import Prior
from mlda_core.climate.interpolation import ObservationError, Places

Float = NDArray[np.float32]
Array = NDArray[np.float64]


class Gain:
    """Factors of the innovation covariance of one network under one prior.

    Parameters
    ----------
    prior : Prior
    places : Places
        Of the observations used.
    variance : ndarray, shape (p,)
        Of their errors, standardised.
    columns : ndarray of float32, shape (p, cells)
        ``(B H^T)^T``, covariance of every cell's representation error with each observation.
    lasting : dict, optional
        Derived quantities of an earlier gain of the same network and prior.
    error_covariance : ndarray, shape (p, p), optional
        ``H B H^T``, if it is known already.

    Raises
    ------
    ObservationError
        If S is not positive definite.
    """

    def __init__(
        self,
        prior: Prior,
        places: Places,
        variance: Array,
        columns: Float,
        lasting: dict[str, Any] | None = None,
        error_covariance: Array | None = None,
    ) -> None:
        self.prior, self.places, self.variance, self.columns = prior, places, variance, columns
        self._others: tuple[bytes, Array] | None = None
        # Quantities that callers derive from the network alone. The first may be large and are
        # dropped with the factors; the second are numbers and single maps, and may outlive them.
        self.kept: dict[str, Any] = {}
        self.lasting: dict[str, Any] = {} if lasting is None else lasting
        if error_covariance is None:
            error_covariance = prior.error.within(places, columns)
        self.error_covariance = error_covariance
        s = self.error_covariance + np.diag(variance)
        try:
            root = linalg.cholesky(s, lower=True, check_finite=False)
        except linalg.LinAlgError:
            raise ObservationError(
                "The errors of these observations do not fit together (S is not positive "
                "definite); raise an error or shorten the localisation."
            ) from None
        # L^-1 rather than solves: the minimisation applies it at every step, and a single-precision
        # product takes 0.1 ms at 300 observations.
        identity = np.eye(len(s))
        self.whitener = linalg.solve_triangular(root, identity, lower=True, check_finite=False)

    def with_variance(self, variance: Array) -> Gain:
        """Return the gain of the same network with other variances of the errors, not cached."""
        out = Gain(
            self.prior,
            self.places,
            variance,
            self.columns,
            error_covariance=self.error_covariance,
        )
        out.__dict__["latent"] = self.latent
        return out

    def of_rows(self, rows: NDArray[np.bool_]) -> Gain:
        """Return the gain of some of the observations, not cached."""
        return Gain(
            self.prior,
            self.places.where(rows),
            self.variance[rows],
            self.columns[rows],
            error_covariance=self.error_covariance[np.ix_(rows, rows)],
        )

    @cached_property
    def latent(self) -> Array:
        """``H J0 T``, shape (p, L)."""
        if self.prior.factor is None:
            return np.zeros((len(self.places), 0))
        return self.places.interpolate(self.prior.factor).astype(np.float64)

    @cached_property
    def whitened(self) -> Array:
        """``L^-1 H J0 T``, shape (p, L)."""
        return np.asarray(self.whitener @ self.latent)

    @cached_property
    def inverse_hessian(self) -> Array:
        """``(I + T^T J0^T H^T S^-1 H J0 T)^-1``, shape (L, L)."""
        a = self.whitened
        return np.asarray(np.linalg.inv(np.eye(a.shape[1]) + a.T @ a))

    @cached_property
    def whitener32(self) -> Float:
        """L^-1 in single precision, for the decoder's cost."""
        return self.whitener.astype(np.float32)

    def linear_solution(self, departures: Array) -> Array:
        """Minimum of the cost with the linearised decoder, zeta of shape (L,)."""
        return np.asarray(self.inverse_hessian @ (self.whitened.T @ (self.whitener @ departures)))

    def residual_weights(self, departures: Array) -> Array:
        """``S^-1 d``, shape (p,); ``columns^T`` times it is the residual analysis."""
        return np.asarray(self.whitener.T @ (self.whitener @ departures))

    @cached_property
    def total_inverse(self) -> Array:
        """``(H B_total H^T + R)^-1`` with ``B_total = J0 T T^T J0^T + B``, shape (p, p)."""
        # Woodbury: S^-1 - S^-1 A (I + A^T S^-1 A)^-1 A^T S^-1.
        a = self.whitened
        middle = np.eye(len(self.places)) - a @ self.inverse_hessian @ a.T
        return np.asarray(self.whitener.T @ middle @ self.whitener)

    def chi_squared(self, departures: Array) -> float:
        """``d^T (H B_total H^T + R)^-1 d`` divided by the number of observations."""
        return float(departures @ self.total_inverse @ departures / max(len(departures), 1))

    @cached_property
    def degrees_of_freedom(self) -> float:
        """tr(H K), Rodgers (2000), equation 2.80."""
        return float(len(self.places) - np.diag(self.total_inverse) @ self.variance)

    def left_out_misfit(self, departures: Array) -> Array:
        """Standardised leave-one-out departure of each observation.

        In closed form (see Desroziers and Ivanov 2001 for a related diagnostic): with
        ``P = (H B H^T + R)^-1``, ``(P d)_i / sqrt(P_ii)`` is N(0, 1).
        """
        return np.asarray((self.total_inverse @ departures) / np.sqrt(np.diag(self.total_inverse)))

    def posterior_variance(self, cells: slice | NDArray[np.int64]) -> Float:
        """Variance of the analysis error of selected cells, shape (cells,), standardised."""
        factor = self.prior.factor
        total = self.prior.error.variance[cells].astype(np.float64)
        white = self.whitener32 @ self.columns[:, cells]
        total -= (white**2).sum(axis=0)
        if factor is not None:
            # Posterior uncertainty of the latent part, with both covariance terms.
            left = factor[:, cells] - self.whitened.astype(np.float32).T @ white
            root = linalg.cholesky(self.inverse_hessian, lower=True).astype(np.float32)
            total += ((root.T @ left) ** 2).sum(axis=0)
        return np.asarray(np.maximum(total, 1e-6), np.float32)

    def latent_only_variance(self, cells: slice) -> Float:
        """Variance of the error of the decoded part alone, shape (cells,), standardised.

        ``J P J^T + B - 2 J K H B`` with ``K = P A^T S^-1`` and ``A = H J0 T``: z partly fits the
        representation error e.
        """
        factor = self.prior.factor
        total = self.prior.error.variance[cells].astype(np.float64)
        if factor is not None:
            part = factor[:, cells]
            root = linalg.cholesky(self.inverse_hessian, lower=True).astype(np.float32)
            total += ((root.T @ part) ** 2).sum(axis=0)
            weights = self.inverse_hessian @ self.whitened.T @ self.whitener
            fitted = weights.astype(np.float32) @ self.columns[:, cells]
            total -= 2.0 * (part * fitted).sum(axis=0)
        return np.asarray(np.maximum(total, 1e-6), np.float32)

    def expected_variance(self, places: Places, variance: Array) -> Array:
        """Variance of other observations' departures from the analysis, shape (q,)."""
        key = b"".join(places.names)
        known = self._others
        if known is None or known[0] != key:
            known = self._others = key, self._analysis_variance(places)
        return np.asarray(known[1] + variance)

    def _analysis_variance(self, places: Places) -> Array:
        """Variance of the analysis error at places; :meth:`posterior_variance` is for cells."""
        prior = self.prior
        at = prior.error.variance_at(places)
        white = self.whitener32 @ prior.error.between(self.places, places).astype(np.float32)
        out = at - (white**2).sum(axis=0)
        if prior.factor is not None:
            left = places.interpolate(prior.factor).T - self.whitened.astype(np.float32).T @ white
            root = linalg.cholesky(self.inverse_hessian, lower=True).astype(np.float32)
            out = out + ((root.T @ left) ** 2).sum(axis=0)
        return np.asarray(np.maximum(out, 1e-6))
