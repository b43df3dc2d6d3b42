"""Scores: of the right months, against the right model, never two runs in one table."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from climate import make_config

from mlda_core.bundle.bundle import Bundle, load_bundle
from mlda_core.bundle.export import export_bundle
from mlda_core.evaluation.reconstruction import (
    Report,
    months_of_bundle,
    skill_of_anomalies,
    validate,
    write_scores,
)
from mlda_core.vae.config import ConfigError
from mlda_core.vae.dataset import TrainingData, load_training_data
from mlda_core.vae.training import build_vae


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bundle, TrainingData]:
    folder = tmp_path_factory.mktemp("validation")
    config = make_config(folder)
    data = load_training_data(config)
    export_bundle(build_vae(config, data).eval(), config, data, folder / "made", provenance={})
    return load_bundle(folder / "made"), data


def test_skill_against_sums_done_by_hand(made: tuple[Bundle, TrainingData]):
    bundle, _ = made
    months = months_of_bundle(bundle).in_split("test")
    rng = np.random.default_rng(0)
    guess = months.anomalies + rng.standard_normal(months.anomalies.shape)
    months.anomalies[0, 0, 2, 3] = np.nan  # a cell that is missing once
    found = skill_of_anomalies(bundle, months, guess)
    for v, variable in enumerate(bundle.variables):
        lost = power = count = 0.0
        for i in range(len(months)):
            for y in range(8):
                for x in range(16):
                    t = float(months.anomalies[i, v, y, x])
                    if np.isnan(t):
                        continue
                    w = bundle.normaliser.weights[v, y, x]
                    lost += w * (guess[i, v, y, x] - t) ** 2
                    power += w * t**2
                    count += w
        assert found[variable.name]["explained_variance"] == pytest.approx(1 - lost / power)
        assert found[variable.name]["rmse"] == pytest.approx(np.sqrt(lost / count))


@pytest.mark.slow
def test_report_of_a_linear_model(made: tuple[Bundle, TrainingData]):
    bundle, data = made
    report = validate(bundle, split="test", data=data, samples=400)
    for scores in report.scores["reconstruction"]["test"].values():
        assert scores["climatology"]["explained_variance"] == 0
        assert scores["vae"] == pytest.approx(scores["vae_linear_part"], abs=1e-6)
        # Four patterns of unit variance a cell and noise of 0.5: most can be had from six numbers.
        assert scores["vae_minimised"]["explained_variance"] > 0.5
        assert scores["eof"]["explained_variance"] > 0.5
    assert report.scores["nonlinearity"]["test"] < 0.02
    assert report.scores["months"] == {"test": 24}
    assert report.scores["members"] == 2
    latent = report.scores["latent"]["test"]
    assert latent["mean_rms_of_draws"] == pytest.approx(1 / np.sqrt(12))
    assert set(latent["eof"]) >= {"mean_rms", "variance_average"}
    # Rain here is normal and not a normal's square: its ratio is another.
    for name in ("psl", "tos", "tas"):
        assert 0.7 < report.scores["prior_variance_ratio"][name] < 1.3


def test_another_models_data_are_refused(made: tuple[Bundle, TrainingData], tmp_path: Path):
    bundle, _ = made
    config = make_config(tmp_path)
    for other in (
        replace(config, splits=replace(config.splits, test=(1980,))),
        replace(config, data=replace(config.data, power=0.25)),
    ):
        with pytest.raises(ConfigError, match="not those"):
            validate(bundle, split="test", data=load_training_data(other))
    with pytest.raises(ConfigError, match="No month is in the split 'tset'"):
        validate(bundle, split="tset")


def test_scores_of_two_runs_do_not_mix(made: tuple[Bundle, TrainingData], tmp_path: Path):
    bundle, _ = made
    path = tmp_path / "scores.json"

    def report(split: str, members: int, **methods: float) -> Report:
        return Report({"reconstruction": {split: {"psl": methods}}, "members": members})

    write_scores(report("validation", 8, vae=0.5, eof=0.4), bundle, path)
    write_scores(report("test", 8, vae=0.6, eof=0.5), bundle, path)
    found = json.loads(path.read_text())["reconstruction"]
    assert found == {
        "validation": {"psl": {"vae": 0.5, "eof": 0.4}},
        "test": {"psl": {"vae": 0.6, "eof": 0.5}},
    }
    write_scores(report("test", 8, vae=0.7), bundle, path)
    assert json.loads(path.read_text())["reconstruction"]["test"] == {"psl": {"vae": 0.7}}
    write_scores(report("test", 1, vae=0.1), bundle, path)
    assert json.loads(path.read_text())["reconstruction"] == {"test": {"psl": {"vae": 0.1}}}
