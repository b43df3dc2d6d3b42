"""Runs of the GCM: how they are read, parted and refused."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import xarray as xr
from climate import make_config
from made_up_runs import MEMBERS, YEAR, made_up

from mlda_core.perturbation.gcm import (
    EXPERIMENTS,
    GcmError,
)
from mlda_core.perturbation.gcm_runs import read_runs
from mlda_core.sources import SourceError
from mlda_core.vae.dataset import load_training_data


@pytest.fixture
def copied(runs_folder, tmp_path):
    return shutil.copytree(runs_folder, tmp_path / "runs")


def test_halves_share_no_member():
    _, runs = made_up(members=3, controls=5, noise=1.0)
    halves = runs.halves()
    assert len(halves) == 3
    a, b = halves[1]
    np.testing.assert_allclose(a, runs.perturbed[1] - runs.unperturbed[:2].mean(axis=0))
    np.testing.assert_allclose(
        b, runs.perturbed[[0, 2]].mean(axis=0) - runs.unperturbed[2:].mean(axis=0)
    )
    assert len(made_up(members=2)[1].halves()) == 1


def test_the_standard_error_is_that_of_a_difference_of_means():
    found = [made_up(noise=2.0, seed=seed)[1].standard_error.mean() for seed in range(5)]
    assert np.mean(found) == pytest.approx(2.0 * np.sqrt(1 / 3 + 1 / 8), rel=0.05)


def test_runs_are_read_as_the_response_that_was_put_in(small, runs, answer):
    assert [r.experiment for r in runs] == list(EXPERIMENTS)
    for r in runs:
        assert r.months == tuple(f"{YEAR}-{m:02d}" for m in range(1, 13))
        assert r.perturbed.shape == (3, *small.mask.shape)
        assert (np.isnan(r.response) == ~small.mask).all()
        np.testing.assert_allclose(r.change[:, small.mask[1]], 1.0, atol=2e-3)
        assert (r.change[:, ~small.mask[1]] == 0).all()
        # Rain is cut at zero nowhere here, and noise over 36 months is a sixtieth of 1.
        assert np.nanmax(np.abs(r.response - answer)) < 0.1


def test_a_missing_experiment_year_or_member(small, unperturbed, copied):
    (copied / "plus1" / f"m71_{YEAR}.nc").rename(copied / "plus1" / "m71_1990.nc")
    (copied / "plus1" / f"m72_{YEAR}.nc").unlink()
    with pytest.raises(GcmError, match="has 1 members of 1984"):
        read_runs(copied, small, unperturbed)
    shutil.rmtree(copied / "plus1")
    with pytest.raises(SourceError, match="no folder"):
        read_runs(copied, small, unperturbed)


def test_a_member_that_lacks_a_year(small, folder, copied):
    months = load_training_data(make_config(folder)).observed.in_split("validation", "test")
    shutil.copy(copied / "plus1" / f"m70_{YEAR}.nc", copied / "plus1" / "m70_1982.nc")
    with pytest.raises(GcmError, match=r"member 71 but not its year 1982; add m71_1982\.nc"):
        read_runs(copied, small, months)


def test_another_grid_or_missing_cells(small, unperturbed, copied):
    path = copied / "plus1" / f"m71_{YEAR}.nc"
    with xr.open_dataset(path) as opened:
        data = opened.load()
    hole = data.copy(deep=True)
    hole["tos"][3, 0, 0] = np.nan
    hole.to_netcdf(path, engine="netcdf4")
    with pytest.raises(GcmError, match="lacks cells of tos in 1984-04 of member 71"):
        read_runs(copied, small, unperturbed)
    for member in MEMBERS:
        moved = data.assign_coords(lon=data["lon"] + 5)
        moved.to_netcdf(copied / "plus1" / f"m{member}_{YEAR}.nc", engine="netcdf4")
    with pytest.raises(GcmError, match="on another grid"):
        read_runs(copied, small, unperturbed)


def test_unperturbed_members_must_be_two_and_whole(small, unperturbed, runs_folder):
    one = unperturbed.where(unperturbed.member == 0)
    with pytest.raises(GcmError, match="1 unperturbed members"):
        read_runs(runs_folder, small, one)
    gap = (unperturbed.member == 1) & (unperturbed.names == "1984-05")
    with pytest.raises(GcmError, match="member 1 lacks 1984-05"):
        read_runs(runs_folder, small, unperturbed.where(~gap))
