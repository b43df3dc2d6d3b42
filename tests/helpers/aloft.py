"""A small climate aloft: height and the wind that belongs to it, by configuration alone."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import xarray as xr
from kept import copy_kept

from mlda_core.assimilation.calibrate import estimate
from mlda_core.bundle.bundle import Bundle, load_bundle
from mlda_core.bundle.export import export_bundle
from mlda_core.bundle.statistics import TunedParameters
from mlda_core.bundle.writing import add_statistics
from mlda_core.climate.grid import Grid
from mlda_core.climate.vectors import geostrophic_wind
from mlda_core.vae.config import load_config
from mlda_core.vae.dataset import load_training_data
from mlda_core.vae.training import build_vae

CONFIG = Path(__file__).parents[2] / "configs/upper.toml"
LAT, LON = np.linspace(-84.375, 84.375, 16), np.arange(32) * 11.25


def make_aloft(*, balanced: bool, seed: int = 0) -> xr.Dataset:
    """Ten years of height and wind: in balance with each other, or each of its own month."""
    rng = np.random.default_rng(seed)
    time = np.arange("1979-01", "1989-01", dtype="datetime64[M]").astype("datetime64[D]") + 14
    lat, lon = np.radians(LAT)[:, None], np.radians(LON)[None, :]
    waves = [
        np.cos(lat) * np.sin(m * lat + p) * np.cos(k * lon + q)
        for m in (2, 4)
        for k in (1, 2, 3)
        for p in (0.0, 1.6)
        for q in (0.0, 1.6)
    ]
    height = 60 * np.tensordot(rng.standard_normal((time.size, len(waves))), np.array(waves), 1)
    wind = np.stack(geostrophic_wind(height, Grid(LAT, LON)))
    # Near the equator the balance is none, and its wind without end.
    wind = wind * np.minimum(np.abs(np.sin(lat)) / 0.3, 1.0)
    if not balanced:
        wind = wind[:, rng.permutation(time.size)]
    noise = rng.standard_normal((3, *height.shape))
    fields = {
        "zg500": (5500 + height + 2 * noise[0], "m"),
        "ua850": (5 + wind[0] + 0.2 * noise[1], "m s-1"),
        "va850": (wind[1] + 0.2 * noise[2], "m s-1"),
    }
    dims = ("member", "time", "lat", "lon")
    return xr.Dataset(
        {k: (dims, v[None].astype(np.float32), {"units": u}) for k, (v, u) in fields.items()},
        coords={"member": [0], "time": time.astype("datetime64[ns]"), "lat": LAT, "lon": LON},
    )


def make_config_file(folder: Path, **vectors: str) -> Path:
    """Return the shipped configuration, for a small climate and small networks."""
    text = CONFIG.read_text(encoding="utf-8")
    for name, value in {
        "observed": f'"{folder / "aloft.nc"}"',
        "test": "[1982]",
        "validation": "[1984]",
        "calibration": "[1986]",
        "n_latent": "20",
        "n_patterns": "24",
        "width": "8",
        "encoder_width": "8",
        "position_channels": "2",
        **vectors,
    }.items():
        text, found = re.subn(rf"(?m)^{name} = .*$", f"{name} = {value}", text)
        assert found == 1, name
    path = folder / "aloft.toml"
    path.write_text(text, encoding="utf-8")
    return path


def make_bundle(folder: Path, *, balanced: bool = True) -> Bundle:
    """Return a bundle with statistics; its decoder is the EOFs'."""

    def make(to: Path) -> None:
        make_aloft(balanced=balanced).to_netcdf(to / "aloft.nc", engine="netcdf4")
        config = load_config(make_config_file(to))
        data = load_training_data(config)
        vae = build_vae(config, data).eval()
        export_bundle(vae, config, data, to / "made", provenance={"test": True})
        made, settings = load_bundle(to / "made"), TunedParameters()
        add_statistics(made, estimate(made, data, settings, patterns=40), settings, None)

    name = "aloft" if balanced else "adrift"
    return load_bundle(copy_kept(name, make, folder) / "made")
