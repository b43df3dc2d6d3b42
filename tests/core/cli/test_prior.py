"""``mlda prior train`` and ``mlda validate --priors``, on a small climate."""

from __future__ import annotations

import json

import pytest
from commands import mlda, refusal
from model_config import make_toml
from small import make_small

from mlda_core.bundle.bundle import load_bundle
from mlda_core.bundle.files import PRIOR_FILES
from mlda_core.vae.prior_training import PriorTraining


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("priors")
    make_small(folder, curved=0.0)
    (folder / "model.toml").write_text(make_toml())
    return folder


@pytest.fixture(scope="module")
def trained(workplace):
    done = mlda("prior", "train", "made", "--config", "model.toml", cwd=workplace)
    assert done.returncode == 0, done.stderr
    return done


def test_training_puts_the_priors_into_the_bundle(trained, workplace):
    bundle = load_bundle(workplace / "made")
    for key, name in PRIOR_FILES.items():
        assert f"{key} " in trained.stdout
        assert (workplace / "made" / name).stat().st_size < 1_000_000
        about = bundle.config["priors"][key]
        assert about["history"]["loss"] <= about["history"]["loss_at_start"]
        assert about["command"].startswith("mlda prior train made --config model.toml")
        assert about["training"]["epochs"] == PriorTraining().epochs
        assert bundle.prior(key).sample(2, 1, 0).shape == (2, bundle.n_latent)


def test_one_prior_is_trained_again_with_another_seed_and_the_other_stays(trained, workplace):
    before = load_bundle(workplace / "made").config["priors"]
    done = mlda(
        *("prior", "train", "made", "--config", "model.toml", "--prior", "flow", "--seed", 3),
        cwd=workplace,
    )
    assert done.returncode == 0, done.stderr
    after = load_bundle(workplace / "made").config["priors"]
    assert after["diffusion"] == before["diffusion"]
    assert after["flow"]["training"]["seed"] == 3


@pytest.mark.slow
def test_the_comparison_is_printed_and_kept(trained, workplace):
    done = mlda(
        *("validate", "made", "--priors", "--config", "model.toml", "--most-draws", 1),
        *("--networks", "stations_10", "--out", "scored", "--samples", 8),
        cwd=workplace,
    )
    assert done.returncode == 0, done.stderr
    assert "flow" in done.stdout
    scores = json.loads((workplace / "scored/scores.json").read_text())
    assert set(scores["priors"]["validation"]["priors"]) == {"gaussian", "flow", "diffusion"}


def test_an_analysis_is_asked_for_with_a_prior(trained, workplace):
    (workplace / "obs.csv").write_text("variable,lat,lon,value\ntas,10,40,2.5\n")
    asked = ("assimilate", "made", "--obs", "obs.csv", "--month", "1982-07")
    done = mlda(*asked, "--out", "flow.nc", "--prior", "flow", cwd=workplace)
    assert done.returncode == 0, done.stderr
    assert "sampler guided" in refusal(
        mlda(*asked, "--out", "no.nc", "--prior", "diffusion", cwd=workplace)
    )
    done = mlda(*asked, "--out", "g.nc", "--members", 3, "--sampler", "guided", cwd=workplace)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("prior", "train", "made", "--config", "model.toml", "--prior", "gaussian"), "nothing"),
        (("prior", "train", "made", "--config", "model.toml", "--prior", "x"), "no prior 'x'"),
        (("validate", "made", "--priors"), "needs --config"),
        (("validate", "made", "--priors", "--config", "model.toml", "--split", "none"), "none"),
    ],
)
def test_mistakes_are_told_in_a_sentence(workplace, words, said):
    assert said in refusal(mlda(*words, cwd=workplace))


def test_without_months_to_stop_by_no_prior_is_trained(workplace):
    (workplace / "bare.toml").write_text(make_toml(splits={"calibration": []}))
    done = mlda("prior", "train", "made", "--config", "bare.toml", cwd=workplace)
    # The splits are not those that the bundle was trained with, or there is nothing to stop by.
    assert "splits" in refusal(done)
