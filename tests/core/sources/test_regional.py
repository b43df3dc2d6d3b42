"""A regional model of two variables with missing cells, from downloaded files to a bundle."""

import numpy as np
import pytest
from downloads import field, write_era5, write_haduk

from mlda_core.bundle.bundle import load_bundle
from mlda_core.bundle.export import export_bundle
from mlda_core.climate.splits import Splits
from mlda_core.climate.variables import DEFAULTS
from mlda_core.sources.prepare import read_files
from mlda_core.sources.regrid import grid_of_step
from mlda_core.vae.config import ConfigError, DataConfig, ModelConfig, TrainingConfig
from mlda_core.vae.dataset import load_training_data
from mlda_core.vae.networks import NetworkConfig
from mlda_core.vae.training import train

MONTHS = np.arange("1990-01", "2000-01", dtype="datetime64[M]")
LAT, LON = np.arange(65, 34, -2.5), np.arange(-20, 21, 2.5)


def make_model(path, names):
    return ModelConfig(
        name="regional",
        title="A region",
        base_period="1990-1999",
        source="made up",
        licence="CC0",
        variables=tuple(DEFAULTS[n] for n in names),
        splits=Splits(test=(1992,), validation=(1995,), calibration=(1998,)),
        data=DataConfig(path),
        network=NetworkConfig(
            n_latent=4, n_patterns=8, width=8, encoder_width=8, position_channels=2
        ),
        training=TrainingConfig(epochs=2, batch=32, information=200.0, half=False),
    )


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Pressure, and a sea that lacks land always and its north before 1991."""
    folder = tmp_path_factory.mktemp("region")
    season = np.cos(2 * np.pi * (np.arange(120) % 12) / 12)[:, None, None]
    psl = field(MONTHS, LAT, LON, mean=101_000, spread=500) + 300 * season
    sea = field(MONTHS, LAT, LON, mean=288, spread=2, seed=1) - 4 * season
    sea[:, 4:9, 9:14] = np.nan
    sea[:12, :3] = np.nan
    write_era5(
        folder / "download.nc", {"msl": (psl, "Pa"), "sst": (sea, "K")}, LAT, LON,
        months=MONTHS, new=True,
    )  # fmt: skip
    data = read_files([folder], grid=grid_of_step("5"), covered_only=True)
    made = folder / "canonical" / "region.nc"
    made.parent.mkdir()
    data.to_netcdf(made)
    return made


def test_from_files_to_a_bundle(path, tmp_path):
    config = make_model(path, ("psl", "tos"))
    data = load_training_data(config)
    assert 0 < data.missing < 0.1
    grid = data.normaliser.grid
    assert not grid.is_global
    assert np.all(np.diff(grid.lon) == 5)
    assert grid.lon[0] < 360 <= grid.lon[-1], "across Greenwich in one piece"
    vae = train(config, data, tmp_path / "run")
    export_bundle(vae, config, data, tmp_path / "bundle", provenance={"test": True})
    bundle = load_bundle(tmp_path / "bundle")
    assert [v.name for v in bundle.variables] == ["psl", "tos"]
    assert not bundle.mask[1].all(), "land"
    assert bundle.mask[0].all()
    early, late = bundle.target("1990-05"), bundle.target("1994-05")
    assert np.isnan(early[1]).sum() > np.isnan(late[1]).sum()
    made = bundle.decode(np.zeros(bundle.n_latent), "1994-05")
    assert np.isfinite(made["psl"]).all()


def test_a_projected_dataset_says_how_it_can_train(tmp_path):
    raw = tmp_path / "tas_hadukgrid.nc"
    write_haduk(raw, "tas", np.full((12, 4, 5), 9.0), units="degC")
    made = tmp_path / "uk.nc"
    read_files([raw]).to_netcdf(made)
    with pytest.raises(ConfigError, match=r"projected grid.*--grid'\.$"):
        load_training_data(make_model(made, ("tas",)))
