"""The data that a model trains on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from climate import make_climate, make_config, spoil

from mlda_core.vae.config import ConfigError
from mlda_core.vae.dataset import load_training_data


def without_a_validation_month_of_rain(data: xr.Dataset) -> xr.Dataset:
    data["pr"] = data["pr"].where(data["time"].dt.year != 1984)
    return data


def in_celsius(data: xr.Dataset) -> xr.Dataset:
    data["tas"].attrs["units"] = "degC"
    return data


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.drop_vars("psl"), "no variable 'psl'"),
        (lambda d: d.isel(member=0), r"on \(time, lat, lon\), not \(member, time"),
        (in_celsius, "tas in 'degC', not 'K'"),
        (without_a_validation_month_of_rain, "has no pr in any validation month"),
        (lambda d: d.where(d["time"].dt.year != 1984, drop=True), "no validation month"),
        (lambda d: d.assign(tos=d["tos"] * np.nan), "'tos' has no value"),
        (lambda d: d.assign_coords(member=[5, 6]), "no member 0 to ship"),
    ],
)
def test_data_that_cannot_train_are_refused_in_a_sentence(tmp_path: Path, change, words: str):
    def keep_units(data: xr.Dataset) -> xr.Dataset:
        changed = change(data)
        for name in changed.data_vars:
            changed[name].attrs.setdefault("units", make_climate()[name].attrs.get("units", "1"))
        return changed

    with pytest.raises(ValueError, match=words):
        load_training_data(spoil(tmp_path, keep_units))


def test_mixed_seas_that_cannot_be_recognised_do_not_train(tmp_path: Path):
    """A mixture of training years trains, one with a held-out parent or of no parents does not."""
    climate = make_climate()
    climate["tos"][:] = climate["tos"][0].values
    climate.to_netcdf(tmp_path / "climate.nc", engine="netcdf4")
    sea = climate["tos"][0].values.reshape(10, 12, 8, 16)
    mean = sea.mean(axis=0)
    rng = np.random.default_rng(0)

    def mixture(a: int, b: int) -> np.ndarray:
        return mean + 0.6 * (sea[a - 1979] - mean) + 0.8 * (sea[b - 1979] - mean) + 0.3

    years = [mixture(1980, 1988), mixture(1980, 1986), mean + rng.standard_normal(mean.shape)]
    mixed = climate.isel(member=[0], time=slice(0, 36)).assign_coords(member=[60]).copy(deep=True)
    mixed["tos"][0] = np.concatenate(years).astype(np.float32)
    mixed.to_netcdf(tmp_path / "mixed.nc", engine="netcdf4")
    config = make_config(tmp_path)
    config = replace(
        config, data=replace(config.data, mixed=tmp_path / "mixed.nc", mixed_share=1.0)
    )
    kept = load_training_data(config).mixed
    assert kept is not None
    assert {n[:4] for n in kept.names} == {"1979"}
    assert len(kept) == 12
    # Patches on seas of the same kinds: twelve months more, and with no share none of either.
    patched = mixed.assign_coords(member=[64])
    patched["tos"] = patched["tos"] + 2.0 * (patched["lon"] < 90) * (patched["lat"] < 30)
    patched.to_netcdf(tmp_path / "patches.nc", engine="netcdf4")
    both = replace(config, data=replace(config.data, patches=tmp_path / "patches.nc"))
    kept = load_training_data(both).mixed
    assert kept is not None
    assert kept.member.tolist() == [60] * 12 + [64] * 12
    assert {n[:4] for n in kept.names} == {"1979"}
    none = replace(both, data=replace(both.data, mixed_share=0.0))
    assert load_training_data(none).mixed is None
    hidden = replace(config, splits=replace(config.splits, calibration=(1986, 2001)))
    with pytest.raises(ConfigError, match="lacks the held-out year 2001"):
        load_training_data(hidden)
