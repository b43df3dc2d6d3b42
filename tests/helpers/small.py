"""Small bundles with what assimilation needs, each made once in a run of the tests.

A bundle takes 2 to 9 s to make and 20 ms to copy; the processes of pytest-xdist share one folder.
"""

from __future__ import annotations

from pathlib import Path

import torch
from climate import make_config
from kept import copy_kept

from mlda_core.assimilation.calibrate import calibrate, estimate
from mlda_core.bundle.bundle import Bundle, load_bundle
from mlda_core.bundle.export import export_bundle
from mlda_core.bundle.statistics import TunedParameters
from mlda_core.bundle.writing import add_statistics
from mlda_core.vae.dataset import TrainingData, load_training_data
from mlda_core.vae.sea_training import SeaTraining
from mlda_core.vae.training import build_vae


def make_bare(folder: Path, *, curved: float = 0.0) -> Bundle:
    """A small climate's bundle as it is fresh from training, without statistics."""

    def make(to: Path) -> None:
        _export(to, curved=curved)

    return load_bundle(copy_kept(f"bare-{curved}", make, folder) / "made")


def make_linear(folder: Path, *, patterns: int = 20) -> Bundle:
    """A small climate's bundle with statistics and no sea network; its decoder is the EOFs'."""

    def make(to: Path) -> None:
        data = _export(to, curved=0.0)
        made, settings = load_bundle(to / "made"), TunedParameters()
        add_statistics(made, estimate(made, data, settings, patterns=patterns), settings, None)

    return load_bundle(copy_kept(f"linear-{patterns}", make, folder) / "made")


def make_small(folder: Path, *, curved: float) -> Bundle:
    """A small climate's calibrated bundle; ``curved`` scales what its decoder adds nonlinearly."""

    def make(to: Path) -> None:
        data = _export(to, curved=curved)
        made = load_bundle(to / "made")
        assert not made.has_statistics
        calibrate(
            made, data, TunedParameters(), training=SeaTraining(epochs=2, epochs_normalised=2)
        )

    return load_bundle(copy_kept(f"small-{curved}", make, folder) / "made")


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
