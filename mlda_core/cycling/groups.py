"""Means over groups of components: what is learnt is one number a variable and latitude."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def mean_in_groups(values: Array, groups: NDArray[np.int64]) -> Array:
    """Return the mean of each component's group.

    Parameters
    ----------
    values : ndarray, shape (d,)
    groups : ndarray of int, shape (d,)
        From 0 on.

    Returns
    -------
    ndarray, shape (d,)
    """
    return np.asarray((np.bincount(groups, values) / np.bincount(groups))[groups])


def ratio(wanted: Array, had: Array) -> Array:
    """Return ``wanted / had``, and 0 where there is nothing to divide by."""
    return np.divide(wanted, had, out=np.zeros_like(wanted), where=had > 0)
