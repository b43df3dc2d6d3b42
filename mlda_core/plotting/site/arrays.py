"""The numbers of a page without a server, as typed arrays in a few binary files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from mlda_core.climate.errors import BundleError
from mlda_core.climate.transforms import Identity, Power
from mlda_core.observations.default_errors import error_of_spread, local_spread
from mlda_core.observations.standardised import LEAST_ERROR
from mlda_core.vae.layers import month_features

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle

Array = NDArray[Any]
# Typed arrays of a browser begin at multiples of their numbers' size.
_ALIGNED = 8
_LARGEST_BYTE = 127


@dataclass
class Arrays:
    """A binary file of arrays, and where in it each is.

    Parameters
    ----------
    path : Path
    """

    path: Path

    def __post_init__(self) -> None:
        self.parts: dict[str, dict[str, Any]] = {}
        self._chunks: list[bytes] = []
        self._size = 0

    def add(self, name: str, values: Array) -> None:
        """Add an array: bytes, halves (as their bits), or numbers in single precision."""
        plain = np.ascontiguousarray(values)
        kind = plain.dtype.newbyteorder("<")
        raw = plain.astype(kind, copy=False).tobytes()
        where = {"at": self._size, "shape": list(plain.shape), "kind": plain.dtype.name}
        self.parts[name] = where
        self._chunks += [raw, bytes(-len(raw) % _ALIGNED)]
        self._size += len(raw) + -len(raw) % _ALIGNED

    def write(self) -> dict[str, Any]:
        """Write the file, and return what the page's list of files says of it."""
        with self.path.open("wb") as file:
            file.writelines(self._chunks)
            file.flush()
            os.fsync(file.fileno())
        return {"file": self.path.name, "size": self._size, "arrays": self.parts}


def by_row(values: Array) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return rows (n, ...) in a byte a number, and the step of each row."""
    flat = values.reshape(len(values), -1)
    step = np.maximum(np.abs(flat).max(axis=1) / _LARGEST_BYTE, 1e-12).astype(np.float32)
    return np.rint(flat / step[:, None]).astype(np.int8), step


def as_packed(values: Array) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return rows that were bytes once as these bytes, with their steps; others as :func:`by_row`.

    Rounded to other steps than their own they would change by a twentieth of a step.
    """
    flat = values.reshape(len(values), -1)
    size = np.abs(flat)
    step = np.where(size > 0, size, np.inf).min(axis=1)
    step = np.where(np.isfinite(step), step, 1.0).astype(np.float32)
    packed = np.rint(flat / step[:, None])
    fits = np.abs(packed).max() <= _LARGEST_BYTE
    if fits and np.allclose(packed * step[:, None], flat, rtol=1e-5, atol=0.0):
        return packed.astype(np.int8), step
    return by_row(values)


def write_decoder(bundle: Bundle, calendar: Sequence[int], path: Path) -> dict[str, Any]:
    """Write the decoder, climatology and spread of some calendar months.

    Parameters
    ----------
    bundle : Bundle
    calendar : sequence of int
        Calendar months 1..12.
    path : Path

    Raises
    ------
    BundleError
        If the bundle has a transform that a browser does not know.
    """
    decoder, out = bundle.decoder, Arrays(path)
    tensors = {name: one.numpy() for name, one in decoder.state_dict().items()}
    out.add("mask", bundle.mask.astype(np.uint8))
    out.add("residualSd", bundle.residual_sd.astype(np.float32))
    # Stored in a byte a number, with a step each: nothing is lost.
    packed, step = by_row(tensors["patterns"])
    out.add("patterns", packed)
    out.add("scale", step)
    out.add("position", tensors["refiner.position"].astype(np.float16))
    for name, values in tensors.items():
        if name.startswith("refiner.") and "film" not in name and name != "refiner.position":
            out.add(name, values.astype(np.float16))
    normaliser = bundle.normaliser
    for month in calendar:
        head = f"{month}/"
        out.add(head + "mixing", tensors["mixing"][month - 1].astype(np.float16))
        features = month_features(torch.tensor([month]), decoder.config.harmonics).numpy()[0]
        for block in ("enter", "down", "deep", "up"):
            weight, bias = (tensors[f"refiner.{block}.film.{part}"] for part in ("weight", "bias"))
            made = weight @ features + bias
            out.add(f"{head}refiner.{block}.film", made.astype(np.float32))
        for name in ("climatology", "centre", "spread"):
            field = np.nan_to_num(getattr(normaliser, name)[month - 1], nan=1.0)
            out.add(head + name, field.astype(np.float32))
        out.add(head + "error", _errors(bundle, month))
        out.add(head + "errorStandardised", _standardised_errors(bundle, month))
    return out.write()


