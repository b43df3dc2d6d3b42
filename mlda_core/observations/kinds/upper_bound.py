"""An upper bound: the value is not above what is stated, but for a normal error."""

from __future__ import annotations

import numpy as np

from mlda_core.observations.intervals import IntervalKind
from mlda_core.observations.kind import Array


class UpperBound(IntervalKind):
    """From minus infinity to the value."""

    def interval(self, value: Array) -> tuple[Array, Array]:
        """Return the value as the upper end; see :meth:`Kind.interval`."""
        return np.full(len(value), -np.inf), value.copy()


KIND = UpperBound(
    "upper_bound",
    "Upper bound",
    "At most a value, but for a normal error",
    "Tobin 1958, https://doi.org/10.2307/1907382",
    rank=50,
)
