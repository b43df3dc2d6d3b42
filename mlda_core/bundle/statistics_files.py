"""Conversion of the assimilation statistics to the arrays of a bundle's two files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlda_core.bundle.statistics import (
    SeaStatistics,
    Statistics,
    pack_columns,
    unpack_columns,
)

if TYPE_CHECKING:
    import xarray as xr

Float = NDArray[np.float32]


def pack_patterns(patterns: Float) -> tuple[NDArray[np.int8], Float]:
    """Quantise patterns (k, cells) to a byte a number, with one step for each.

    The step is half of a pattern's standard deviation: the rounding noise, 2 % of the small
    variance of a pattern, is white and averages out, and the compressed size is halved.
    """
    sd = np.sqrt((patterns**2).mean(axis=1))
    step = np.maximum(np.maximum(0.5 * sd, np.abs(patterns).max(axis=1) / 127.0), 1e-12)
    return np.rint(patterns / step[:, None]).astype(np.int8), step.astype(np.float32)


def unpack_patterns(packed: NDArray[np.int8], step: Float) -> Float:
    """Invert :func:`pack_patterns`."""
    return np.asarray(packed.astype(np.float32) * step[:, None])


def pack(
    statistics: Statistics, *, own: int, mask: NDArray[np.bool_]
) -> tuple[xr.Dataset, xr.Dataset]:
    """Return the contents of ``representation_error.nc`` and ``linear.nc``.

    Parameters
    ----------
    statistics : Statistics
    own : int
        Number of patterns that are the decoder's, which are not stored again.
    mask : ndarray of bool, shape (V, lat, lon)
        Where each variable exists.

    Returns
    -------
    representation_error, linear : Dataset
    """
    import xarray as xr

    patterns, step = pack_patterns(statistics.patterns[own:])
    residual, residual_step = pack_columns(statistics.held_residual)
    shape = mask.shape
    error = xr.Dataset(
        {
            "further": (("pattern", "cell"), patterns, {"long_name": "further patterns"}),
            "further_step": ("pattern", step),
            "leftover": (
                ("variable", "lat", "lon"),
                statistics.leftover.reshape(shape),
                {"long_name": "variance that all patterns leave over", "units": "1"},
            ),
            "residual": (
                ("held", "coefficient"),
                residual,
                {"long_name": "what the decoder cannot express, of held-out months"},
            ),
            "residual_step": ("coefficient", residual_step),
            "held": ("held", statistics.held.astype(np.int32)),
        }
    )
    months, months_step = pack_columns(statistics.coefficients)
    linear = xr.Dataset(
        {
            "month": (
                ("sample", "coefficient"),
                months,
                {"long_name": "coefficients of past months"},
            ),
            "month_step": ("coefficient", months_step),
            "calendar": ("sample", statistics.calendar.astype(np.int8)),
        }
    )
    sea = statistics.sea
    if sea is not None:
        mean, mean_step = pack_columns(sea.mean)
        left, left_step = pack_columns(sea.held_residual)
        error["sea_residual"] = (("held", "coefficient"), left)
        error["sea_residual_step"] = ("coefficient", left_step)
        error["sea_latent"] = (("latent", "latent_too"), sea.latent.astype(np.float32))
        linear["sea_mean"] = (("sea", "coefficient"), mean)
        linear["sea_mean_step"] = ("coefficient", mean_step)
        linear["sea_row"] = ("sample", sea.row.astype(np.int32))
    return error, linear


def unpack(
    error: Mapping[str, NDArray[Any]],
    linear: Mapping[str, NDArray[Any]],
    own: Float,
    n_latent: int,
) -> Statistics:
    """Rebuild the statistics from the arrays of the two files.

    Parameters
    ----------
    error, linear : mapping of str to ndarray
        Arrays of ``representation_error.nc`` and ``linear.nc``, by name.
    own : ndarray, shape (K0, cells)
        The decoder's patterns.
    n_latent : int
        Length L of the latent vector.

    Returns
    -------
    Statistics

    Raises
    ------
    ValueError
        If their shapes are inconsistent.
    KeyError
        If an array is missing.
    """
    further = unpack_patterns(error["further"], error["further_step"])
    if further.shape[1] != own.shape[1]:
        raise ValueError(f"patterns of {further.shape[1]} cells, not {own.shape[1]}")
    patterns = np.concatenate([own, further])
    coefficients = unpack_columns(linear["month"], linear["month_step"])
    residual = unpack_columns(error["residual"], error["residual_step"])
    if coefficients.shape[1] != len(patterns) or residual.shape[1] != len(patterns):
        raise ValueError(f"coefficients of other than {len(patterns)} patterns")
    held = error["held"].astype(np.int64)
    if (
        len(held) != len(residual)
        or held.min(initial=0) < 0
        or held.max(initial=0) >= len(coefficients)
    ):
        raise ValueError("residuals of months that are not there")
    sea = None
    if "sea_mean" in linear or "sea_latent" in error:
        sea = SeaStatistics(
            unpack_columns(linear["sea_mean"], linear["sea_mean_step"]),
            linear["sea_row"].astype(np.int64),
            unpack_columns(error["sea_residual"], error["sea_residual_step"]),
            error["sea_latent"].astype(np.float64),
        )
    statistics = Statistics(
        patterns=patterns,
        leftover=error["leftover"].astype(np.float32).ravel(),
        coefficients=coefficients,
        calendar=linear["calendar"].astype(np.int64),
        held=held,
        held_residual=residual,
        sea=sea,
    )
    _check(statistics, n_latent)
    return statistics


def _check(statistics: Statistics, n_latent: int) -> None:
    """Refuse inconsistent parts, which would otherwise fail only in use."""
    n, k = statistics.coefficients.shape
    held = len(statistics.held_residual)
    shapes: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
        "leftover": (statistics.leftover.shape, (statistics.patterns.shape[1],)),
        "calendar": (statistics.calendar.shape, (n,)),
    }
    numbers = [
        statistics.patterns,
        statistics.leftover,
        statistics.coefficients,
        statistics.held_residual,
    ]
    sea = statistics.sea
    if sea is not None:
        shapes |= {
            "sea_mean": (sea.mean.shape, (len(sea.mean), k)),
            "sea_row": (sea.row.shape, (n,)),
            "sea_residual": (sea.held_residual.shape, (held, k)),
            "sea_latent": (sea.latent.shape, (n_latent, n_latent)),
        }
        numbers += [sea.mean, sea.held_residual, sea.latent.astype(np.float32)]
        if not (sea.row.min(initial=0) >= 0 and sea.row.max(initial=0) < len(sea.mean)):
            raise ValueError("seas that are not there")
    for name, (have, want) in shapes.items():
        if have != want:
            raise ValueError(f"{name} has the shape {have}, not {want}")
    if not ((statistics.calendar >= 1) & (statistics.calendar <= 12)).all():
        raise ValueError("calendar months that are not within 1 to 12")
    if not all(np.isfinite(values).all() for values in numbers):
        raise ValueError("numbers that are not finite")