def _errors(bundle: Bundle, month: int) -> NDArray[np.float32]:
    """Return the errors of observations by default, display units, (V, lat, lon)."""
    decimals = np.array([v.decimals for v in bundle.variables])[:, None, None]
    spread = np.nan_to_num(local_spread(bundle, month))
    return error_of_spread(spread, decimals).astype(np.float32)


def _standardised_errors(bundle: Bundle, month: int) -> NDArray[np.float32]:
    """Return the same standardised: half of what lies between minus and plus one error."""
    error = _errors(bundle, month).astype(np.float64)
    mean = np.nan_to_num(bundle.normaliser.climatology[month - 1], nan=1.0)
    ends = bundle.normaliser.standardise(np.stack([mean - error, mean + error]), np.full(2, month))
    sd = np.nan_to_num(0.5 * np.abs(ends[1] - ends[0]), nan=1.0)
    return np.maximum(sd, LEAST_ERROR).astype(np.float32)


def transforms_of(bundle: Bundle) -> list[float | None]:
    """Return the exponent of each variable's transform, None where there is none.

    Raises
    ------
    BundleError
        If a transform is another.
    """
    found: list[float | None] = []
    for variable, transform in zip(bundle.variables, bundle.normaliser.transforms, strict=True):
        if not isinstance(transform, Identity | Power):
            raise BundleError(
                f"{bundle.path} transforms {variable.label} by '{variable.transform}', which a "
                "page without a server does not know; train it with 'power' or 'none'."
            )
        found.append(None if isinstance(transform, Identity) else transform.exponent)
    return found


def write_analyses(bundle: Bundle, month: int, path: Path) -> dict[str, Any]:
    """Write what an analysis of a calendar month needs beyond the decoder.

    Parameters
    ----------
    bundle : Bundle
    month : int
        Calendar month 1..12.
    path : Path
    """
    statistics, s, out = bundle.statistics, bundle.settings, Arrays(path)
    jacobian, slopes = by_row(bundle.jacobian(month))
    out.add("jacobian", jacobian)
    out.add("slopes", slopes)
    left = statistics.residuals(month, s.residual_width, s.residual_floor)
    past = statistics.months(month, s.season_width, s.season_floor)
    for name, covariance in (("left", left), ("past", past)):
        out.add(name, covariance.astype(np.float32))
        out.add(f"variance{name.capitalize()}", _variance(statistics.patterns, covariance))
    out.add("leftover", statistics.leftover.astype(np.float32))
    return out.write()


def _variance(patterns: NDArray[np.float32], covariance: Array) -> NDArray[np.float32]:
    """Return the variance of each cell that a covariance of patterns' coefficients makes."""
    moved = covariance.astype(np.float32) @ patterns
    return np.einsum("kp,kp->p", moved, patterns)


def write_statistics(bundle: Bundle, path: Path) -> dict[str, Any]:
    """Write the patterns of the representation error beyond the decoder's own."""
    out = Arrays(path)
    further, step = as_packed(bundle.statistics.patterns[bundle.decoder.config.n_patterns :])
    out.add("further", further)
    out.add("step", step)
    return out.write()


def write_months(bundle: Bundle, months: Sequence[str], path: Path) -> dict[str, Any]:
    """Write months: their standardised anomalies, and their latent vectors."""
    out = Arrays(path)
    for label in months:
        x = np.nan_to_num(bundle.target_standardised(label))
        out.add(f"{label}/x", x.astype(np.float16))
        out.add(f"{label}/z", bundle.code(label).astype(np.float32))
    return out.write()
