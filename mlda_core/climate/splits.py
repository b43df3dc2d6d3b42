"""Split of the months by year: train, validation, calibration, test, and gap months."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Split = Literal["train", "validation", "calibration", "test", "gap"]


# Years that lie completely within the range of numpy's nanosecond time stamps.
YEARS = (1678, 2261)


def month_name(time: np.datetime64) -> str:
    """Return ``YYYY-MM`` of a time stamp."""
    return str(time.astype("datetime64[M]"))


@dataclass(frozen=True)
class Splits:
    """Held-out years; other months train, except one gap month beside each held-out block.

    Parameters
    ----------
    test, validation, calibration : tuple of int
        Calendar years; no year in two of them.

    Raises
    ------
    ValueError
        If a year is named twice.
    """

    test: tuple[int, ...] = ()
    validation: tuple[int, ...] = ()
    calibration: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        years = [*self.test, *self.validation, *self.calibration]
        twice = sorted({y for y in years if years.count(y) > 1})
        if twice:
            raise ValueError(f"Year {twice[0]} is held out twice; name it in one split only.")

    def of(self, month: str) -> Split:
        """Return the split of a month ``YYYY-MM``.

        A month is a gap if it is not held out but adjoins a month that is: monthly anomalies are
        autocorrelated, and training on a neighbour of a test month would leak information.
        """
        index = int(np.datetime64(month, "M").astype(np.int64))
        own = self._held_out(index)
        if own is not None:
            return own
        beside = self._held_out(index - 1) or self._held_out(index + 1)
        return "gap" if beside else "train"

    def _held_out(self, month_index: int) -> Split | None:
        year = 1970 + month_index // 12
        if year in self.test:
            return "test"
        if year in self.validation:
            return "validation"
        if year in self.calibration:
            return "calibration"
        return None

    def select(self, time: NDArray[np.datetime64], names: Iterable[str]) -> NDArray[np.bool_]:
        """Mask of the time stamps whose split is one of ``names``, same shape as ``time``."""
        wanted = set(names)
        return np.array([self.of(month_name(t)) in wanted for t in time], dtype=bool)

    def to_dict(self) -> dict[str, list[int]]:
        """Return plain JSON values."""
        return {
            "test": list(self.test),
            "validation": list(self.validation),
            "calibration": list(self.calibration),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Splits:
        """Build from plain JSON or TOML values."""
        return cls(**{k: tuple(int(y) for y in v) for k, v in values.items()})
