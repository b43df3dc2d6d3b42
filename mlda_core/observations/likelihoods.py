"""Likelihoods of the rows of one month, of all kinds together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.interpolation import Places
from mlda_core.observations.kind import Array, Kind, Terms
from mlda_core.observations.kinds import KINDS


@dataclass(frozen=True, eq=False)
class Likelihoods:
    """What rows say, and how likely that is given the state at their places.

    Parameters
    ----------
    kinds : ndarray of str, shape (p,)
        Keys of :data:`mlda_core.observations.kinds.KINDS`.
    terms : Terms
        Standardised.
    shown : Places
        The operator on fields in display units.
    shown_value, shown_low, shown_high : ndarray, shape (p,)
        What the rows say in display units: NaN as in the terms.
    at_place : ndarray of bool, shape (p,)
        Whether the row is of a single place.
    """

    kinds: NDArray[np.str_]
    terms: Terms
    shown: Places
    shown_value: Array
    shown_low: Array
    shown_high: Array
    at_place: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.kinds)

    def where(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Likelihoods:
        """Return the rows selected by a mask or an index."""
        return Likelihoods(
            self.kinds[rows],
            self.terms.where(rows),
            self.shown.where(rows),
            self.shown_value[rows],
            self.shown_low[rows],
            self.shown_high[rows],
            self.at_place[rows],
        )

    @cached_property
    def quadratic(self) -> NDArray[np.bool_]:
        """Which rows have a normal error, shape (p,)."""
        return np.array([KINDS[k].quadratic for k in self.kinds], bool)

    @cached_property
    def ranked(self) -> NDArray[np.bool_]:
        """Which rows have a rank among what is expected of them, shape (p,)."""
        return np.array([KINDS[k].ranked for k in self.kinds], bool)

    @cached_property
    def log_concave(self) -> bool:
        """Whether all rows' likelihoods are, so that there is one minimum."""
        return all(kind.log_concave for kind, _, _ in self._groups)

    @cached_property
    def _groups(self) -> list[tuple[Kind, NDArray[np.int64], Terms]]:
        found = []
        for key in dict.fromkeys(self.kinds.tolist()):
            rows = np.flatnonzero(self.kinds == key)
            found.append((KINDS[key], rows, self.terms.where(rows)))
        return found

    def _by_kind(self, f: Array, value: Callable[[Kind, Array, Terms], Array]) -> Array:
        out = np.empty(np.shape(f))
        for kind, rows, terms in self._groups:
            out[..., rows] = value(kind, f[..., rows], terms)
        return out

    def cost(self, f: Array) -> Array:
        """-log p of each row, shape (..., p); see :meth:`Kind.cost`."""
        return self._by_kind(f, lambda kind, at, terms: kind.cost(at, terms))

    def slope(self, f: Array) -> Array:
        """Return the derivative of the cost; see :meth:`Kind.slope`."""
        return self._by_kind(f, lambda kind, at, terms: kind.slope(at, terms))

    def curvature(self, f: Array) -> Array:
        """Return the second derivative; see :meth:`Kind.curvature`."""
        return self._by_kind(f, lambda kind, at, terms: kind.curvature(at, terms))

    def weight(self, f: Array) -> Array:
        """Return the curvature of a step; see :meth:`Kind.weight`."""
        return self._by_kind(f, lambda kind, at, terms: kind.weight(at, terms))

    def pseudo(self, f: Array, curvature: Array) -> tuple[Array, Array]:
        """Return the normal observations that have the rows' slopes at f, and a curvature.

        Parameters
        ----------
        f, curvature : ndarray, shape (p,)

        Returns
        -------
        value, variance : ndarray, shape (p,)
            Rows with a normal error are themselves.
        """
        value = np.where(self.quadratic, self.terms.value, f - self.slope(f) / curvature)
        return value, np.where(self.quadratic, self.terms.sd**2, 1.0 / curvature)

    def utility(self, f: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        """Draw auxiliary normal observations; see :meth:`Kind.utility`."""
        value, variance = np.empty(np.shape(f)), np.empty(len(self))
        for kind, rows, terms in self._groups:
            value[..., rows], variance[rows] = kind.utility(f[..., rows], terms, rng)
        return value, variance

    def misfit(self, mean: Array, variance: Array) -> Array:
        """Return how far rows are from what others say; see :meth:`Kind.misfit`."""
        out = np.empty(len(self))
        for kind, rows, terms in self._groups:
            out[rows] = kind.misfit(mean[rows], variance[rows], terms)
        return out

    def predicted(self, mean: Array, variance: Array) -> tuple[Array, Array]:
        """Return the probabilities of less than rows say, and of that or less.

        Parameters
        ----------
        mean, variance : ndarray, shape (p,)
            Of a normal f; see :meth:`Kind.predicted`.

        Returns
        -------
        below, upto : ndarray, shape (p,)
        """
        below, upto = np.empty(len(self)), np.empty(len(self))
        for kind, rows, terms in self._groups:
            below[rows], upto[rows] = kind.predicted(mean[rows], variance[rows], terms)
        return below, upto

    def departure(self, at: Array) -> Array:
        """Return what rows say minus values at their places, display units.

        Parameters
        ----------
        at : ndarray, shape (p,)

        Returns
        -------
        ndarray, shape (p,)
            Of an interval the distance to it, zero within.
        """
        over = np.maximum(self.shown_low - at, 0.0) - np.maximum(at - self.shown_high, 0.0)
        return np.where(np.isnan(self.shown_low), self.shown_value - at, over)
