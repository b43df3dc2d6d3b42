"""A lower bound: the value is not below what is stated, but for a normal error."""

from __future__ import annotations

import numpy as np

from mlda_core.observations.intervals import IntervalKind
from mlda_core.observations.kind import Array


class LowerBound(IntervalKind):
    """From the value to infinity."""

    def interval(self, value: Array) -> tuple[Array, Array]:
        """Return the value as the lower end; see :meth:`Kind.interval`."""
        return value.copy(), np.full(len(value), np.inf)


KIND = LowerBound(
    "lower_bound",
    "Lower bound",
    "At least a value, but for a normal error",
    "Tobin 1958, https://doi.org/10.2307/1907382",
    rank=40,
)
