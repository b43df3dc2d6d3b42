"""Annual cycles: a field for each season, as a table of months or as harmonics of the day.

Both are indexed alike, ``cycle[season - 1]``, so that what uses them need not know which it has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.seasons import Seasons, seasons_of

Array = NDArray[np.float64]
# Pairs of harmonics of a daily climatology; four are usual for station series (Narapusetty,
# DelSole and Tippett 2009, https://doi.org/10.1175/2009JCLI2944.1: two to five).
HARMONICS = 3


@dataclass(frozen=True, eq=False)
class HarmonicCycle:
    """A mean and harmonics of the year, indexed as an array of one field a day of a leap year.

    Parameters
    ----------
    coefficients : ndarray, shape (1 + 2 H, ...)
        Mean, cosine and sine of the year, of half a year, ...
    least : ndarray, shape (...), optional
        Lower bound of the fields; none by default.
    of_squares : bool
        Whether the coefficients are those of the squared fields, as of a spread: variances add,
        and their fit is that of a mean.
    """

    coefficients: Array
    least: Array | None = None
    of_squares: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array: (366, ...)."""
        return (366, *self.coefficients.shape[1:])

    def __getitem__(self, key: Any) -> Array:
        """Evaluate at days 0..365, an integer, an array of them or a slice; then as of an array."""
        days, *rest = key if isinstance(key, tuple) else (key,)
        if isinstance(days, slice):
            days = np.arange(366)[days]
        index = np.asarray(days)
        design = basis((index + 0.5) / 366, (len(self.coefficients) - 1) // 2)
        inner = (slice(None), *rest)
        out = np.tensordot(design, self.coefficients[inner], axes=1)
        if self.of_squares:
            out = np.sqrt(np.maximum(out, 0.0))
        return out if self.least is None else np.maximum(out, self.least[tuple(rest)])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """Evaluate at every day."""
        return np.asarray(self[:], dtype)


Cycle = Array | HarmonicCycle


def basis(phase: Array, harmonics: int) -> Array:
    """Return 1, cos, sin, cos 2., ... of fractions of the year, shape (..., 1 + 2 harmonics)."""
    angle = 2 * np.pi * np.asarray(phase)
    parts = [np.ones_like(angle)]
    for h in range(1, harmonics + 1):
        parts += [np.cos(h * angle), np.sin(h * angle)]
    return np.stack(parts, axis=-1)


def mean_cycle(values: Array, index: NDArray[np.int64], seasons: Seasons) -> Cycle:
    """Estimate the annual cycle of fields.

    Parameters
    ----------
    values : ndarray, shape (n, ...)
        NaN where missing.
    index : ndarray of int, shape (n,)
        Seasons from 0.
    seasons : Seasons
        Of months a mean for each; of days the least-squares fit of :data:`HARMONICS`.

    Returns
    -------
    Cycle
        NaN in cells without values, or with too few for the harmonics.
    """
    if seasons.count == 12:
        return np.stack([_nanmean(values[index == m]) for m in range(12)])
    design = basis(seasons.phase(index + 1), HARMONICS)
    flat = values.reshape(len(values), -1)
    present = np.isfinite(flat)
    whole = present.all(axis=0)
    found = np.full((design.shape[1], flat.shape[1]), np.nan)
    found[:, whole] = np.linalg.lstsq(design, flat[:, whole], rcond=None)[0]
    for cell in np.flatnonzero(~whole & (present.sum(axis=0) >= 2 * design.shape[1])):
        rows = present[:, cell]
        found[:, cell] = np.linalg.lstsq(design[rows], flat[rows, cell], rcond=None)[0]
    return HarmonicCycle(found.reshape(design.shape[1], *values.shape[1:]))


def spread_cycle(departures: Array, index: NDArray[np.int64], seasons: Seasons) -> Cycle:
    """Estimate the annual cycle of the root mean square of departures; see :func:`mean_cycle`."""
    square = mean_cycle(departures**2, index, seasons)
    if isinstance(square, HarmonicCycle):
        return HarmonicCycle(square.coefficients, np.zeros(square.shape[1:]), of_squares=True)
    return np.sqrt(square)


def at_least(cycle: Cycle, least: Array | float) -> Cycle:
    """Return a cycle with a lower bound."""
    if isinstance(cycle, HarmonicCycle):
        bound = np.broadcast_to(np.asarray(least, np.float64), cycle.shape[1:])
        return HarmonicCycle(cycle.coefficients, bound, of_squares=cycle.of_squares)
    return np.maximum(cycle, least)


def stacked(cycles: list[Cycle], mask: NDArray[np.bool_]) -> Cycle:
    """Return the cycles of variables, (lat, lon) each, as one of (V, lat, lon), NaN off a mask."""
    first = cycles[0]
    if isinstance(first, HarmonicCycle):
        parts = [c for c in cycles if isinstance(c, HarmonicCycle)]
        found = np.where(mask, np.stack([c.coefficients for c in parts], axis=1), np.nan)
        least = [c.least for c in parts if c.least is not None]
        return HarmonicCycle(found, np.stack(least) if least else None, of_squares=first.of_squares)
    return np.where(mask, np.stack([np.asarray(c) for c in cycles], axis=1), np.nan)


def seasons_in(cycle: Cycle) -> Seasons:
    """Return the seasons of a cycle.

    Raises
    ------
    ValueError
        If it has neither 12 nor 366.
    """
    return seasons_of(cycle.shape[0])


def _nanmean(values: Array) -> Array:
    """Mean over samples, NaN for empty cells, without numpy's warning."""
    good = np.isfinite(values)
    count = good.sum(axis=0)
    total = np.where(good, values, 0.0).sum(axis=0)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
