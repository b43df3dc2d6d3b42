"""Training, its log, and going on with a run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from climate import make_climate, make_config

from mlda_core.vae.config import ConfigError, ModelConfig
from mlda_core.vae.dataset import TrainingData, load_training_data
from mlda_core.vae.training import build_vae, train, validation_skill


def test_training_improves_resumes_and_repeats(
    config: ModelConfig, data: TrainingData, tmp_path: Path
):
    rows = []
    whole = train(config, data, tmp_path / "whole", report=rows.append)
    assert [r.epoch for r in rows] == [1, 2]
    assert rows[1].reconstruction < rows[0].reconstruction
    log = [json.loads(line) for line in (tmp_path / "whole/log.jsonl").read_text().splitlines()]
    assert log[1]["skill"] == rows[1].skill

    class KilledError(Exception):
        pass

    def kill(progress: object) -> None:
        raise KilledError

    with pytest.raises(KilledError):
        train(config, data, tmp_path / "parts", report=kill)
    parts = train(config, data, tmp_path / "parts")
    for (name, a), b in zip(whole.named_parameters(), parts.parameters(), strict=True):
        assert torch.equal(a, b), name
    validation = data.observed.in_split("validation")
    assert validation_skill(whole, data, validation) == validation_skill(parts, data, validation)


def test_a_run_of_another_model_is_not_continued(
    config: ModelConfig, data: TrainingData, tmp_path: Path
):
    train(config.with_training(epochs=1), data, tmp_path)
    with pytest.raises(ConfigError, match="other settings"):
        train(config.with_training(epochs=1, seed=5), data, tmp_path)


def test_member_mixing_keeps_variance_and_the_shared_sea(tmp_path: Path):
    from mlda_core.vae.training import Sampler

    climate = make_climate(members=5)
    # One sea for all members, as under an observed sea.
    climate["tos"][:] = climate["tos"][0].values
    climate.to_netcdf(tmp_path / "climate.nc", engine="netcdf4")
    config = make_config(tmp_path, member_mixing=True)
    data = load_training_data(config)
    sampler = Sampler(config, data)
    rng = np.random.default_rng(0)
    drawn = np.concatenate([x.numpy() for _ in range(20) for x, _, _ in sampler.batches(rng)])
    air, sea = drawn[:, 2], drawn[:, 1]
    assert air.var() == pytest.approx(data.train.x[:, 2].var(), rel=0.05)
    seas = {x.tobytes() for x in np.round(data.train.x[:, 1], 3)}
    assert {x.tobytes() for x in np.round(sea, 3)} <= seas
    # The air is no member's own.
    own = {x.tobytes() for x in data.train.x[:, 2]}
    kept = np.mean([x.tobytes() in own for x in air])
    assert kept < 0.35  # one in five draws itself as its partner


def test_data_prepared_anew_do_not_continue_a_run(tmp_path: Path):
    config = make_config(tmp_path, epochs=1)
    train(config, load_training_data(config), tmp_path / "run")
    make_climate(seed=9).to_netcdf(tmp_path / "climate.nc", engine="netcdf4")
    with pytest.raises(ConfigError, match="other data"):
        train(config, load_training_data(config), tmp_path / "run")


def test_training_stops_after_its_patience(config: ModelConfig, data: TrainingData, tmp_path: Path):
    rows = []
    patient = config.with_training(epochs=30, patience=2, rate=0.5)
    train(patient, data, tmp_path, report=rows.append)
    best = max(rows, key=lambda row: row.score).epoch
    assert len(rows) == best + 2 < 30


def test_projector_belongs_to_the_stored_patterns(
    config: ModelConfig, data: TrainingData, tmp_path: Path
):
    trained = train(config, data, tmp_path)
    weights = torch.from_numpy(data.normaliser.weights.ravel()).float()
    expected = (trained.decoder.patterns * weights).T
    assert torch.allclose(trained.encoder.projector, expected, atol=1e-6)


def test_library_calls_leave_the_global_generator_alone(config: ModelConfig, data: TrainingData):
    torch.manual_seed(123)
    before = torch.get_rng_state()
    build_vae(config, data)
    assert torch.equal(before, torch.get_rng_state())
