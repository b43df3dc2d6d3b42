"""Small bundles with what assimilation needs."""

from __future__ import annotations

from pathlib import Path

import torch
from climate import make_config

from mlda_core.assimilation.calibrate import calibrate, estimate
from mlda_core.bundle.bundle import Bundle, add_statistics, load_bundle
from mlda_core.bundle.export import export_bundle
from mlda_core.bundle.statistics import Settings
from mlda_core.vae.dataset import TrainingData, load_training_data
from mlda_core.vae.sea_training import SeaTraining
from mlda_core.vae.training import build_vae


def make_bare(folder: Path, *, curved: float = 0.0) -> Bundle:
    """A small climate's bundle as it is fresh from training, without statistics."""
    _export(folder, curved=curved)
    return load_bundle(folder / "made")


def make_linear(folder: Path) -> Bundle:
    """A small climate's bundle with statistics and no sea network; its decoder is the EOFs'."""
    data = _export(folder, curved=0.0)
    made, settings = load_bundle(folder / "made"), Settings()
    add_statistics(made, estimate(made, data, settings, patterns=20), settings, None)
    return load_bundle(folder / "made")


def make_small(folder: Path, *, curved: float) -> Bundle:
    """A small climate's calibrated bundle; ``curved`` scales what its decoder adds nonlinearly."""
    data = _export(folder, curved=curved)
    made = load_bundle(folder / "made")
    assert not made.has_statistics
    calibrate(made, data, Settings(), training=SeaTraining(epochs=2, epochs_normalised=2))
    return load_bundle(folder / "made")


def _export(folder: Path, *, curved: float) -> TrainingData:
    config = make_config(folder)
    data = load_training_data(config)
    torch.manual_seed(0)
    vae = build_vae(config, data).eval()
    if curved:
        with torch.no_grad():
            weight = vae.decoder.refiner.leave.conv.weight
            weight.copy_(curved * torch.randn_like(weight))
    export_bundle(vae, config, data, folder / "made", provenance={"test": True})
    return data
