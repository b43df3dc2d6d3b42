"""Error statistics and past months, from which all covariances are computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.errors import StateError
from mlda_core.vae.seasonal import season_weights

Float = NDArray[np.float32]
Array = NDArray[np.float64]


@dataclass(frozen=True)
class TunedParameters:
    """Parameters tuned on validation months; stored in a bundle's ``config.json``.

    Parameters
    ----------
    hybrid_sparse, hybrid_dense : float
        Weight ``a`` of the decoder's covariance in the hybrid
        ``a (G G^T + B_r) + (1 - a) B_oi`` (Hamill and Snyder 2000), for 10 observed places or
        fewer and for 300 or more; in between by the logarithm. The decoder's patterns are better
        for few observations, the sample of months for many.
    half_width, half_width_sea, half_width_latent : float
        Half-widths of the localisation, km: of the hybrid, of the hybrid where the sea is
        observed, and of the decoder with its own residuals.
    half_width_eof, half_width_enoi, half_width_enoi_sea : float
        The same of EOFs, of ensemble optimal interpolation, and of the latter where the sea is
        observed.
    season_width, season_floor : float
        Weights of past months by season; see :func:`mlda_core.vae.seasonal.season_weights`.
    residual_width, residual_floor : float
        The same for the residuals of held-out months, which are fewer.
    sea_share : float
        Factor on the sea network's output in the background, where the sea is observed.
    sea_coupling : float
        Taper of the covariance between SST and the other variables, given that background.
    hybrid_sea : float
        ``a`` where the sea is observed.
    nonlinearity : float
        Median of ``|G(z) - lin(z)| / |G(z) - G(0)|``; from 0.5 on, several starts are used.
    """

    hybrid_sparse: float = 0.65
    hybrid_dense: float = 0.15
    half_width: float = 8000.0
    half_width_sea: float = 8000.0
    half_width_latent: float = 4000.0
    half_width_eof: float = 3000.0
    half_width_enoi: float = 9000.0
    half_width_enoi_sea: float = 6000.0
    season_width: float = 1.2
    season_floor: float = 0.05
    residual_width: float = 1.8
    residual_floor: float = 0.2
    sea_share: float = 0.9
    sea_coupling: float = 0.7
    hybrid_sea: float = 0.1
    nonlinearity: float = 0.0

    def to_dict(self) -> dict[str, float]:
        """Return plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TunedParameters:
        """Build from plain JSON values.

        Raises
        ------
        ValueError
            If a setting is unknown or not a number.
        """
        known = {f.name for f in fields(cls)}
        for name, value in values.items():
            if name not in known or isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"The assimilation setting '{name}' is {value!r}; correct it.")
            is_fraction = name.startswith("hybrid") or name in {"sea_share", "sea_coupling"}
            low, high = (0.0, 1.0) if is_fraction or name.endswith("floor") else (1e-3, 1e6)
            if not (name == "nonlinearity" or low <= value <= high):
                raise ValueError(
                    f"The assimilation setting '{name}' is {value!r}; it must be within {low:g} "
                    f"to {high:g}."
                )
        return cls(**{name: float(value) for name, value in values.items()})

    def hybrid(self, n_places: int) -> float:
        """Weight of the decoder's covariance for a number of distinct observed places.

        In steps of 0.05, so that adding a station seldom changes the covariance.
        """
        part = np.log(max(n_places, 1) / 10.0) / np.log(300.0 / 10.0)
        part = float(np.clip(part, 0.0, 1.0))
        weight = (1.0 - part) * self.hybrid_sparse + part * self.hybrid_dense
        return round(20.0 * weight) / 20.0


@dataclass(frozen=True, eq=False)
class SeaStatistics:
    """Statistics of past months conditional on their seas.

    Parameters
    ----------
    mean : ndarray of float32, shape (u, K)
        Coefficients of the sea network's output for each distinct sea.
    row : ndarray of int, shape (n,)
        Index of each past month's sea.
    held_residual : ndarray of float32, shape (h, K)
        Coefficients of ``x - x_b - (G(z) - G(z_b))`` of held-out months.
    latent : ndarray, shape (L, L)
        Covariance of ``z - z_b`` of held-out months.
    """

    mean: Float
    row: NDArray[np.int64]
    held_residual: Float
    latent: Array


