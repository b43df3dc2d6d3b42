"""Small trained bundles of two variables, without a sea, masked and with gaps: real data's kind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import xarray as xr
from kept import copy_kept

from mlda_core.assimilation.calibrate import calibrate
from mlda_core.bundle.bundle import load_bundle
from mlda_core.bundle.export import export_bundle
from mlda_core.bundle.statistics import TunedParameters
from mlda_core.climate.splits import Splits
from mlda_core.climate.variables import DEFAULTS
from mlda_core.vae.config import DataConfig, ModelConfig, TrainingConfig
from mlda_core.vae.dataset import load_training_data
from mlda_core.vae.networks import NetworkConfig
from mlda_core.vae.training import train

YEARS = (1945, 1976)
SPLITS = Splits(test=(1947, 1963), validation=(1955,), calibration=(1959, 1971))
# The anomaly of a surface temperature record, as GISTEMP gives it.
SURFACE = replace(
    DEFAULTS["tas"],
    name="tasa",
    label="Surface temperature",
    standard_name="surface_temperature_anomaly",
    display_units="K",
    offset=0.0,
    field_limits=(-5.0, 5.0),
    field_cmap="RdBu_r",
)
PRESSURE = replace(DEFAULTS["psl"], label="Large-scale sea-level pressure")


def _fields(lat: np.ndarray, lon: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Two variables (2, n, lat, lon) of unit size: a few smooth waves and a little noise."""
    rng = np.random.default_rng(seed)
    y, x = np.radians(lat)[:, None], np.radians(lon)[None]
    waves = np.stack(
        [
            np.cos(y) * np.cos((k + 1) * x + 0.7 * k) * np.cos(k * y + 0.3)
            + (0.3 * np.sin(2 * y) if k == 0 else 0)
            for k in range(5)
        ]
    )
    codes = rng.standard_normal((n, 5))
    mix = rng.standard_normal((2, 5))
    smooth = np.einsum("nk,vk,kyx->vnyx", codes, mix, waves)
    return smooth + 0.15 * rng.standard_normal(smooth.shape)


def make_world(folder: Path) -> Path:
    """A global record, 16 x 32 cells: pressure from 1950 to 1974 alone, temperature with holes.

    Parameters
    ----------
    folder : Path
        An empty one.

    Returns
    -------
    Path
        The folder of a calibrated bundle, ``folder / "world"``.
    """
    return copy_kept("world", _make_world, folder) / "world"


def _make_world(folder: Path) -> None:
    lat, lon = np.linspace(-84.375, 84.375, 16), np.arange(32) * 11.25
    months = np.arange(f"{YEARS[0]}-01", f"{YEARS[1]}-01", dtype="datetime64[M]")
    year = months.astype("datetime64[Y]").astype(int) + 1970
    signal = _fields(lat, lon, months.size, seed=3)
    surface = 0.8 * signal[0]
    surface[year < 1953, :2] = np.nan
    # One cell that was never observed.
    surface[:, 0, 0] = np.nan
    pressure = 101_300 + 250 * signal[1]
    pressure[(year < 1950) | (year >= 1975)] = np.nan
    _bundle(folder, "world", lat, lon, months, {SURFACE: surface, PRESSURE: pressure})


def make_region(folder: Path) -> Path:
    """Europe across Greenwich, 10 x 13 cells: air temperature over land alone, and pressure.

    Parameters
    ----------
    folder : Path
        An empty one.

    Returns
    -------
    Path
        The folder of a calibrated bundle, ``folder / "region"``.
    """
    return copy_kept("region", _make_region, folder) / "region"


def _make_region(folder: Path) -> None:
    lat, lon = np.arange(37.5, 61, 2.5), np.arange(345.0, 376, 2.5)
    months = np.arange(f"{YEARS[0]}-01", f"{YEARS[1]}-01", dtype="datetime64[M]")
    year = months.astype("datetime64[Y]").astype(int) + 1970
    signal = _fields(3 * (lat - 50), 8 * lon, months.size, seed=4)
    season = np.cos(2 * np.pi * (np.arange(months.size) % 12) / 12)[:, None, None]
    air = 283 + signal[0] - 8 * season
    # Sea to the west and in the middle; stations in the north from 1949 on.
    air[:, :4, :4] = np.nan
    air[:, 5:7, 7:9] = np.nan
    air[year < 1949, 8:] = np.nan
    pressure = 101_300 + 300 * signal[1]
    pressure[(year < 1946) | (year >= 1975)] = np.nan
    land = replace(DEFAULTS["tas"], domain="land")
    _bundle(folder, "region", lat, lon, months, {land: air, DEFAULTS["psl"]: pressure})


def _bundle(folder, name, lat, lon, months, fields) -> None:
    data = xr.Dataset(
        {
            v.name: (
                ("member", "time", "lat", "lon"),
                x[None].astype(np.float32),
                {"units": v.units},
            )
            for v, x in fields.items()
        },
        coords={
            "member": [0],
            "time": (months.astype("datetime64[D]") + 14).astype("datetime64[ns]"),
            "lat": lat,
            "lon": lon,
        },
    )
    path = folder / f"{name}.nc"
    data.to_netcdf(path, engine="netcdf4")
    config = ModelConfig(
        name=name,
        title={"world": "A made-up record, 1945-1975", "region": "A made-up region, 1945-1975"}[
            name
        ],
        base_period="1945-1975, training years",
        source="made up",
        licence="CC0",
        variables=tuple(fields),
        splits=SPLITS,
        data=DataConfig(path),
        network=NetworkConfig(
            n_latent=14, n_patterns=20, width=8, encoder_width=8, position_channels=2
        ),
        training=TrainingConfig(epochs=2, batch=64, information=200.0, half=False),
    )
    training = load_training_data(config)
    vae = train(config, training, folder / "run")
    export_bundle(vae, config, training, folder / name, provenance={"test": True})
    calibrate(load_bundle(folder / name), training, TunedParameters())
