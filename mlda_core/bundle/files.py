"""Read and check the files of a bundle."""

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
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load

from mlda_core.climate.errors import BundleError
from mlda_core.climate.netcdf_lock import NETCDF
from mlda_core.climate.preprocess import Preprocessor
from mlda_core.climate.splits import Split
from mlda_core.vae.networks import NetworkConfig
from mlda_core.vae.prior_training import unpack
from mlda_core.vae.priors import PRIORS, TRAINED

SCHEMA_VERSION = 1
FILES = ("weights.safetensors", "normaliser.nc", "months.nc")
# Files that `mlda calibrate` adds for assimilation.
CALIBRATION_FILES = ("representation_error.nc", "linear.nc", "sea.safetensors")
# Files that `mlda prior train` adds, one a prior, and the most that one may hold.
PRIOR_FILES = {key: f"prior-{key}.safetensors" for key in TRAINED}
MOST_PRIOR_BYTES = 1_000_000
# Those that `mlda forecast train` adds, one a forecast model, by the model's key.
FORECAST_FILE = "forecast-{}.safetensors"
MOST_FORECAST_BYTES = 8_000_000
# That of the errors of its forecasts, which `mlda cycle learn` adds.
CYCLING_FILE = "cycling.nc"
# Subfolder of a bundle's own impact heads.
IMPACTS = "impacts"
# Quantisation step of the stored months, in units of the spread: the error is half of it, 0.02.
# Configurable.
MONTH_STEP = 0.04
# Exceptions raised when reading damaged or mismatched files.
DAMAGE = (OSError, LookupError, ValueError, TypeError, RuntimeError, SafetensorError)
MISSING = np.int16(-32768)
PATTERNS = "decoder.patterns"
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
    for section in ("priors", "forecasts"):
        added = config.get(section, {})
        if not isinstance(added, dict) or not all(
            isinstance(about, dict) and {"checksum", "shape"} <= set(about)
            for about in added.values()
        ):
            raise BundleError(f"{file} has no '{section}' that can be used; copy the bundle again.")
    return config


def _checksums(config: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the checksum of every file that a configuration speaks of."""
    sums = {name: config["checksums"].get(name) for name in FILES}
    sums |= {n: config["checksums"][n] for n in CALIBRATION_FILES if n in config["checksums"]}
    for key, about in config.get("priors", {}).items():
        # Of a prior that this program does not know nothing is read.
        if key in PRIOR_FILES:
            sums[PRIOR_FILES[key]] = about["checksum"]
    for key, about in config.get("forecasts", {}).items():
        if re.fullmatch("[a-z0-9_]{1,40}", key):
            sums[FORECAST_FILE.format(key)] = about["checksum"]
    return sums


def check_files(path: Path, config: Mapping[str, Any]) -> None:
    """Refuse a folder with a missing or altered file."""
    for name, known in _checksums(config).items():
        member = path / name
        if not member.is_file():
            raise BundleError(f"{path} lacks {name}; copy the bundle again.")
        if checksum(member) != known:
            raise BundleError(
                f"{member} is damaged (its checksum is not the one in config.json); copy the "
                "bundle again."
            )


def check_unchanged(path: Path, config: Mapping[str, Any], *names: str) -> None:
    """Refuse files that are read late, where they were replaced after the bundle was loaded.

    Parts of two bundles would otherwise be used together: each file by itself is good.
    """
    known = _checksums(config)
    for name in names:
        member = path / name
        if not member.is_file() or checksum(member) != known[name]:
            raise BundleError(
                f"{member} was replaced after the bundle was opened; start this program again."
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
            name: (getattr(normaliser, name).shape, (normaliser.seasons.count, *fields))
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
        normaliser.seasons.of(name)
    if names != sorted(set(names)):
        raise ValueError("its months are not in order, each once")
    unknown = sorted({str(s) for s in months["split"]} - set(get_args(Split)))
    if unknown:
        raise ValueError(f"it has months of the split '{unknown[0]}'")


def read_arrays(file: Path) -> dict[str, NDArray[Any]]:
    """Read the stored arrays of a netCDF file.

    Not by :func:`xarray.open_dataset`, which imports Dask: 0.8 s of a new process's 1 s.
    """
    with NETCDF, netCDF4.Dataset(file) as opened:
        opened.set_auto_maskandscale(False)
        return {name: np.asarray(v[...]) for name, v in opened.variables.items()}


def read_tensors(file: Path) -> dict[str, torch.Tensor]:
    """Read the tensors of a safetensors file.

    Into memory: safetensors' ``load_file`` maps the file, and who overwrites it under a running
    server ends the server (SIGBUS), or changes its weights.
    """
    return load(file.read_bytes())


def unpack_tensors(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Invert :func:`pack_tensors`; all tensors become float32."""
    out = {k: v.float() for k, v in tensors.items()}
    out[PATTERNS] = out[PATTERNS] * out.pop(f"{PATTERNS}.scale")
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


def reason_of(error: Exception) -> str:
    """Return the first line of an error, or its kind, to stand within a sentence."""
    words = (str(error).strip() or type(error).__name__).splitlines()[0][:160]
    return words.rstrip(".")


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
    unpack(prior.network, read_tensors(file))
    return prior
