"""Transforms that make a variable near-Gaussian before it is standardised.

Precipitation is skewed and bounded by zero. Two families are supported, as the better one depends
on the data; the bundled model's was chosen by its reconstruction error in mm/day
(``benchmarks/precipitation_transform.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]
# Amounts below this are dry: they are packing noise (steps of 2e-8 kg m-2 s-1).
TRACE_MM_DAY = 1e-3


class Transform(Protocol):
    """A monotonic map of one variable, per calendar month and cell."""

    def forward(self, values: Array, month_index: NDArray[np.int64]) -> Array:
        """Map display-unit values (n, lat, lon), months 0..11 of shape (n,)."""
        ...

    def inverse(self, values: Array, month_index: NDArray[np.int64]) -> Array:
        """Invert :meth:`forward`."""
        ...

    def to_arrays(self) -> dict[str, Array]:
        """Return the arrays from which :func:`rebuild` restores the transform."""
        ...

    def at(self, cells: NDArray[np.int64]) -> Transform:
        """Return the transform of selected cells of (lat, lon), for values (n, cells)."""
        ...


@dataclass(frozen=True)
class Identity:
    """No transform."""

    def forward(self, values: Array, month_index: NDArray[np.int64]) -> Array:  # noqa: ARG002
        """Return the values."""
        return values

    inverse = forward

    def to_arrays(self) -> dict[str, Array]:
        """Return no arrays."""
        return {}

    def at(self, cells: NDArray[np.int64]) -> Identity:  # noqa: ARG002
        """Return itself: it does not depend on the cell."""
        return self


@dataclass(frozen=True)
class Power:
    """Fractional power of a non-negative variable.

    Parameters
    ----------
    exponent : float
        ``forward = max(value, 0) ** exponent``; a third is Wilson and Hilferty's (1931) choice
        for gamma variates.
    """

    exponent: float

    def forward(self, values: Array, month_index: NDArray[np.int64]) -> Array:  # noqa: ARG002
        """Raise to the power; negative amounts (packing noise) count as zero."""
        return np.power(np.clip(values, 0.0, None), self.exponent)

    def inverse(self, values: Array, month_index: NDArray[np.int64]) -> Array:  # noqa: ARG002
        """Raise to the inverse power; negative values are dry."""
        return np.power(np.clip(values, 0.0, None), 1.0 / self.exponent)

    def to_arrays(self) -> dict[str, Array]:
        """Return the exponent."""
        return {"exponent": np.array(self.exponent)}

    def at(self, cells: NDArray[np.int64]) -> Power:  # noqa: ARG002
        """Return itself: it does not depend on the cell."""
        return self


@dataclass(frozen=True)
class GammaNormal:
    """Gamma-to-normal quantile mapping per calendar month and cell.

    ``forward`` is the normal quantile of the fitted gamma's probability. Fitted by Thom's (1958)
    approximation to maximum likelihood.

    Parameters
    ----------
    shape, scale : ndarray, shape (12, lat, lon)
        The gamma distribution of each calendar month and cell.
    """

    shape: Array
    scale: Array
    # Beyond this normal quantile, probabilities round to 0 or 1 in float64.
    limit: float = 6.0

    @classmethod
    def fit(cls, values: Array, month_index: NDArray[np.int64]) -> GammaNormal:
        """Fit to display-unit values (n, lat, lon) of months 0..11, shape (n,)."""
        shape = np.ones((12, *values.shape[1:]))
        scale = np.ones_like(shape)
        wet = np.clip(values, TRACE_MM_DAY, None)
        for m in range(12):
            chosen = wet[month_index == m]
            # A cell without any value gets a placeholder distribution; the mask excludes it.
            chosen = np.where(np.isfinite(chosen).any(axis=0), chosen, 1.0)
            mean = np.nanmean(chosen, axis=0)
            gap = np.clip(np.log(mean) - np.nanmean(np.log(chosen), axis=0), 1e-4, None)
            # A gamma of shape above 1000 is practically normal; larger values only cost precision.
            shape[m] = np.clip((1 + np.sqrt(1 + 4 * gap / 3)) / (4 * gap), 0.05, 1000.0)
            scale[m] = mean / shape[m]
        return cls(shape, scale)

    def forward(self, values: Array, month_index: NDArray[np.int64]) -> Array:
        """Map to normal quantiles within +-``limit``."""
        a, s = self.shape[month_index], self.scale[month_index]
        x = np.clip(values, TRACE_MM_DAY, None) / s
        # The smaller tail is the more precise: near probability 1 use the upper one.
        low, high = special.gammainc(a, x), special.gammaincc(a, x)
        z = np.where(low < 0.5, special.ndtri(low), -special.ndtri(high))
        return np.clip(z, -self.limit, self.limit)

    def inverse(self, values: Array, month_index: NDArray[np.int64]) -> Array:
        """Map normal quantiles back to amounts."""
        a, s = self.shape[month_index], self.scale[month_index]
        z = np.clip(values, -self.limit, self.limit)
        x = np.where(
            z < 0,
            special.gammaincinv(a, special.ndtr(z)),
            special.gammainccinv(a, special.ndtr(-z)),
        )
        return np.asarray(x * s)

    def to_arrays(self) -> dict[str, Array]:
        """Return the fitted shapes and scales."""
        return {"shape": self.shape, "scale": self.scale}

    def at(self, cells: NDArray[np.int64]) -> GammaNormal:
        """Return the distributions of selected cells of the flattened (lat, lon)."""
        shape, scale = self.shape.reshape(12, -1), self.scale.reshape(12, -1)
        return GammaNormal(shape[:, cells], scale[:, cells], self.limit)


def rebuild(kind: str, arrays: dict[str, Array]) -> Transform:
    """Rebuild a transform from the arrays of :meth:`Transform.to_arrays`.

    Raises
    ------
    ValueError
        If the kind is unknown.
    """
    if kind == "none":
        return Identity()
    if kind == "power":
        return Power(float(arrays["exponent"]))
    if kind == "gamma":
        return GammaNormal(arrays["shape"], arrays["scale"])
    raise ValueError(f"The transform '{kind}' is unknown; use none, power or gamma.")
