"""A small made-up climate of days whose waves move eastwards, and a bundle of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import xarray as xr
from kept import copy_kept

from mlda_core.assimilation.calibrate import estimate
from mlda_core.bundle.bundle import Bundle, load_bundle
from mlda_core.bundle.export import export_bundle
from mlda_core.bundle.statistics import TunedParameters
from mlda_core.bundle.writing import add_statistics
from mlda_core.climate.cf import time_coordinates
from mlda_core.climate.splits import Splits
from mlda_core.climate.time_step import DAY
from mlda_core.climate.variables import DEFAULTS
from mlda_core.vae.config import DataConfig, ModelConfig, TrainingConfig
from mlda_core.vae.dataset import TrainingData, load_training_data
from mlda_core.vae.networks import NetworkConfig
from mlda_core.vae.training import build_vae

SHAPE = (8, 16)
# Kept from one day to the next, as the waves move a sixteenth of the globe eastwards.
KEPT = 0.9
FIRST, END = "1981-01-01", "1985-01-01"
NAMES = ("psl", "tas")


def make_days(*, seed: int = 0) -> xr.Dataset:
    """Four years of two variables on 8 x 16 cells: waves that move and decay, season, noise."""
    rng = np.random.default_rng(seed)
    times = np.arange(FIRST, END, dtype="datetime64[D]")
    lat = np.linspace(-78.75, 78.75, SHAPE[0])
    lon = np.arange(SHAPE[1]) * 22.5
    # Smooth along a circle of latitude: the first three wavenumbers.
    waves = np.arange(SHAPE[1] // 2 + 1)
    size = np.where((waves > 0) & (waves <= 3), 1.0, 0.05)
    x = np.zeros((len(NAMES), times.size, *SHAPE))
    state = np.zeros((len(NAMES), *SHAPE))
    for t in range(times.size):
        new = np.fft.irfft(
            size * np.fft.rfft(rng.standard_normal((len(NAMES), *SHAPE)), axis=-1), axis=-1
        )
        state = KEPT * np.roll(state, 1, axis=-1) + new
        x[:, t] = state
    phase = 2 * np.pi * DAY.phase(times)[:, None, None]
    x *= 1.0 + 0.3 * np.cos(phase)
    fields = {
        "psl": 101_000 + 300 * x[0] + 200 * np.cos(phase),
        "tas": 285 + x[1] + 5 * np.sin(phase) + 2 * np.cos(2 * phase),
    }
    dims = ("member", "time", "lat", "lon")
    return xr.Dataset(
        {
            k: (dims, v[None].astype(np.float32), {"units": DEFAULTS[k].units})
            for k, v in fields.items()
        },
        coords={"member": [0], **time_coordinates(times, DAY), "lat": lat, "lon": lon},
        attrs={"frequency": DAY.frequency},
    )


def make_config(folder: Path) -> ModelConfig:
    """Write the days into a folder, and return a small model of them."""
    path = folder / "days.nc"
    if not path.exists():
        make_days().to_netcdf(path, engine="netcdf4")
    return ModelConfig(
        name="days",
        title="Small days",
        base_period="1981-1984, training years",
        source="made up",
        licence="CC0",
        variables=tuple(DEFAULTS[name] for name in NAMES),
        splits=Splits(test=(1984,), validation=(1983,)),
        data=DataConfig(observed=path, shipped_splits=("validation", "test"), month_step=0.1),
        network=NetworkConfig(
            n_latent=24, n_patterns=40, harmonics=1, width=8, encoder_width=8, position_channels=2
        ),
        training=TrainingConfig(epochs=1, batch=64, half=False, information=200.0),
    )


# The configuration of what make_daily makes, as a user would write it.
TOML = """
[model]
name = "days"
title = "Small days"
base_period = "1981-1984, training years"
source = "made up"
licence = "CC0"
variables = ["psl", "tas"]
[splits]
test = [1984]
validation = [1983]
[data]
observed = "days.nc"
shipped_splits = ["validation", "test"]
month_step = 0.1
[network]
n_latent = 24
n_patterns = 40
harmonics = 1
width = 8
encoder_width = 8
position_channels = 2
[training]
epochs = 1
batch = 64
half = false
information = 200.0
"""


def make_daily(folder: Path) -> tuple[Bundle, TrainingData]:
    """A bundle of the days with statistics, and its data; its decoder is the EOFs'."""

    def make(to: Path) -> None:
        config = make_config(to)
        data = load_training_data(config)
        torch.manual_seed(0)
        vae = build_vae(config, data).eval()
        export_bundle(vae, config, data, to / "made", provenance={"test": True})
        made, settings = load_bundle(to / "made"), TunedParameters(half_width_enoi=6000.0)
        held = ("validation",)
        past = ("train", *held)
        found = estimate(made, data, settings, held=held, past=past, patterns=60)
        add_statistics(made, found, settings, None)

    copy_kept("daily", make, folder)
    return load_bundle(folder / "made"), load_training_data(make_config(folder))
