"""What is added to a bundle after training: statistics, sea network, priors; read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlda_core.bundle import statistics_files
from mlda_core.bundle.files import (
    CALIBRATION_FILES,
    DAMAGE,
    PRIOR_FILES,
    check_unchanged,
    read_arrays,
    read_prior,
    read_tensors,
    reason_of,
)
from mlda_core.bundle.statistics import Statistics, TunedParameters
from mlda_core.climate.errors import BundleError
from mlda_core.climate.preprocess import Preprocessor
from mlda_core.vae.packing import unpack_bytes
from mlda_core.vae.priors import prior_of
from mlda_core.vae.sea import SeaConfig, SeaNetwork

Float = NDArray[np.float32]


def has_statistics(config: Mapping[str, Any]) -> bool:
    """Whether ``mlda calibrate`` has added the statistics for assimilation."""
    return CALIBRATION_FILES[0] in config["checksums"]


def read_settings(path: Path, config: Mapping[str, Any]) -> TunedParameters:
    """Return the tuned parameters of the assimilation.

    Parameters
    ----------
    path : Path
        The bundle's folder.
    config : mapping
        The contents of its ``config.json``.

    Raises
    ------
    BundleError
        If the parameters are invalid.
    """
    try:
        return TunedParameters.from_dict(config.get("assimilation", {}).get("settings", {}))
    except DAMAGE as problem:
        raise _damaged(path, "settings", problem) from problem


def read_statistics(
    path: Path, config: Mapping[str, Any], patterns: Float, n_latent: int
) -> Statistics:
    """Read past months and residuals, for assimilation.

    Parameters
    ----------
    path, config
        As for :func:`read_settings`.
    patterns : ndarray, shape (K, cells)
        Of the decoder.
    n_latent : int

    Raises
    ------
    BundleError
        If the bundle has none, or they are damaged.
    """
    if not has_statistics(config):
        raise BundleError(
            f"{path} has no statistics for assimilation; add them with 'mlda calibrate'."
        )
    check_unchanged(path, config, *CALIBRATION_FILES[:2])
    try:
        error, past = (read_arrays(path / name) for name in CALIBRATION_FILES[:2])
        return statistics_files.unpack(error, past, patterns, n_latent)
    except DAMAGE as problem:
        raise _damaged(path, "statistics", problem) from problem


def read_sea(
    path: Path, config: Mapping[str, Any], normaliser: Preprocessor, sea_row: int
) -> SeaNetwork | None:
    """Read the sea network; None if there is none.

    Parameters
    ----------
    path, config
        As for :func:`read_settings`.
    normaliser : Preprocessor
    sea_row : int
        Index of SST in the state.

    Raises
    ------
    BundleError
        If it is damaged.
    """
    name = CALIBRATION_FILES[2]
    if name not in config["checksums"]:
        return None
    check_unchanged(path, config, name)
    try:
        shape = SeaConfig(**config["assimilation"]["sea"])
        network = SeaNetwork(normaliser, sea_row, shape)
        network.load_state_dict(unpack_bytes(read_tensors(path / name)))
    except DAMAGE as problem:
        raise _damaged(path, "a sea network", problem) from problem
    return network.eval().requires_grad_(False)


def prior_in(path: Path, config: Mapping[str, Any], key: str, n_latent: int) -> Any:
    """Return a prior of the latent vector.

    Parameters
    ----------
    path, config
        As for :func:`read_settings`.
    key : str
        One of :data:`mlda_core.vae.priors.PRIORS`.
    n_latent : int

    Returns
    -------
    LatentPrior

    Raises
    ------
    PriorError
        If there is no such prior, or its library is not installed.
    BundleError
        If the bundle has not been trained one, or it is damaged.
    """
    check_prior(path, config, key)
    kind = prior_of(key)
    if not kind.trained:
        return kind.build(n_latent, {})
    check_unchanged(path, config, PRIOR_FILES[kind.key])
    try:
        return read_prior(path, config, kind.key, n_latent)
    except DAMAGE as problem:
        raise BundleError(
            f"{path} holds a {kind.key} prior that does not fit ({reason_of(problem)}); copy the "
            "bundle again, or make it anew with 'mlda prior train'."
        ) from problem


def check_prior(path: Path, config: Mapping[str, Any], key: str) -> None:
    """Check that a prior of the latent vector is there; nothing is read.

    Parameters
    ----------
    path, config, key
        As for :func:`prior_in`.

    Raises
    ------
    PriorError
        If there is no such prior, or its library is not installed.
    BundleError
        If the bundle has not been trained one.
    """
    kind = prior_of(key)
    kind.require()
    if kind.trained and kind.key not in config.get("priors", {}):
        raise BundleError(
            f"{path} has no {kind.key} prior; train it with 'mlda prior train {path} --config "
            f"FILE --prior {kind.key}'."
        )


def _damaged(path: Path, what: str, problem: Exception) -> BundleError:
    return BundleError(
        f"{path} holds {what} for assimilation that do not fit ({reason_of(problem)}); copy the "
        "bundle again, or make them anew with 'mlda calibrate'."
    )
