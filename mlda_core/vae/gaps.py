"""Handling of months with gaps where covariances and codes need complete ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mlda_core.vae.config import ConfigError
from mlda_core.vae.dataset import Months, TrainingData
from mlda_core.vae.seasonal import bridge_gaps

# Area fraction of all variables' cells from which a month counts as complete.
SHARE = 0.9
_ENOUGH = 24  # months from which the prior's variances can be estimated


def nearly_whole(months: Months, weights: NDArray[np.float64]) -> Months:
    """Return the months with nine tenths of all cells, or all months if these are too few.

    The codes of months with gaps are biased towards zero, and would make the prior too narrow.

    Parameters
    ----------
    months : Months
    weights : ndarray, shape (V, lat, lon)
        Cell areas, each variable summing to 1.
    """
    if months.present is None:
        return months
    chosen = _is_nearly_whole(months, weights)
    return months.where(chosen) if chosen.sum() >= _ENOUGH else months


def without_gaps(data: TrainingData, splits: Sequence[str]) -> TrainingData:
    """Return the months with nine tenths of all cells, their gaps filled from leading patterns.

    Covariances between places need maps that have both. The filled values, reconstructed from
    the leading patterns of the other cells, vary less than the missing ones, so that errors are
    slightly underestimated there.

    Parameters
    ----------
    data : TrainingData
    splits : sequence of str
        Splits to select from.

    Returns
    -------
    TrainingData
        Without gaps in ``x``; ``anomalies`` keep theirs. Data without gaps are returned
        unchanged.

    Raises
    ------
    ConfigError
        If fewer than 24 months remain, or months under mixed seas have gaps.
    """
    if data.mixed is not None and data.mixed.present is not None:
        raise ConfigError(
            "Months under mixed seas lack cells, which calibration cannot do with; set "
            "mixed_share = 0 and train again."
        )
    weights = data.normaliser.weights
    if data.observed.present is None:
        return data
    months = data.observed.in_split(*splits)
    kept = months.where(_is_nearly_whole(months, weights))
    if len(kept) < _ENOUGH:
        raise ConfigError(
            f"Only {len(kept)} months have nine tenths of their cells, and the errors of "
            f"assimilation need {_ENOUGH}; leave out the variable or the cells that are missing."
        )
    n, there = len(kept), kept.present
    if there is None:
        return data
    x = bridge_gaps(kept.x.reshape(n, -1), there.reshape(n, -1), weights.ravel(), seed=0)
    return replace(data, observed=replace(kept, x=x.reshape(kept.x.shape), present=None))


def _is_nearly_whole(months: Months, weights: NDArray[np.float64]) -> NDArray[np.bool_]:
    if months.present is None:
        return np.ones(len(months), dtype=bool)
    there = (months.present * weights).sum(axis=(2, 3)).mean(axis=1)
    return np.asarray(there >= SHARE)
