"""Convert standardised anomalies and their spread to display units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.climate.interpolation import Places

Float = NDArray[np.float32]
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(5)
_SHARE = (_WEIGHTS / _WEIGHTS.sum())[:, None, None, None]


def anomalies(bundle: Bundle, x: Float, month: int, sd: Float | None) -> Float:
    """Return anomalies in display units: means over a normal distribution.

    Parameters
    ----------
    bundle : Bundle
    x : ndarray, shape (cells,) or (V, lat, lon)
        Standardised anomalies.
    month : int
        Calendar month 1..12.
    sd : ndarray, shape (V, lat, lon), optional
        Standardised spread; None to transform the mean only.

    Returns
    -------
    ndarray of float32, shape (V, lat, lon)
        NaN where a variable does not exist.
    """
    given = x.reshape(1, *bundle.mask.shape)
    fields = bundle.normaliser.restore(given, np.array([month]), sd=sd)[0]
    out = np.where(bundle.mask, fields - bundle.climatology(month), np.nan)
    return np.asarray(out, np.float32)


def spread(bundle: Bundle, x: Float, sd: Float, month: int) -> Float:
    """Return the standard deviation in display units of a normal distribution about x.

    By five Gauss-Hermite nodes, as for the mean.

    Parameters
    ----------
    bundle : Bundle
    x, sd : ndarray, shape (V, lat, lon)
        Standardised.
    month : int
        Calendar month 1..12.

    Returns
    -------
    ndarray of float32, shape (V, lat, lon)
        NaN where a variable does not exist.
    """
    drawn = np.stack([x + node * sd for node in _NODES])
    fields = bundle.normaliser.restore(drawn, np.full(len(_NODES), month))
    mean = (_SHARE * fields).sum(axis=0)
    out = np.sqrt((_SHARE * (fields - mean) ** 2).sum(axis=0))
    return np.asarray(np.where(bundle.mask, out, np.nan), np.float32)


def climatological_spread(bundle: Bundle, month: int) -> Float:
    """Return the standard deviation of the training months in display units, (V, lat, lon)."""
    one = np.ones(bundle.mask.shape, np.float32)
    return spread(bundle, np.zeros_like(one), one, month)


def at_place(bundle: Bundle, where: Places, x: ArrayLike, month: int) -> NDArray[np.float64]:
    """Convert standardised values at one place to anomalies in display units.

    Each value is restored at the corners of the place's cell, and interpolated: the inverse of what
    is done with an observation.

    Parameters
    ----------
    bundle : Bundle
    where : Places
        Of one place.
    x : array_like, shape (n,)
        Standardised.
    month : int
        Calendar month 1..12.

    Returns
    -------
    ndarray, shape (n,)
    """
    normaliser, v = bundle.normaliser, int(where.variable[0])
    corners = where.index[0] - v * bundle.grid.weights.size
    weight = where.weight[0]
    corners, weight = corners[weight > 0], weight[weight > 0]
    mean, centre, width = (
        field[month - 1, v].ravel()[corners]
        for field in (normaliser.climatology, normaliser.centre, normaliser.spread)
    )
    moved = np.asarray(x, np.float64)[:, None] * width + centre
    months = np.full(len(moved), month - 1)
    full = normaliser.transforms[v].at(corners).inverse(moved, months)
    return np.asarray((full - mean) @ weight)