@dataclass(frozen=True, eq=False)
class Statistics:
    """Past months and the decoder's residuals, as coefficients of common patterns.

    Parameters
    ----------
    patterns : ndarray of float32, shape (K, cells)
        The decoder's own patterns, and further ones of its residuals.
    leftover : ndarray of float32, shape (cells,)
        Variance outside the span of all patterns, on held-out months.
    coefficients : ndarray of float32, shape (n, K)
        Of the standardised anomalies of all months except the test split.
    calendar : ndarray of int, shape (n,)
        Their calendar months 1..12.
    held : ndarray of int, shape (h,)
        Rows of the months held out from the decoder's fit: validation and calibration.
    held_residual : ndarray of float32, shape (h, K)
        Coefficients of their ``x - G(z)``.
    sea : SeaStatistics, optional
        If the model has a sea.
    """

    patterns: Float
    leftover: Float
    coefficients: Float
    calendar: NDArray[np.int64]
    held: NDArray[np.int64]
    held_residual: Float
    sea: SeaStatistics | None = None

    def months(self, month: int, width: float, floor: float) -> Array:
        """Covariance of past months for a calendar month, (K, K)."""
        return _moment(self.coefficients, self.calendar, month, width, floor)

    def months_given_sea(self, month: int, share: float, width: float, floor: float) -> Array:
        """Covariance of past months about ``share`` times the sea network's output, (K, K)."""
        sea = self._sea()
        left = self.coefficients - np.float32(share) * sea.mean[sea.row]
        return _moment(left, self.calendar, month, width, floor)

    def residuals(self, month: int, width: float, floor: float) -> Array:
        """Covariance of the representation error for a calendar month, (K, K)."""
        return _moment(self.held_residual, self.calendar[self.held], month, width, floor)

    def residuals_given_sea(self, month: int, width: float, floor: float) -> Array:
        """Covariance of the representation error about the background given the sea, (K, K)."""
        left = self._sea().held_residual
        return _moment(left, self.calendar[self.held], month, width, floor)

    def residuals_of_leading(self, count: int, month: int, width: float, floor: float) -> Array:
        """Covariance of the first ``count`` patterns' residuals in held-out months, (K, K)."""
        left = self.coefficients[self.held].copy()
        left[:, :count] = 0.0
        return _moment(left, self.calendar[self.held], month, width, floor)

    def _sea(self) -> SeaStatistics:
        if self.sea is None:
            raise StateError("The bundle has no sea to condition on; use another network.")
        return self.sea


def _moment(
    coefficients: Float, calendar: NDArray[np.int64], month: int, width: float, floor: float
) -> Array:
    """Second moments weighted by season; anomalies need no centring."""
    w = season_weights(month, calendar, width=width, floor=floor)
    scaled = coefficients * np.sqrt(w / w.sum())[:, None].astype(np.float32)
    return np.asarray(scaled.T @ scaled, dtype=np.float64)


# int8: the largest coefficient of a column is 127 steps.
def pack_columns(values: Float) -> tuple[NDArray[np.int8], Float]:
    """Quantise a table to a byte a number, with one step for each column.

    The step is an eighth of the column's standard deviation, or larger if its maximum would
    exceed 127 steps: the rounding adds 0.1 % to a variance.
    """
    sd = np.sqrt((values**2).mean(axis=0))
    step = np.maximum(np.maximum(sd / 8.0, np.abs(values).max(axis=0) / 127.0), 1e-12)
    return np.rint(values / step).astype(np.int8), step.astype(np.float32)


def unpack_columns(packed: NDArray[np.int8], step: Float) -> Float:
    """Invert :func:`pack_columns`."""
    return np.asarray(packed.astype(np.float32) * step)
