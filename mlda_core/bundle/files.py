"""Read, check and write the files of a bundle."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import netCDF4
import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from mlda_core.bundle import statistics_files
from mlda_core.bundle.statistics import Settings, Statistics
from mlda_core.climate.errors import BundleError
from mlda_core.climate.preprocess import Preprocessor
from mlda_core.climate.splits import Split, calendar_month
from mlda_core.vae.latent_prior import TrainedPrior
from mlda_core.vae.networks import NetworkConfig
from mlda_core.vae.packing import pack_bytes
from mlda_core.vae.prior_training import packed, unpack
from mlda_core.vae.priors import PRIORS, TRAINED
from mlda_core.vae.sea import SeaNetwork

SCHEMA_VERSION = 1
FILES = ("weights.safetensors", "normaliser.nc", "months.nc")
# Files that `mlda calibrate` adds for assimilation.
CALIBRATION_FILES = ("representation_error.nc", "linear.nc", "sea.safetensors")
# Files that `mlda prior train` adds, one a prior, and the most that one may hold.
PRIOR_FILES = {key: f"prior-{key}.safetensors" for key in TRAINED}
MOST_PRIOR_BYTES = 1_000_000
# Subfolder of a bundle's own impact heads.
IMPACTS = "impacts"
# Quantisation step of the stored months, in units of the spread: the error is half of it, 0.02.
# Configurable.
MONTH_STEP = 0.04
# Significant bits of climatology and spread: 0.002 hPa, and 0.00003 of the spread.
_BITS = {"climatology": 18, "centre": 18, "spread": 14}
# Exceptions raised when reading damaged or mismatched files.
DAMAGE = (OSError, LookupError, ValueError, TypeError, RuntimeError, SafetensorError)
MISSING = np.int16(-32768)
_PATTERNS = "decoder.patterns"
# Required keys of config.json beside its schema and checksums.
_KEYS: dict[str, type] = {
    "name": str,
    "title": str,
    "base_period": str,
    "variables": list,
    "splits": dict,
    "network": dict,
    "training": dict,
}


# -- reading and checking ----------------------------------------------------------------------


def read_config(path: Path) -> dict[str, Any]:
    """Read ``config.json``, checking its schema and keys."""
    file = path / "config.json"
    if not path.is_dir():
        raise BundleError(f"There is no folder {path}; give the folder of a bundle.")
    if not file.is_file():
        raise BundleError(f"{path} is not a bundle: it has no config.json; give another folder.")
    try:
        config: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        version = config["schema_version"]
        config["checksums"].items()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BundleError(
            f"{file} is not a bundle's configuration; copy the bundle again."
        ) from error
    if version != SCHEMA_VERSION:
        raise BundleError(
            f"{path} has bundle schema {version}, and this program reads {SCHEMA_VERSION}; "
            "install the matching version of mlda or train the bundle again."
        )
    for key, kind in _KEYS.items():
        if not isinstance(config.get(key), kind):
            raise BundleError(f"{file} has no '{key}' that can be used; copy the bundle again.")
    if not config["variables"] or not all(isinstance(y, list) for y in config["splits"].values()):
        culprit = "splits" if config["variables"] else "variables"
        raise BundleError(f"{file} has no '{culprit}' that can be used; copy the bundle again.")
    priors = config.get("priors", {})
    if not isinstance(priors, dict) or not all(
        isinstance(about, dict) and {"checksum", "shape"} <= set(about) for about in priors.values()
    ):
        raise BundleError(f"{file} has no 'priors' that can be used; copy the bundle again.")
    return config


def check_files(path: Path, config: dict[str, Any]) -> None:
    """Refuse a folder with a missing or altered file."""
    sums = {name: config["checksums"].get(name) for name in FILES}
    sums |= {n: config["checksums"][n] for n in CALIBRATION_FILES if n in config["checksums"]}
    for key, about in config.get("priors", {}).items():
        # Of a prior that this program does not know nothing is read.
        if key in PRIOR_FILES:
            sums[PRIOR_FILES[key]] = about["checksum"]
    for name, known in sums.items():
        member = path / name
        if not member.is_file():
            raise BundleError(f"{path} lacks {name}; copy the bundle again.")
        if checksum(member) != known:
            raise BundleError(
                f"{member} is damaged (its checksum is not the one in config.json); copy the "
                "bundle again."
            )


def check_shapes(
    network: NetworkConfig,
    normaliser: Preprocessor,
    tensors: Mapping[str, torch.Tensor],
    months: Mapping[str, NDArray[Any]],
) -> None:
    """Refuse inconsistent parts, which would otherwise fail only in use."""
    fields = (len(normaliser.variables), *normaliser.grid.shape)
    size, n = network.n_latent, len(months["month"])
    found: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
        "mask": (normaliser.mask.shape, fields),
        **{
            name: (getattr(normaliser, name).shape, (12, *fields))
            for name in ("climatology", "centre", "spread")
        },
        **{
            f"{variable.name}_{name}": (array.shape, (12, *fields[1:]))
            for variable, transform in zip(normaliser.variables, normaliser.transforms, strict=True)
            for name, array in transform.to_arrays().items()
            if array.ndim
        },
        "residual_sd": (tuple(tensors["residual_sd"].shape), fields),
        "direction_share": (tuple(tensors["direction_share"].shape), (size, fields[0])),
        "from_training": (tuple(tensors["from_training"].shape), (size, size)),
        "x of the months": (months["x"].shape, (n, *fields)),
        "split of the months": (months["split"].shape, (n,)),
    }
    for name, (have, want) in found.items():
        if have != want:
            raise ValueError(f"{name} has the shape {have}, not {want}")
    if n == 0:
        raise ValueError("it holds no month")
    if not 0 < float(months.get("step", MONTH_STEP)) <= 1:
        raise ValueError(f"its months have the step {months['step']}")
    if months["x"].dtype != np.int16:
        raise ValueError(f"x of the months is {months['x'].dtype}, not int16")
    names = [str(m) for m in months["month"]]
    for name in names:
        calendar_month(name)
    if names != sorted(set(names)):
        raise ValueError("its months are not in order, each once")
    unknown = sorted({str(s) for s in months["split"]} - set(get_args(Split)))
    if unknown:
        raise ValueError(f"it has months of the split '{unknown[0]}'")


def read_arrays(file: Path) -> dict[str, NDArray[Any]]:
    """Read the stored arrays of a netCDF file.

    Not by :func:`xarray.open_dataset`, which imports Dask: 0.8 s of a new process's 1 s.
    """
    with netCDF4.Dataset(file) as opened:
        opened.set_auto_maskandscale(False)
        return {name: np.asarray(v[...]) for name, v in opened.variables.items()}


def unpack_tensors(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Invert :func:`pack_tensors`; all tensors become float32."""
    out = {k: v.float() for k, v in tensors.items()}
    out[_PATTERNS] = out[_PATTERNS] * out.pop(f"{_PATTERNS}.scale")
    return out


