"""A small made-up climate with known structure, in the canonical form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray as xr
from model_config import SMALL

from mlda_core.climate.splits import Splits
from mlda_core.climate.variables import DEFAULTS
from mlda_core.vae.config import DataConfig, ModelConfig, TrainingConfig
from mlda_core.vae.networks import NetworkConfig

SPLITS = Splits(**{split: tuple(years) for split, years in SMALL["splits"].items()})
YEARS = range(1979, 1989)


def make_climate(*, members: int = 2, seed: int = 0, patterns: int = 4) -> xr.Dataset:
    """Ten years of four variables on 8 x 16 cells: few patterns, season, noise, a continent."""
    rng = np.random.default_rng(seed)
    lat = np.linspace(-78.75, 78.75, 8)
    lon = np.arange(16) * 22.5
    time = np.arange("1979-01", "1989-01", dtype="datetime64[M]").astype("datetime64[D]") + 14
    n = time.size
    season = np.cos(2 * np.pi * np.arange(n) / 12)[:, None, None]
    maps = rng.standard_normal((4, patterns, 8, 16))
    codes = rng.standard_normal((members, n, patterns))
    signal = np.einsum("mtk,vkyx->vmtyx", codes, maps)
    noise = 0.5 * rng.standard_normal(signal.shape)
    x = signal + noise
    land = np.zeros((8, 16), bool)
    land[3:5, 2:6] = True
    fields = {
        "psl": 101_000 + 300 * x[0] + 200 * season,
        "tos": np.where(land, np.nan, 290 + 0.5 * x[1] + 2 * season),
        "tas": 285 + x[2] + 5 * season,
        "pr": np.clip(3 + 0.8 * x[3] + season, 0, None) / 86_400,
    }
    dims = ("member", "time", "lat", "lon")
    data = xr.Dataset(
        {k: (dims, v.astype(np.float32), {"units": DEFAULTS[k].units}) for k, v in fields.items()},
        coords={
            "member": np.arange(members),
            "time": time.astype("datetime64[ns]"),
            "lat": lat,
            "lon": lon,
        },
    )
    return data.assign(sftlf=(("lat", "lon"), 100.0 * land))


def make_config(folder: Path, **training: object) -> ModelConfig:
    """Write a climate into a folder, and return a small model of it."""
    path = folder / "climate.nc"
    if not path.exists():
        make_climate().to_netcdf(path, engine="netcdf4")
    model = SMALL["model"]
    return ModelConfig(
        **{**model, "variables": tuple(DEFAULTS[name] for name in model["variables"])},
        splits=SPLITS,
        data=DataConfig(observed=path),
        network=NetworkConfig(**SMALL["network"]),
        training=TrainingConfig(**{**SMALL["training"], **training}),
    )


def spoil(folder: Path, change: Callable[[xr.Dataset], xr.Dataset]) -> ModelConfig:
    """Write a changed climate into a folder, and return the small model of it."""
    change(make_climate()).to_netcdf(folder / "climate.nc", engine="netcdf4")
    return make_config(folder)
