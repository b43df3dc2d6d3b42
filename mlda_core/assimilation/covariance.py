"""Localised covariance of fields in terms of few patterns, evaluated column by column."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.localisation import great_circle, taper
from mlda_core.climate.combined import CombinedPlaces
from mlda_core.climate.interpolation import ObservationOperator, Places
from mlda_core.climate.sphere import unit_vectors

Float = NDArray[np.float32]
# For the residual variance: scales below the patterns' are correlated over a cell or two.
LEFTOVER_HALF_WIDTH_KM = 600.0
# Columns computed at once. Beyond eight, OpenBLAS' kernels for Haswell and Zen round a row
# depending on its position in the block (rows 25 to 32 of 32 differ); eight cost .30 ms a column
# of the bundled model, 32 cost .17.
BLOCK = 8
# Points of combined places taken at once: 74 kB of columns each in the bundled model.
MOST_AT_ONCE = 256
# Rows of a covariance of whole maps computed at once, so that its distances take 10 MB.
_ROWS = 512


@dataclass(frozen=True, eq=False)
class LocalisedCovariance:
    """``B = rho o F Phi^T C Phi F`` plus residual variance, of standardised anomalies.

    ``rho`` is the Gaspari-Cohn taper of distance, the same for all variables. The residual is
    uncorrelated between variables, and correlated over :data:`LEFTOVER_HALF_WIDTH_KM`. Both are
    Schur products of positive semidefinite matrices, so B is one. The taper is evaluated at the
    exact place, not at the corners of its cell.

    Parameters
    ----------
    operator : ObservationOperator
    patterns : ndarray, shape (K, cells)
        Phi, over the flattened state (V, lat, lon).
    coefficients : ndarray, shape (K, K)
        C, the covariance of the patterns' coefficients.
    leftover : ndarray, shape (cells,)
        Residual variance outside the span of the patterns.
    half_width : float
        Half-width c of the taper, km.
    coupling : ndarray, shape (V, V)
        Positive semidefinite, 1 on its diagonal: a taper between variables.
    """

    operator: ObservationOperator
    patterns: Float
    coefficients: NDArray[np.float64]
    leftover: Float
    half_width: float
    coupling: NDArray[np.float64]

    def columns(self, places: Places, only: int | None = None) -> Float:
        """Covariance of every cell with the values at places, shape (p, cells).

        Parameters
        ----------
        places : Places
        only : int, optional
            Compute the cells of this variable only.

        Returns
        -------
        ndarray of float32, shape (p, cells)
        """
        if isinstance(places, CombinedPlaces):
            return self._combined_columns(places, only)
        size = self.patterns.shape[1] // len(self.coupling)
        wanted = range(len(self.coupling)) if only is None else (only,)
        patterns = self.patterns[:, wanted[0] * size : (wanted[-1] + 1) * size]
        out = np.empty((len(places), patterns.shape[1]), np.float32)
        coefficients = self.coefficients.astype(np.float32)
        for first in range(0, len(places), BLOCK):
            here = places.where(np.arange(first, min(first + BLOCK, len(places)))).interpolate(
                self.patterns
            )
            # Always a full block: smaller products may round differently, and a column must not
            # depend on the others computed with it.
            block = np.zeros((BLOCK, here.shape[1]), np.float32)
            block[: len(here)] = here
            out[first : first + BLOCK] = ((block @ coefficients) @ patterns)[: len(here)]
        distance = great_circle(unit_vectors(places.lat, places.lon), self.operator.grid.points)
        rho = taper(distance, self.half_width)
        short = taper(distance, LEFTOVER_HALF_WIDTH_KM)
        left = np.sqrt(self._leftover_at(places)).astype(np.float32)
        by_variable = out.reshape(len(places), len(wanted), size)
        roots = np.sqrt(self.leftover).reshape(-1, size)
        for i, v in enumerate(wanted):
            by_variable[:, i] *= rho
            by_variable[:, i] *= self.coupling[places.variable, v][:, None].astype(np.float32)
            own = np.flatnonzero(places.variable == v)
            if own.size:
                by_variable[own, i] += short[own] * left[own, None] * roots[v]
        return out

    def between(self, a: Places, b: Places) -> NDArray[np.float64]:
        """Covariance of the values at places with those at others, shape (p, q)."""
        if isinstance(b, CombinedPlaces):
            return np.asarray(b.add_up(self.between(a, b.points), axis=1))
        if isinstance(a, CombinedPlaces):
            parts = [
                self.between(a.points.where(rows), b)
                for rows in _blocks(len(a.points), MOST_AT_ONCE)
            ]
            return a.add_up(np.concatenate(parts)) if parts else np.zeros((0, len(b)))
        here, there = a.interpolate(self.patterns), b.interpolate(self.patterns)
        out = ((here @ self.coefficients.astype(np.float32)) @ there.T).astype(np.float64)
        distance = great_circle(unit_vectors(a.lat, a.lon), unit_vectors(b.lat, b.lon))
        out *= taper(distance, self.half_width)
        out *= self.coupling[a.variable][:, b.variable]
        same = a.variable[:, None] == b.variable[None, :]
        roots = np.sqrt(self._leftover_at(a))[:, None] * np.sqrt(self._leftover_at(b))[None, :]
        return np.asarray(out + same * roots * taper(distance, LEFTOVER_HALF_WIDTH_KM))

    def within(self, places: Places, columns: Float) -> NDArray[np.float64]:
        """Covariance of the values at places with each other, given their columns, shape (p, p).

        Parameters
        ----------
        places : Places
        columns : ndarray, shape (p, cells)
            :meth:`columns` of them: a mean over many cells is read from these.
        """
        if not isinstance(places, CombinedPlaces) or not places.gridded.any():
            return self.between(places, places)
        wide, few = np.flatnonzero(places.gridded), np.flatnonzero(~places.gridded)
        out = np.empty((len(places), len(places)))
        out[np.ix_(few, few)] = self.between(places.where(few), places.where(few))
        rows = places.where(wide).interpolate(columns).astype(np.float64)
        out[wide] = rows
        out[:, wide] = rows.T
        square = rows[:, wide]
        out[np.ix_(wide, wide)] = 0.5 * (square + square.T)
        return out

    def _combined_columns(self, places: CombinedPlaces, only: int | None) -> Float:
        out = []
        for i in range(len(places)):
            one = places.where(np.array([i]))
            parts = [
                one.coefficient[rows].astype(np.float32)
                @ self.columns(one.points.where(rows), only)
                for rows in _blocks(len(one.points), MOST_AT_ONCE)
            ]
            out.append(np.sum(parts, axis=0, dtype=np.float32))
        if not out:
            size = self.patterns.shape[1] // (1 if only is None else len(self.coupling))
            return np.empty((0, size), np.float32)
        return np.asarray(np.stack(out), np.float32)

    def between_cells(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> Float:
        """Covariance of cells with others, each of one variable.

        For whole maps: by large products, so a row may depend on the others in its last digits.

        Parameters
        ----------
        first, second : ndarray of int, shape (p,) and (q,)
            Cells of the flattened state.

        Returns
        -------
        ndarray of float32, shape (p, q)
        """
        size = self.patterns.shape[1] // len(self.coupling)
        v, w = int(first[0]) // size, int(second[0]) // size
        points = self.operator.grid.points
        mixed = self.patterns[:, first].T @ self.coefficients.astype(np.float32)
        mixed *= np.float32(self.coupling[v, w])
        there = np.ascontiguousarray(self.patterns[:, second])
        roots = np.sqrt(self.leftover)
        out = np.empty((first.size, second.size), np.float32)
        for begin in range(0, first.size, _ROWS):
            rows = slice(begin, begin + _ROWS)
            part = out[rows]
            np.matmul(mixed[rows], there, out=part)
            distance = great_circle(points[first[rows] % size], points[second % size])
            part *= taper(distance, self.half_width)
            if v == w:
                near, far = np.nonzero(distance < 2.0 * LEFTOVER_HALF_WIDTH_KM)
                short = taper(distance[near, far], LEFTOVER_HALF_WIDTH_KM)
                part[near, far] += short * roots[first[rows][near]] * roots[second[far]]
        return out

    def variance_at(self, places: Places) -> NDArray[np.float64]:
        """Variance of the values at places, shape (p,): the diagonal of :meth:`between`."""
        if isinstance(places, CombinedPlaces):
            each = [places.where(np.array([i])) for i in range(len(places))]
            return np.array([self.between(one, one)[0, 0] for one in each])
        here = places.interpolate(self.patterns)
        mixed = here @ self.coefficients.astype(np.float32)
        return np.asarray((mixed * here).sum(axis=1, dtype=np.float64) + self._leftover_at(places))

    @cached_property
    def variance(self) -> Float:
        """Variance of every cell, shape (cells,)."""
        values, vectors = np.linalg.eigh(self.coefficients)
        kept = values > 1e-6 * max(values[-1], 1e-12)
        root = (vectors[:, kept] * np.sqrt(values[kept])).T.astype(np.float32)
        out = np.zeros(self.patterns.shape[1], np.float32)
        for first in range(0, len(root), 100):
            out += ((root[first : first + 100] @ self.patterns) ** 2).sum(axis=0)
        return out + self.leftover

    def _leftover_at(self, places: Places) -> NDArray[np.float64]:
        return np.asarray((self.leftover[places.index] * places.weight).sum(axis=1))


def _blocks(count: int, most: int) -> list[NDArray[np.int64]]:
    return [np.arange(first, min(first + most, count)) for first in range(0, count, most)]
