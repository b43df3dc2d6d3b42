"""The shape of a posterior at observations whose errors are not normal: skewness and modes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# From this skewness on the outcome says so: mean and mode of a gamma distribution then differ by a
# quarter of a standard deviation.
SKEWED = 0.5


@dataclass(frozen=True, eq=False)
class Shape:
    """How far the posterior is from a normal one.

    Parameters
    ----------
    skewness : ndarray, shape (p,)
        Of the state at each observation used; 0 where the error is normal.
    modes : ndarray of int, shape (p,)
        Of the density there.
    n_minima : int
        Of the cost, among those that were searched for.
    below, upto : ndarray, shape (p,)
        By what all others say, the probabilities of less than what a row says, and of that or
        less: the same of a value; NaN where a row has no rank, as a bound.
    """

    skewness: Array
    modes: NDArray[np.int64]
    n_minima: int
    below: Array
    upto: Array

    @property
    def is_split(self) -> bool:
        """Whether the density at an observation has two modes, or the cost several minima."""
        return bool((self.modes > 1).any()) or self.n_minima > 1

    @property
    def is_skewed(self) -> bool:
        """Whether the state at an observation is so skewed that it is to be said."""
        return bool((np.abs(self.skewness) >= SKEWED).any())

    def words(self, rows: NDArray[np.int64]) -> str:
        """Say where the posterior is skewed or has two modes; '' if it is neither.

        Parameters
        ----------
        rows : ndarray of int, shape (p,)
            Of the observations used, in the table.
        """
        parts = []
        two = rows[self.modes > 1]
        if two.size:
            named = ", ".join(str(int(row) + 1) for row in two[:3])
            more = f" and {two.size - 3} more" if two.size > 3 else ""
            parts.append(
                f"the posterior has two modes at observation{'' if two.size == 1 else 's'} "
                f"{named}{more}"
            )
        elif self.n_minima > 1:
            parts.append(f"the cost has {self.n_minima} minima, the lowest is shown")
        if self.is_skewed:
            row = int(np.abs(self.skewness).argmax())
            parts.append(
                f"the posterior is skewed, most at observation {int(rows[row]) + 1} (skewness "
                f"{self.skewness[row]:+.1f})"
            )
        return "; ".join(parts)
