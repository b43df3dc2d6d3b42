"""Quantiles of the climate at places, by calendar month: the thresholds of reports in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.combined import CombinedPlaces
from mlda_core.climate.interpolation import Places

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle

Array = NDArray[np.float64]


def climate_quantiles(bundle: Bundle, places: Places, probability: Array, month: int) -> Array:
    """Return quantiles of past months' values at places, standardised.

    Of the bundle's past months, those of the calendar month and its two neighbours, which
    standardised anomalies make comparable. They are held by few patterns, so their distance from
    the median is enlarged to the variance with what the patterns leave over.

    Parameters
    ----------
    bundle : Bundle
    places : Places
        On standardised anomalies.
    probability : ndarray, shape (p,)
        Of a value below the quantile.
    month : int
        Calendar month 1..12.

    Returns
    -------
    ndarray, shape (p,)
        Infinite for the probabilities 0 and 1.
    """
    statistics = bundle.statistics
    apart = np.abs((statistics.calendar - bundle.calendar_month(month) + 6) % 12 - 6)
    chosen = statistics.coefficients[apart <= 1]
    values = (chosen @ places.interpolate(statistics.patterns).T).astype(np.float64)
    # In a mean over a region what the patterns leave over averages out.
    left = np.zeros(len(places))
    if isinstance(places, CombinedPlaces):
        single = np.bincount(places.row, minlength=len(places)) == 1
    else:
        single = np.ones(len(places), bool)
    leftover = (statistics.leftover[places.index] * places.weight).sum(axis=1)
    left[single] = leftover[single]
    variance = values.var(axis=0)
    wider = np.sqrt(1.0 + left / np.maximum(variance, 1e-9))
    out = np.empty(len(places))
    for i, share in enumerate(probability):
        if share in (0.0, 1.0):
            out[i] = np.inf if share else -np.inf
            continue
        middle = np.median(values[:, i])
        out[i] = middle + wider[i] * (np.quantile(values[:, i], share) - middle)
    return out
