"""A run of training becomes a bundle."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from climate import make_config

from mlda_core.bundle.bundle import Bundle, load_bundle
from mlda_core.bundle.export import export_bundle, history
from mlda_core.bundle.files import MONTH_STEP
from mlda_core.vae.config import ConfigError
from mlda_core.vae.dataset import TrainingData
from mlda_core.vae.training import VAE


def test_shipped_months_may_be_stored_in_coarser_steps(
    made: tuple[Bundle, VAE, TrainingData], tmp_path: Path
):
    bundle, vae, data = made
    config = make_config(tmp_path)
    coarse = replace(config, data=replace(config.data, month_step=0.4))
    export_bundle(vae, coarse, data, tmp_path / "coarse", provenance={"test": True})
    again = load_bundle(tmp_path / "coarse")
    assert again.config["data"]["month_step"] == 0.4
    sizes = [(b.path / "months.nc").stat().st_size for b in (again, bundle)]
    assert sizes[0] < 0.8 * sizes[1]
    for name in ("1979-01", "1982-07"):
        fine = bundle.target_standardised(name)
        error = np.nanmax(np.abs(again.target_standardised(name) - fine))
        assert 0.1 < error <= 0.5 * (0.4 + MONTH_STEP) + 1e-4
    with pytest.raises(ConfigError, match=r"month_step is 0; it must be above 0 and at most 0\.5"):
        replace(config, data=replace(config.data, month_step=0))


def test_a_bundle_written_over_another_drops_its_scores(made, tmp_path: Path):
    _, vae, data = made
    config = make_config(tmp_path)
    export_bundle(vae, config, data, tmp_path / "made", provenance={})
    (tmp_path / "made" / "scores.json").write_text('{"months": {"test": 24}}')
    assert load_bundle(tmp_path / "made").scores["months"] == {"test": 24}
    export_bundle(vae, config, data, tmp_path / "made", provenance={})
    assert load_bundle(tmp_path / "made").scores == {}


def test_a_member_that_is_not_there_is_not_shipped(made, tmp_path: Path):
    _, vae, data = made
    config = make_config(tmp_path)
    other = replace(config, data=replace(config.data, shipped_member=7))
    with pytest.raises(ConfigError, match="no member 7 to ship; set "):
        export_bundle(vae, other, data, tmp_path / "made", provenance={})
    assert not (tmp_path / "made").exists()


def test_history_counts_an_epoch_once(made, tmp_path: Path):
    """A run killed between its log and its checkpoint, and another within a line of the log."""

    def line(epoch: int, score: float) -> str:
        return json.dumps({"epoch": epoch, "skill": {"psl": score}, "seconds": 5, "score": score})

    lines = [line(1, 0.1), line(2, 0.9), line(2, 0.2), line(3, 0.3)[:30] + line(3, 0.4)]
    (tmp_path / "log.jsonl").write_text("\n".join(lines) + "\n" + line(4, 0.9)[:20])
    found = history(tmp_path, made[2])
    assert (found["epochs"], found["best_epoch"], found["training_seconds"]) == (3, 3, 15)
    assert found["validation_explained_variance"] == {"psl": 0.4}
    with pytest.raises(ConfigError, match="no finished epoch"):
        history(tmp_path / "absent", made[2])
