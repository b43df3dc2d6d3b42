"""The emulated response against the GCM's own: scores of known responses, halves, files, errors."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import netCDF4
import numpy as np
import pytest
import xarray as xr
from climate import make_config
from small import make_small

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.bundle.bundle import load_bundle
from mlda_core.evaluation import gcm_response as gcm_scoring
from mlda_core.perturbation.gcm import (
    EXPERIMENTS,
    GcmError,
    gcm_responses,
    write_responses,
)
from mlda_core.perturbation.gcm_runs import Runs, read_runs
from mlda_core.perturbation.responder import Responder
from mlda_core.perturbation.sst_patches import Patch
from mlda_core.sources import SourceError
from mlda_core.vae.dataset import load_training_data

YEAR = 1984
MEMBERS = (70, 71, 72)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("gcm")


@pytest.fixture(scope="module")
def small(folder):
    return make_small(folder, curved=0.03)


@pytest.fixture(scope="module")
def unperturbed(small, folder):
    return load_training_data(make_config(folder)).observed.in_split("validation")


@pytest.fixture(scope="module")
def answer(small):
    """What the made-up GCM answers, display units, of any experiment and month."""
    rng = np.random.default_rng(3)
    out = rng.standard_normal(small.mask.shape) * np.array([1.0, 0.0, 0.5, 0.8])[:, None, None]
    # More rain, for less would leave less than none, which the reader refuses.
    out[3] = np.abs(out[3])
    out[small.sea_row] = 1.0
    return np.where(small.mask, out, np.nan)


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def runs(small, unperturbed, runs_folder):
    return read_runs(runs_folder, small, unperturbed)


def made_up(*, members=3, controls=8, noise=0.0, seed=0):
    """Runs with a known response: its shape is (1, 20, 40), and members differ by noise."""
    rng = np.random.default_rng(seed)
    response = rng.standard_normal((4, 20, 40))
    perturbed, control = (
        base + noise * rng.standard_normal((n, 4, 20, 40))
        for n, base in ((members, response), (controls, 0.0))
    )
    sea = np.zeros((1, 20, 40))
    return response, Runs("plus1", ("1984-01",), perturbed, control, sea, sea)


def scores_of(runs, ours):
    weights = np.full(ours.shape[1:], 1.0)
    return gcm_scoring._one(runs, runs.halves(), {"vae": ours}, weights, 0)


@pytest.mark.parametrize("members", [2, 3, 4])
def test_a_perfect_emulator_has_correlation_and_amplitude_one(members):
    response, runs = made_up(members=members)
    found = scores_of(runs, response)
    assert found["vae"] == pytest.approx({"pattern_correlation": 1, "amplitude_ratio": 1})
    assert found["gcm_half"] == pytest.approx({"pattern_correlation": 1})
    half = scores_of(runs, 0.5 * response)["vae"]
    assert half == pytest.approx({"pattern_correlation": 1, "amplitude_ratio": 0.5})
    against = scores_of(runs, -response)["vae"]
    assert against == pytest.approx({"pattern_correlation": -1, "amplitude_ratio": -1})


def test_noise_of_the_gcm_does_not_bias_the_amplitude():
    found = []
    for seed in range(20):
        response, runs = made_up(noise=1.0, seed=seed)
        found.append(scores_of(runs, response))
    ratio = np.mean([f["vae"]["amplitude_ratio"] for f in found])
    assert ratio == pytest.approx(1.0, abs=0.02)
    halves = np.mean([f["gcm_half"]["pattern_correlation"] for f in found])
    # Variances of one and two members' noise, each with four unperturbed members.
    expected = 1 / np.sqrt((1 + 1 + 1 / 4) * (1 + 1 / 2 + 1 / 4))
    assert halves == pytest.approx(expected, abs=0.02)


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


def test_halves_that_share_nothing_have_no_amplitude():
    _, runs = made_up(members=2, controls=2)
    opposed = replace(runs, perturbed=np.stack([runs.perturbed[0], -runs.perturbed[0]]))
    found = scores_of(opposed, runs.perturbed[0])
    assert "amplitude_ratio" not in found["vae"]
    assert found["gcm_half"]["pattern_correlation"] == pytest.approx(-1)


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


def test_emulation_is_the_mean_of_responses(small, runs):
    """The same that the page shows of a month, for the sea that the bundle ships."""
    months = ("1984-02", "1984-07")
    sea = np.stack([small.target(m)[small.sea_row] for m in months])
    warm = Patch(1.5, box=(-30, 30, 180, 270))
    change = np.stack([warm.kelvin * warm.weights(small.grid) * small.mask[1]] * 2)
    two = [replace(r, months=months, sea=sea, change=change * k) for k, r in enumerate(runs)]
    engine = Assimilator(small)
    found = gcm_scoring.emulate(engine, two, "vae")
    assert (found["plus1"][small.mask] == 0).all()
    responder = Responder(engine)
    expected = np.mean([responder.respond_to(m, change[0]).anomalies for m in months], axis=0)
    np.testing.assert_allclose(found["nino34_plus2"], expected, atol=2e-3)
    linear = gcm_scoring.emulate(engine, two, "regression")["nino34_plus2"]
    assert np.nanmax(np.abs(linear)) > 0.01


def test_scores_have_every_key_and_reach_the_files(small, runs, answer, tmp_path):
    # Members of the small climate have nothing in common: their mean stands for each of them.
    runs = [replace(r, unperturbed=r.unperturbed.mean(axis=0)[None].repeat(2, 0)) for r in runs]
    emulated = {m: {r.experiment: answer.astype(np.float32) for r in runs} for m in ("vae", "enoi")}
    found = gcm_scoring.score(runs, emulated, small)
    for experiment in EXPERIMENTS:
        for area in ("globe", "tropics"):
            for variable in ("psl", "tos", "tas", "pr"):
                one = found[experiment][area][variable]
                assert set(one) == {"vae", "enoi", "gcm_half"}
                assert one["vae"]["pattern_correlation"] > 0.98
                assert one["vae"]["amplitude_ratio"] == pytest.approx(1, abs=0.02)
    path = tmp_path / "scores.json"
    weights = small.config["checksums"]["weights.safetensors"]
    path.write_text(json.dumps({"weights": weights, "assimilation": {"test": 1}}))
    gcm_scoring.write_perturbation(found, runs, small, "validation", path)
    gcm_scoring.write_perturbation(found, runs, small, "test", path)
    written = json.loads(path.read_text())
    assert written["assimilation"] == {"test": 1}
    assert written["perturbation"] == written["perturbation_validation"] == found
    assert written["perturbation_made_of"]["members"] == {"plus1": 3, "nino34_plus2": 3}
    # Of another calibration: what the old one scored goes.
    path.write_text(json.dumps({**written, "perturbation_made_for": "another"}))
    gcm_scoring.write_perturbation(found, runs, small, "test", path)
    assert "perturbation_validation" not in json.loads(path.read_text())


# What ships


@pytest.fixture
def shipped(small, runs, answer, tmp_path):
    emulated = {r.experiment: (2 * answer).astype(np.float32) for r in runs}
    made = gcm_scoring.responses(runs, emulated, "validation")
    write_responses(made, small, tmp_path / "small.nc")
    return tmp_path


def test_responses_come_back_as_they_were_written(small, runs, answer, shipped):
    found = gcm_responses(small, shipped)
    assert list(found) == list(EXPERIMENTS)
    for r in runs:
        one = found[r.experiment]
        assert (one.split, one.members, one.months) == ("validation", 3, r.months)
        assert one.label == EXPERIMENTS[r.experiment].label
        Patch.parse(one.patch)
        for mine, theirs in (
            (one.gcm, r.response),
            (one.standard_error, r.standard_error),
            (one.emulated, 2 * answer),
        ):
            np.testing.assert_allclose(mine, theirs, atol=np.nanmax(np.abs(theirs)) / 6e4)
        assert (np.isnan(one.sst_change) == ~small.mask[small.sea_row]).all()
    assert netCDF4.Dataset(shipped / "small.nc").licence == "CC0-1.0"


def test_responses_of_another_release_or_none_are_no_responses(small, shipped, tmp_path):
    assert gcm_responses(small, tmp_path / "nowhere") == {}
    with netCDF4.Dataset(shipped / "small.nc", "a") as file:
        file.fingerprint = "of another release"
    assert gcm_responses(small, shipped) == {}


def test_damaged_responses_are_told_in_a_sentence(small, shipped):
    path = shipped / "small.nc"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(GcmError, match="copy it again"):
        gcm_responses(small, shipped)
    path.write_bytes(whole)
    with netCDF4.Dataset(path, "a") as file:
        file.renameVariable("psl_gcm", "other")
    with pytest.raises(GcmError, match="copy it again"):
        gcm_responses(small, shipped)


# What cannot be used


@pytest.fixture
def copied(runs_folder, tmp_path):
    return shutil.copytree(runs_folder, tmp_path / "runs")


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


def test_what_ships_is_small_and_free_and_of_the_bundle(repo_root):
    bundle = load_bundle(repo_root / "assets/bundles/speedy")
    path = repo_root / "mlda_core/assets/gcm_response" / f"{bundle.name}.nc"
    assert path.stat().st_size <= 400_000
    with netCDF4.Dataset(path) as file:
        assert file.licence == "CC0-1.0"
    found = gcm_responses(bundle)
    assert list(found) == list(EXPERIMENTS), "run: mlda validate --perturbation --write-responses"
    for one in found.values():
        sea = bundle.mask[bundle.sea_row]
        assert (np.isfinite(one.gcm) == bundle.mask).all()
        assert (np.isfinite(one.emulated) == bundle.mask).all()
        # Where the sea is warmed the air is, in both.
        assert one.gcm[2][one.sst_change > 0.9].mean() > 0.4
        assert one.emulated[2][one.sst_change > 0.9].mean() > 0.4
        assert np.isnan(one.sst_change[~sea]).all()
