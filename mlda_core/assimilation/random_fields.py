"""Random fields on the sphere with a tapered correlation, and draws of a localised covariance.

A stationary field with the correlation ``rho(theta) = sum_l c_l P_l(cos theta)`` is a sum of
spherical harmonics with independent normal coefficients of variance ``4 pi c_l / (2 l + 1)``
(addition theorem; Lang and Schwab 2015, https://doi.org/10.1214/14-AAP1067, section 2). It is
evaluated on a grid, where it factors in latitude and longitude, and at any place, so that an
observation's error is drawn where the observation is and not at the corners of its cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from mlda_core.assimilation.covariance import LEFTOVER_HALF_WIDTH_KM, LocalisedCovariance
from mlda_core.assimilation.localisation import gaspari_cohn
from mlda_core.climate.combined import CombinedPlaces
from mlda_core.climate.grid import Grid
from mlda_core.climate.interpolation import Places
from mlda_core.climate.sphere import EARTH_RADIUS_KM

Float = NDArray[np.float32]
Array = NDArray[np.float64]

# Fraction of the variance up to the highest degree in those that are kept; the rest is added in
# proportion. For 600 km, the shortest taper used, degrees up to 100 hold .997 of all.
KEPT = 0.999
HIGHEST_DEGREE = 100
# Fraction of the trace of C in the eigenvectors that are kept.
KEPT_TRACE = 0.9995


@lru_cache(maxsize=16)
def spectrum(half_width: float) -> Array:
    """Variance by degree of a field with the Gaspari-Cohn taper as its correlation.

    Parameters
    ----------
    half_width : float
        Half-width c of the taper, km.

    Returns
    -------
    ndarray, shape (L + 1,)
        ``c_l``, summing to 1. Coefficients below zero, which the taper has where it is long for
        the sphere, are left out.
    """
    nodes, weights = np.polynomial.legendre.leggauss(4 * HIGHEST_DEGREE)
    rho = gaspari_cohn(EARTH_RADIUS_KM * np.arccos(nodes) / half_width)
    degrees = np.arange(HIGHEST_DEGREE + 1)
    polynomials = np.polynomial.legendre.legvander(nodes, HIGHEST_DEGREE)
    c = np.maximum((degrees + 0.5) * ((weights * rho) @ polynomials), 0.0)
    last = int(np.searchsorted(np.cumsum(c), KEPT * c.sum())) + 1
    kept = c[:last]
    return np.asarray(kept / kept.sum())


@dataclass(frozen=True)
class TaperedField:
    """Stationary random fields on the sphere, N(0, 1) everywhere, correlated by the taper.

    Parameters
    ----------
    half_width : float
        Half-width c of the taper, km.
    """

    half_width: float

    @property
    def size(self) -> int:
        """Number of coefficients of a field."""
        return len(spectrum(self.half_width)) ** 2

    def at(self, lat: Array, lon: Array) -> Float:
        """Effect of each coefficient at places.

        Parameters
        ----------
        lat, lon : ndarray, shape (p,)
            Degrees.

        Returns
        -------
        ndarray of float32, shape (size, p)
        """
        north, (cosine, sine) = self._north(lat), self._east(lon)
        parts = []
        for m, rows in enumerate(north):
            parts.append(rows * cosine[m])
            if m:
                parts.append(rows * sine[m])
        return np.concatenate(parts).astype(np.float32)

    def on(self, coefficients: Float, grid: Grid) -> Float:
        """Evaluate fields on a grid.

        Parameters
        ----------
        coefficients : ndarray, shape (n, size)
            Drawn from N(0, 1).
        grid : Grid

        Returns
        -------
        ndarray of float32, shape (n, cells)
        """
        north, (cosine, sine) = self._north(grid.lat), self._east(grid.lon)
        by_order, waves = [], []
        at = 0
        for m, rows in enumerate(north):
            for wave in (cosine[m], sine[m])[: 2 if m else 1]:
                part = coefficients[:, at : at + len(rows)]
                by_order.append(part @ rows.astype(np.float32))
                waves.append(wave)
                at += len(rows)
        stacked = np.stack(by_order, axis=2)
        fields = stacked @ np.stack(waves).astype(np.float32)
        return np.asarray(fields.reshape(len(coefficients), -1), np.float32)

    def _north(self, lat: Array) -> list[Array]:
        """Functions of latitude, scaled, by order: shapes (L + 1 - m, p)."""
        c = spectrum(self.half_width)
        top = len(c) - 1
        x = np.sin(np.radians(lat))
        legendre = special.assoc_legendre_p_all(top, top, x, norm=True)[0]
        scale = np.sqrt(4 * np.pi * c / (2 * np.arange(top + 1) + 1))[:, None]
        return [scale[m:] * legendre[m:, m] for m in range(top + 1)]

    def _east(self, lon: Array) -> tuple[Array, Array]:
        """Cosines and sines of longitude, normalised on the circle, shapes (L + 1, p)."""
        m = np.arange(len(spectrum(self.half_width)))[:, None]
        angle = m * np.radians(lon)
        norm = np.where(m == 0, 1 / np.sqrt(2 * np.pi), 1 / np.sqrt(np.pi))
        return norm * np.cos(angle), norm * np.sin(angle)


class ErrorSampler:
    """Draws fields from N(0, B) of a localised covariance.

    The Schur product ``(sum_k a_k a_k^T) o rho`` is the covariance of ``sum_k a_k o w_k`` with
    independent fields ``w_k`` of correlation rho.

    Parameters
    ----------
    covariance : LocalisedCovariance
    n : int
        Number of draws.
    seed : int or sequence of int
        The same seed gives the same fields, whatever the places.
    only : int, optional
        The variable to draw; all by default.
    """

    def __init__(
        self,
        covariance: LocalisedCovariance,
        n: int,
        seed: int | Sequence[int],
        *,
        only: int | None = None,
    ) -> None:
        self.covariance, self.n = covariance, n
        self.variables = range(len(covariance.coupling)) if only is None else (only,)
        rng = np.random.default_rng(seed)
        self._wide = TaperedField(covariance.half_width)
        self._short = TaperedField(LEFTOVER_HALF_WIDTH_KM)
        roots = len(self._roots) * len(self._couplings[0])
        self._patterned = rng.standard_normal((n, roots, self._wide.size), np.float32)
        variables = len(covariance.coupling)
        self._leftover = rng.standard_normal((n, variables, self._short.size), np.float32)

    @cached_property
    def _roots(self) -> Float:
        """Patterns whose outer products sum to Phi^T C Phi, shape (R, cells)."""
        values, vectors = np.linalg.eigh(self.covariance.coefficients)
        values = np.clip(values[::-1], 0.0, None)
        count = int(np.searchsorted(np.cumsum(values), KEPT_TRACE * values.sum())) + 1
        root = (vectors[:, ::-1][:, :count] * np.sqrt(values[:count])).T
        return root.astype(np.float32) @ self.covariance.patterns

    @cached_property
    def _couplings(self) -> Array:
        """Root of the taper between variables, shape (V, rank)."""
        values, vectors = np.linalg.eigh(self.covariance.coupling)
        kept = values > 1e-9
        return np.asarray(vectors[:, kept] * np.sqrt(values[kept]))

    @cached_property
    def cells(self) -> Float:
        """The draws on all cells of the variables drawn, shape (n, cells)."""
        covariance, grid = self.covariance, self.covariance.operator.grid
        every, size = len(covariance.coupling), grid.shape[0] * grid.shape[1]
        roots = self._roots.reshape(-1, every, size)
        out = np.empty((self.n, len(self.variables), size), np.float32)
        rank = self._couplings.shape[1]
        drawn = list(self.variables)
        spread = np.sqrt(covariance.leftover).reshape(every, size)[drawn]
        for i in range(self.n):
            wide = self._wide.on(self._patterned[i], grid).reshape(len(roots), rank, size)
            out[i] = 0.0
            # NumPy's tensordot over both indices takes 166 ms here, these sums 3 ms each.
            for j, v in enumerate(drawn):
                for r, weight in enumerate(self._couplings[v]):
                    if weight:
                        out[i, j] += weight * np.einsum("kc,kc->c", roots[:, v], wide[:, r])
            out[i] += spread * self._short.on(self._leftover[i, drawn], grid)
        return out.reshape(self.n, -1)

    def at(self, places: Places) -> Array:
        """Return the draws at places, shape (n, p)."""
        covariance = self.covariance
        if not len(places):
            return np.zeros((self.n, 0))
        if isinstance(places, CombinedPlaces):
            return places.add_up(self.at(places.points), axis=1)
        roots = places.interpolate(self._roots)
        rank = self._couplings.shape[1]
        coupled = self._couplings[places.variable].astype(np.float32)
        wide = self._wide.at(places.lat, places.lon)
        short = self._short.at(places.lat, places.lon)
        leftover = (covariance.leftover[places.index] * places.weight).sum(axis=1)
        out = np.empty((self.n, len(places)))
        for i in range(self.n):
            there = (self._patterned[i] @ wide).reshape(-1, rank, len(places))
            mixed = np.einsum("krp,pr->kp", there, coupled)
            out[i] = np.einsum("pk,kp->p", roots, mixed)
            own = self._leftover[i] @ short
            out[i] += np.sqrt(leftover) * own[places.variable, np.arange(len(places))]
        return out
