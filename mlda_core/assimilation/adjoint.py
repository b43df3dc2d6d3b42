"""Gradients through assimilation: how a number of the analysis answers to each observation.

The analysis minimises a cost, so its derivative follows from the minimum's condition (the implicit
function theorem; Le Dimet, Ngodock, Luong and Verron 1997, "Sensitivity analysis in variational
data assimilation", equations 11-17): with the cost's gradient ``g(zeta, y) = 0``, and a response
``r(zeta, y)``,

    dr/dy = r_y - g_y^T lambda,    (d g / d zeta) lambda = r_zeta.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """How one number of the analysis answers to the sea.

    Parameters
    ----------
    value : float
        The number itself: an anomaly, display units.
    units : str
        Its units.
    per_cell : ndarray, shape (lat, lon)
        Derivative by the sea's temperature in each cell, units per kelvin; zero over land. The sum
        of its product with a change is the response to a small change.
    smooth : ndarray, shape (lat, lon)
        What one kelvin within 500 km of each cell of the sea does, units; NaN over land.
    """

    value: float
    units: str
    per_cell: Array
    smooth: Array


def sensitivity(assimilator, observed, month, row, weights):  # type: ignore[no-untyped-def]
    raise NotImplementedError
