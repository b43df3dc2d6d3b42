"""The emulated response against the GCM's own: scores of known responses, halves, files, errors."""

from __future__ import annotations

import json
from dataclasses import replace

import netCDF4
import numpy as np
import pytest

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.bundle.bundle import load_bundle
from mlda_core.evaluation import gcm_response as gcm_scoring
from mlda_core.perturbation.gcm import (
    EXPERIMENTS,
    GcmError,
    gcm_responses,
    write_responses,
)
from mlda_core.perturbation.responder import Responder
from mlda_core.perturbation.sst_patches import Patch


@pytest.mark.slow
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
