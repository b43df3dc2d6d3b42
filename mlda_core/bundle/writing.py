"""Write the files of a bundle: a trained model, and what is added to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from safetensors.torch import save_file

from mlda_core.bundle import statistics_files
from mlda_core.bundle.files import (
    CALIBRATION_FILES,
    CYCLING_FILE,
    FILES,
    FORECAST_FILE,
    MISSING,
    MONTH_STEP,
    MOST_FORECAST_BYTES,
    MOST_PRIOR_BYTES,
    PATTERNS,
    PRIOR_FILES,
    SCHEMA_VERSION,
    checksum,
)
from mlda_core.bundle.statistics import Statistics, TunedParameters
from mlda_core.climate.atomic_files import replacing
from mlda_core.climate.errors import BundleError
from mlda_core.climate.preprocess import Preprocessor
from mlda_core.vae.latent_prior import TrainedPrior
from mlda_core.vae.packing import pack_bytes
from mlda_core.vae.prior_training import packed
from mlda_core.vae.sea import SeaNetwork

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle

# Significant bits of climatology and spread: 0.002 hPa, and 0.00003 of the spread.
_BITS = {"climatology": 18, "centre": 18, "spread": 14}


def save_bundle(
    path: Path,
    *,
    config: dict[str, Any],
    normaliser: Preprocessor,
    tensors: dict[str, torch.Tensor],
    x: NDArray[np.float32],
    months: list[str],
    splits: list[str],
    step: float = MONTH_STEP,
) -> None:
    """Write a bundle.

    Parameters
    ----------
    path : Path
        Folder to write; created if absent, its files replaced, its ``scores.json`` deleted.
    config : dict
        Contents of ``config.json`` except schema and checksums.
    normaliser : Preprocessor
        Of the model.
    tensors : dict of Tensor
        Decoder, encoder, ``from_training``, ``residual_sd`` and ``direction_share``.
    x : ndarray, shape (n, V, lat, lon)
        Standardised anomalies of the bundled months, NaN where missing.
    months, splits : list of str
        ``YYYY-MM`` and split of each.
    step : float
        Quantisation step of these months, in units of the spread.
    """
    path.mkdir(parents=True, exist_ok=True)
    # These belong to the replaced weights.
    for name in ("scores.json", CYCLING_FILE, *CALIBRATION_FILES, *PRIOR_FILES.values()):
        (path / name).unlink(missing_ok=True)
    for file in path.glob(FORECAST_FILE.format("*")):
        file.unlink()
    save_file(pack_tensors(tensors), path / "weights.safetensors")
    # safetensors creates files readable by the owner only; bundles are shared.
    (path / "weights.safetensors").chmod(0o644)
    data = normaliser.to_dataset()
    packing = {"zlib": True, "complevel": 6, "shuffle": True}
    data.to_netcdf(
        path / "normaliser.nc",
        engine="netcdf4",
        encoding={k: {**packing, **_quantised(str(k))} for k in data.data_vars if data[k].ndim > 1},
    )
    packed = np.where(np.isfinite(x), np.rint(x / step), MISSING).astype(np.int16)
    shipped = xr.Dataset(
        {
            "x": (
                ("sample", "variable", "lat", "lon"),
                packed,
                {
                    "long_name": "standardised anomaly, packed",
                    "missing": int(MISSING),
                },
            ),
            "step": ((), np.float32(step), {"long_name": "step of x", "units": "1"}),
            "month": ("sample", np.array(months, dtype=str)),
            "split": ("sample", np.array(splits, dtype=str)),
        }
    )
    shipped.to_netcdf(path / "months.nc", engine="netcdf4", encoding={"x": packing})
    _write_config(path, {"schema_version": SCHEMA_VERSION, **config})


def pack_tensors(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Store the patterns as bytes with a scale each, statistics as float32, the rest as float16.

    Together this changes a decoded field by about 0.01 of the spread (a test requires below
    0.03), and halves the bundle.
    """
    exact = {"from_training", "residual_sd", "direction_share"}
    left_out = {"decoder.mask", "log_residual", PATTERNS}
    stored = {
        k: (v.float() if k in exact else v.half()).contiguous()
        for k, v in tensors.items()
        if k not in left_out
    }
    patterns = tensors[PATTERNS].float()
    scale = (patterns.abs().amax(dim=1, keepdim=True) / 127).clamp_min(1e-12)
    stored[PATTERNS] = torch.round(patterns / scale).to(torch.int8).contiguous()
    stored[f"{PATTERNS}.scale"] = scale
    return stored


