"""The months of a bundle's own that it holds, packed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlda_core.bundle.files import MISSING, MONTH_STEP
from mlda_core.climate.errors import StateError

Float = NDArray[np.float32]


class BundledMonths:
    """Months of ``months.nc``: standardised anomalies in 16 bits, and the split of each.

    Parameters
    ----------
    arrays : mapping
        The file's arrays.

    Attributes
    ----------
    names : tuple of str
        ``YYYY-MM``, or ``YYYY-MM-DD`` of days, ascending.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self._packed = arrays["x"]
        self._step = np.float32(arrays.get("step", MONTH_STEP))
        self._split = [str(s) for s in arrays["split"]]
        self.names = tuple(str(m) for m in arrays["month"])
        self._row = {m: i for i, m in enumerate(self.names)}

    def split(self, month: str) -> str:
        """Return the split of a month; see :meth:`mlda_core.bundle.bundle.Bundle.split`."""
        return self._split[self._index(month)]

    def standardised(self, month: str) -> Float:
        """Return a month's standardised anomalies, (V, lat, lon), NaN where missing.

        Raises
        ------
        StateError
            If there is no such month.
        """
        packed = self._packed[self._index(month)]
        return np.where(packed == MISSING, np.nan, packed * self._step).astype(np.float32)

    def _index(self, month: str) -> int:
        try:
            return self._row[month]
        except KeyError:
            step = "day" if len(self.names[0]) > len("1997-12") else "month"
            raise StateError(
                f"The bundle has no {step} '{month}'; it holds {self.names[0]} to {self.names[-1]}."
            ) from None
