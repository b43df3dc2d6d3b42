"""How far a histogram of ranks strays by chance, where cells are correlated and months are few.

Cells of a month are not independent, so that the usual band of a histogram, that of independent
ranks, is far too narrow (Marzban and others 2011, https://doi.org/10.1175/2010MWR3129.1). The
members know: each of them, taken for the truth among the others, has ranks that are a draw of those
of a calibrated ensemble, with the correlations of its fields.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Array = NDArray[np.float64]


class RankChance:
    """Standard deviations by chance of how often the truth is in parts of an ensemble.

    Parameters
    ----------
    parts : sequence of (float, float)
        Each from one quantile of the ensemble to another.
    n_areas : int
    """

    def __init__(self, parts: Sequence[tuple[float, float]], n_areas: int) -> None:
        self._levels, index = np.unique(np.asarray(parts), return_inverse=True)
        self._low, self._high = index.reshape(-1, 2).T
        self._weight = np.zeros(n_areas)
        self._strayed: dict[Hashable, Array] = {}

    def add(self, members: Array, weights: Array, month: Hashable) -> None:
        """Add an ensemble.

        Parameters
        ----------
        members : ndarray, shape (n, k)
            Finite.
        weights : ndarray, shape (n_areas, k)
        month : hashable
            What is true: ensembles of one month have one truth, and are taken to stray together.
        """
        # Members that tie, as where there is no rain, share their ranks evenly.
        first = rankdata(members, method="min", axis=0) - 1.0
        width = rankdata(members, method="max", axis=0) - first
        n = len(members)
        below = np.stack(
            [np.clip((q * n - first) / width, 0.0, 1.0) @ weights.T for q in self._levels], axis=-1
        )
        # Over all members a share is exactly what is expected, so that their variance with n, and
        # not n - 1, below it is that of independent draws.
        strayed = (below[..., self._high] - below[..., self._low]).std(axis=0)
        self._strayed[month] = self._strayed.get(month, 0.0) + strayed
        self._weight += weights.sum(axis=1)

    @property
    def months(self) -> int:
        """Number of months that were added, each once."""
        return len(self._strayed)

    def of(self, area: int) -> Array:
        """Return the standard deviation of each part's share in an area, shape (parts,)."""
        variance = sum(strayed[area] ** 2 for strayed in self._strayed.values())
        return np.asarray(np.sqrt(variance) / self._weight[area])
