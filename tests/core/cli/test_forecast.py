"""``mlda forecast`` and ``mlda validate --forecast``, on a small climate of days."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr
from commands import mlda, refusal
from days import TOML, make_daily

from mlda_core.bundle.bundle import load_bundle


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("forecasts")
    make_daily(folder)
    (folder / "days.toml").write_text(TOML)
    done = mlda(
        *("forecast", "train", "made", "--config", "days.toml", "--model", "koopman"), cwd=folder
    )
    assert done.returncode == 0, done.stderr
    assert "Trained koopman" in done.stdout
    return folder


def test_training_puts_the_model_into_the_bundle(workplace):
    about = load_bundle(workplace / "made").config["forecasts"]["koopman"]
    assert about["command"] == ("mlda forecast train made --config days.toml --model koopman")
    assert about["validation_explained_variance"] > 0.3


def test_a_forecast_is_written_as_full_fields(workplace):
    done = mlda(
        *("forecast", "run", "made", "--from", "1984-02-27", "--steps", 3),
        *("--model", "koopman", "--out", "out/f.nc"),
        cwd=workplace,
    )
    assert done.returncode == 0, done.stderr
    with xr.open_dataset(workplace / "out" / "f.nc") as made:
        days = made["time"].values.astype("datetime64[D]").astype(str).tolist()
        assert days == ["1984-02-27", "1984-02-28", "1984-02-29", "1984-03-01"]
        assert made["tas"].attrs["units"] == "K"
        first = load_bundle(workplace / "made").state("1984-02-27")["tas"].values[0]
        np.testing.assert_allclose(made["tas"].values[0], first, atol=1e-3)
        assert made.attrs["history"].startswith("mlda forecast run made --from 1984-02-27")


def test_persistence_keeps_the_anomaly(workplace):
    done = mlda(
        *("forecast", "run", "made", "--from", "1984-07-01", "--steps", 1),
        *("--model", "persistence", "--out", "p.nc"),
        cwd=workplace,
    )
    assert done.returncode == 0, done.stderr
    bundle = load_bundle(workplace / "made")
    with xr.open_dataset(workplace / "p.nc") as made:
        season = bundle.seasons.of("1984-07-02")
        anomaly = made["tas"].values[1] - 273.15 - bundle.climatology(season)[1]
    spread = bundle.normaliser.spread[[season - 2, season - 1], 1]
    wanted = bundle.target("1984-07-01")[1] / spread[0] * spread[1]
    np.testing.assert_allclose(anomaly, wanted, atol=0.01)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--from", "1984-02"), "'1984-02' is not a day; write it as YYYY-MM-DD"),
        (("--from", "1999-01-01"), "The bundle has no day '1999-01-01'"),
        (("--from", "1984-02-27", "--model", "grid"), "has no grid forecast; train it with"),
        (("--from", "1984-02-27", "--model", "oracle"), "There is no forecast 'oracle'"),
        (
            ("--from", "1984-02-27", "--model", "koopman", "--members", 3),
            "has no model error to draw members from",
        ),
    ],
)
def test_what_cannot_be_forecast_is_refused_in_a_sentence(workplace, arguments, words):
    done = mlda("forecast", "run", "made", "--out", "x.nc", *arguments, cwd=workplace)
    assert words in refusal(done)
    assert not (workplace / "x.nc").exists()


@pytest.mark.slow
def test_the_scores_by_lead_are_printed_and_kept(workplace):
    done = mlda(
        *("validate", "made", "--forecast", "--config", "days.toml", "--out", "scored"),
        cwd=workplace,
    )
    assert done.returncode == 0, done.stderr
    assert "koopman" in done.stdout
    found = json.loads((workplace / "made" / "scores.json").read_text())["forecast"]["validation"]
    assert set(found) == {"koopman", "persistence", "climatology"}
    skill = found["koopman"]["tas"]["explained_variance"]
    assert len(skill) == 10
    assert skill[0] > found["persistence"]["tas"]["explained_variance"][0]
    assert skill[0] > skill[4] > 0
