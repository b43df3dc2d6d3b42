"""Runs of a made-up GCM: a small climate, and three members of each experiment."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from climate import make_config
from made_up_runs import MEMBERS, YEAR
from small import make_small

from mlda_core.perturbation.gcm import (
    EXPERIMENTS,
)
from mlda_core.perturbation.gcm_runs import read_runs
from mlda_core.vae.dataset import load_training_data


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("gcm")


@pytest.fixture(scope="session")
def small(folder):
    return make_small(folder, curved=0.03)


@pytest.fixture(scope="session")
def unperturbed(small, folder):
    return load_training_data(make_config(folder)).observed.in_split("validation")


@pytest.fixture(scope="session")
def answer(small):
    """What the made-up GCM answers, display units, of any experiment and month."""
    rng = np.random.default_rng(3)
    out = rng.standard_normal(small.mask.shape) * np.array([1.0, 0.0, 0.5, 0.8])[:, None, None]
    # More rain, for less would leave less than none, which the reader refuses.
    out[3] = np.abs(out[3])
    out[small.sea_row] = 1.0
    return np.where(small.mask, out, np.nan)


@pytest.fixture(scope="session")
def runs_folder(small, folder, answer):
    """Three members of each experiment: the unperturbed mean, the answer, and noise of 0.1."""
    with xr.open_dataset(folder / "climate.nc") as opened:
        mean = opened.mean("member").sel(time=str(YEAR)).load()
    for name in EXPERIMENTS:
        (folder / "runs" / name).mkdir(parents=True)
        for member in MEMBERS:
            data = mean.copy(deep=True)
            noise = np.random.default_rng(member).standard_normal((4, 12, 8, 16))
            for v, variable in enumerate(small.variables):
                # Members share the sea.
                error = 0.0 if v == small.sea_row else 0.1
                moved = (answer[v] + error * noise[v]) / variable.scale
                data[variable.name] = (mean[variable.name] + moved).astype(np.float32)
                data[variable.name].attrs["units"] = variable.units
            data.to_netcdf(folder / "runs" / name / f"m{member}_{YEAR}.nc", engine="netcdf4")
    return folder / "runs"


@pytest.fixture(scope="session")
def runs(small, unperturbed, runs_folder):
    return read_runs(runs_folder, small, unperturbed)