def _quantised(name: str) -> dict[str, Any]:
    """Return the encoding of a normaliser's array, rounded: a fifth of its size.

    By bits: netCDF's rounding by decimal digits turns NaN into numbers.
    """
    if name not in _BITS:
        return {}
    return {"significant_digits": _BITS[name], "quantize_mode": "BitRound"}


def add_statistics(
    bundle: Bundle, statistics: Statistics, settings: TunedParameters, sea: SeaNetwork | None
) -> None:
    """Write statistics for assimilation into a bundle's folder; reload it to use them.

    Parameters
    ----------
    bundle : Bundle
    statistics : Statistics
    settings : TunedParameters
    sea : SeaNetwork, optional
        The network of :attr:`mlda_core.bundle.bundle.Bundle.sea`.
    """
    path = bundle.path
    # The decoder's own patterns are not stored again.
    own = len(bundle.decoder.patterns)
    for name, data in zip(
        CALIBRATION_FILES,
        statistics_files.pack(statistics, own=own, mask=bundle.mask),
        strict=False,
    ):
        data.to_netcdf(
            path / name,
            engine="netcdf4",
            encoding={
                k: {"zlib": True, "complevel": 9} for k in data.data_vars if data[k].ndim > 1
            },
        )
    extra: dict[str, Any] = {"settings": settings.to_dict()}
    (path / CALIBRATION_FILES[2]).unlink(missing_ok=True)
    if sea is not None:
        save_file(pack_bytes(sea.state_dict()), path / CALIBRATION_FILES[2])
        (path / CALIBRATION_FILES[2]).chmod(0o644)
        extra["sea"] = sea.config.to_dict()
    _write_config(path, {**bundle.config, "assimilation": extra})


def add_prior(bundle: Bundle, key: str, prior: TrainedPrior, provenance: Mapping[str, Any]) -> None:
    """Write a trained prior into a bundle's folder; reload it to use it.

    Parameters
    ----------
    bundle : Bundle
    key : str
        One of :data:`mlda_core.vae.priors.TRAINED`.
    prior : TrainedPrior
    provenance : mapping
        How it was trained, as plain JSON values.

    Raises
    ------
    BundleError
        If it is too large to be kept.
    """
    file, tensors = bundle.path / PRIOR_FILES[key], packed(prior.network)
    about = {"shape": prior.shape, **provenance}
    _add(bundle, "priors", key, file, tensors, about, f"The {key} prior", MOST_PRIOR_BYTES)


def add_forecast(
    bundle: Bundle,
    key: str,
    tensors: Mapping[str, torch.Tensor],
    shape: Mapping[str, Any],
    provenance: Mapping[str, Any],
) -> None:
    """Write a trained forecast model into a bundle's folder; reload it to use it.

    Parameters
    ----------
    bundle : Bundle
    key : str
        Of the forecast model.
    tensors : mapping of str to Tensor
    shape, provenance : mapping
        From which it is built again, and how it was trained, as plain JSON values.

    Raises
    ------
    BundleError
        If it is too large to be kept.
    """
    # The errors of the forecast that is replaced.
    (bundle.path / CYCLING_FILE).unlink(missing_ok=True)
    file, about = bundle.path / FORECAST_FILE.format(key), {"shape": dict(shape), **provenance}
    what = f"The {key} forecast"
    _add(bundle, "forecasts", key, file, dict(tensors), about, what, MOST_FORECAST_BYTES)


def _add(  # noqa: PLR0917 - what, where to, and how it is called
    bundle: Bundle,
    section: str,
    key: str,
    file: Path,
    tensors: dict[str, torch.Tensor],
    about: dict[str, Any],
    what: str,
    most: int,
) -> None:
    """Write the tensors of an addition, and note it in the configuration."""
    with replacing(file) as fresh:
        save_file(tensors, fresh)
        if fresh.stat().st_size > most:
            raise BundleError(f"{what} takes more than {most // 1000} kB; make it smaller.")
        fresh.chmod(0o644)
    # Not among the checksums of the model, by which scores and responses know that they are its.
    noted = {key: {**about, "checksum": checksum(file)}}
    config = bundle.config
    _write_config(bundle.path, {**config, section: {**config.get(section, {}), **noted}})


def _write_config(path: Path, config: dict[str, Any]) -> None:
    there = [name for name in (*FILES, *CALIBRATION_FILES) if (path / name).exists()]
    full = {**config, "checksums": {name: checksum(path / name) for name in there}}
    (path / "config.json").write_text(json.dumps(full, indent=1) + "\n", encoding="utf-8")
