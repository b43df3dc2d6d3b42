"""Statistics, settings and sea network of a bundle, as they are read."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from small import make_small

from mlda_core.bundle.bundle import load_bundle
from mlda_core.bundle.files import checksum
from mlda_core.bundle.statistics import TunedParameters
from mlda_core.climate.errors import BundleError


@pytest.fixture(scope="session")
def linear(tmp_path_factory):
    return make_small(tmp_path_factory.mktemp("linear"), curved=0.0)


def everything(bundle):
    """Read what has been added for assimilation."""
    return bundle.statistics, bundle.settings, bundle.sea


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("representation_error.nc", lambda d: d.isel(lat=slice(0, 5))),
        ("representation_error.nc", lambda d: d.assign(leftover=d["leftover"] * np.nan)),
        ("representation_error.nc", lambda d: d.isel(latent=slice(0, 3))),
        ("linear.nc", lambda d: d.assign(calendar=d["calendar"] * 0 + 77)),
        ("linear.nc", lambda d: d.isel(sea=slice(0, 2))),
        ("linear.nc", lambda d: d.drop_vars("sea_mean")),
    ],
)
def test_statistics_that_do_not_fit_are_refused_in_a_sentence(linear, tmp_path, file, change):
    copy = tmp_path / "copy"
    shutil.copytree(linear.path, copy)
    with xr.open_dataset(copy / file) as data:
        changed = change(data.load())
    changed.to_netcdf(copy / file, engine="netcdf4")
    config = json.loads((copy / "config.json").read_text())
    config["checksums"][file] = checksum(copy / file)
    (copy / "config.json").write_text(json.dumps(config))
    with pytest.raises(BundleError, match="do not fit") as caught:
        everything(load_bundle(copy))
    assert "\n" not in str(caught.value)


def test_a_sea_network_of_another_shape_is_refused_in_a_sentence(linear, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(linear.path, copy)
    config = json.loads((copy / "config.json").read_text())
    config["assimilation"]["sea"]["width"] = 16
    (copy / "config.json").write_text(json.dumps(config))
    with pytest.raises(BundleError, match="a sea network for assimilation"):
        everything(load_bundle(copy))


def test_a_bundle_without_statistics_says_how_to_get_them(linear, tmp_path):
    bare = tmp_path / "bare"
    shutil.copytree(linear.path, bare)
    config = json.loads((bare / "config.json").read_text())
    for name in ("representation_error.nc", "linear.nc", "sea.safetensors"):
        (bare / name).unlink()
        del config["checksums"][name]
    (bare / "config.json").write_text(json.dumps(config))
    bundle = load_bundle(bare)
    assert not bundle.has_statistics
    with pytest.raises(BundleError, match="mlda calibrate"):
        everything(bundle)


def test_settings_travel_with_the_bundle(linear):
    assert linear.settings == replace(TunedParameters(), nonlinearity=linear.settings.nonlinearity)
    assert 0 <= linear.settings.nonlinearity < 0.5
    with pytest.raises(ValueError, match="'half_widht'"):
        TunedParameters.from_dict({"half_widht": 1.0})
    with pytest.raises(ValueError, match="within 0 to 1"):
        TunedParameters.from_dict({"sea_coupling": 3.0})
    assert linear.sea is not None
    assert linear.statistics.sea is not None