def read_scores(file: Path) -> dict[str, Any]:
    """Return the contents of a ``scores.json``; empty if there is none.

    Parameters
    ----------
    file : Path

    Returns
    -------
    dict

    Raises
    ------
    BundleError
        If the file is damaged.
    """
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return found
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise BundleError(
            f"{file} cannot be read as JSON; delete it, or copy the bundle again."
        ) from error
    raise BundleError(f"{file} does not hold scores; delete it, or copy the bundle again.")


def checksum(file: Path) -> str:
    """SHA-256 of a file.

    Parameters
    ----------
    file : Path

    Returns
    -------
    str
        In hexadecimal.
    """
    return hashlib.sha256(file.read_bytes()).hexdigest()


def impact_names(folder: Path) -> tuple[str, ...]:
    """Return the names of the heads in a bundle's folder, sorted."""
    found = sorted(file.parent.name for file in Path(folder, IMPACTS).glob("*/head.json"))
    return tuple(name for name in found if re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", name))


# -- writing -----------------------------------------------------------------------------------


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
    for name in ("scores.json", *CALIBRATION_FILES, *PRIOR_FILES.values()):
        (path / name).unlink(missing_ok=True)
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
    left_out = {"decoder.mask", "log_residual", _PATTERNS}
    stored = {
        k: (v.float() if k in exact else v.half()).contiguous()
        for k, v in tensors.items()
        if k not in left_out
    }
    patterns = tensors[_PATTERNS].float()
    scale = (patterns.abs().amax(dim=1, keepdim=True) / 127).clamp_min(1e-12)
    stored[_PATTERNS] = torch.round(patterns / scale).to(torch.int8).contiguous()
    stored[f"{_PATTERNS}.scale"] = scale
    return stored


def _quantised(name: str) -> dict[str, Any]:
    """Return the encoding of a normaliser's array, rounded: a fifth of its size.

    By bits: netCDF's rounding by decimal digits turns NaN into numbers.
    """
    if name not in _BITS:
        return {}
    return {"significant_digits": _BITS[name], "quantize_mode": "BitRound"}


def write_statistics(
    path: Path,
    config: Mapping[str, Any],
    statistics: Statistics,
    settings: Settings,
    sea: SeaNetwork | None,
    *,
    own: int,
    mask: NDArray[np.bool_],
) -> None:
    """Write statistics for assimilation into a bundle's folder.

    Parameters
    ----------
    path : Path
        The folder.
    config : mapping
        The contents of its ``config.json``.
    statistics : Statistics
    settings : Settings
    sea : SeaNetwork, optional
        The sea network.
    own : int
        Number of patterns that are the decoder's, which are not stored again.
    mask : ndarray of bool, shape (V, lat, lon)
        Where each variable exists.
    """
    for name, data in zip(
        CALIBRATION_FILES, statistics_files.pack(statistics, own=own, mask=mask), strict=False
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
    _write_config(path, {**config, "assimilation": extra})


def read_prior(path: Path, config: Mapping[str, Any], key: str, n_latent: int) -> Any:
    """Read a trained prior from a bundle's folder.

    Parameters
    ----------
    path : Path
        The folder.
    config : mapping
        The contents of its ``config.json``.
    key : str
        One of :data:`mlda_core.vae.priors.TRAINED`, whose file the folder has.
    n_latent : int

    Returns
    -------
    TrainedPrior

    Raises
    ------
    OSError, LookupError, ValueError, TypeError, RuntimeError, SafetensorError
        If the file is too large, or its contents do not fit.
    """
    file = path / PRIOR_FILES[key]
    if file.stat().st_size > MOST_PRIOR_BYTES:
        raise ValueError(f"{file.name} is larger than a prior can be")
    prior = PRIORS[key].build(n_latent, config["priors"][key]["shape"])
    unpack(prior.network, load_file(file))
    return prior


def write_prior(
    path: Path,
    config: Mapping[str, Any],
    key: str,
    prior: TrainedPrior,
    provenance: Mapping[str, Any],
) -> None:
    """Write a trained prior into a bundle's folder, in place of an earlier one.

    Parameters
    ----------
    path : Path
        The folder.
    config : mapping
        The contents of its ``config.json``.
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
    file = path / PRIOR_FILES[key]
    fresh = file.with_name(file.name + ".new")
    save_file(packed(prior.network), fresh)
    if fresh.stat().st_size > MOST_PRIOR_BYTES:
        fresh.unlink()
        raise BundleError(
            f"The {key} prior takes more than {MOST_PRIOR_BYTES // 1000} kB; make it smaller."
        )
    fresh.chmod(0o644)
    fresh.replace(file)
    # Not among the checksums of the model, by which scores and responses know that they are its.
    about = {"shape": prior.shape, "checksum": checksum(file), **provenance}
    _write_config(path, {**config, "priors": {**config.get("priors", {}), key: about}})


def _write_config(path: Path, config: dict[str, Any]) -> None:
    there = [name for name in (*FILES, *CALIBRATION_FILES) if (path / name).exists()]
    full = {**config, "checksums": {name: checksum(path / name) for name in there}}
    (path / "config.json").write_text(json.dumps(full, indent=1) + "\n", encoding="utf-8")
