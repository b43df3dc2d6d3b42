"""Longitudes in canonical order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def eastwards(lon: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return longitudes in canonical order, and their positions in the file.

    Global longitudes run from Greenwich eastwards, within 0..360. A region stays in one piece, past
    360 if it lies across Greenwich. A first meridian repeated at the end, for plotting, is dropped.

    Parameters
    ----------
    lon : ndarray, shape (n,)
        Degrees east, in any order and range.

    Returns
    -------
    axis : ndarray, shape (m,)
        Ascending.
    order : ndarray of int, shape (m,)
    """
    # Round: axes are often 32-bit, and 2.5 degrees should not become 2.4999998.
    east: NDArray[np.float64] = np.asarray(lon, dtype=np.float64).round(5)
    if east.size > 1 and abs(abs(east[-1] - east[0]) - 360.0) < 1e-4:
        east = east[:-1]
    turned = np.mod(east, 360.0)
    order = np.argsort(turned)
    axis = turned[order]
    if axis.size < 2:
        return axis, order
    # A region begins after the widest gap of the circle, wherever the file's axis begins.
    gaps = np.diff(np.append(axis, axis[0] + 360.0))
    widest = int(gaps.argmax())
    if gaps[widest] > np.sort(gaps)[-2] + 1e-3:
        axis, order = np.roll(axis, -(widest + 1)), np.roll(order, -(widest + 1))
        axis = np.where(axis < axis[0], axis + 360.0, axis)
    return axis, order
