"""Training of the grid forecast."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mlda_core.climate.seasons import DAILY, MONTHLY
from mlda_core.forecast.grid_network import GridNetworkConfig
from mlda_core.forecast.grid_training import (
    GridTraining,
    runs_of,
    season_features,
    step_skill,
    train_grid,
)
from mlda_core.vae.config import ConfigError

SHAPE = GridNetworkConfig(width=8, depth=1, position_channels=2)
SETTINGS = GridTraining(epochs=2, rollout_epochs=1, rollout_steps=2, batch=16, rate=5e-3)


@pytest.fixture(scope="module")
def trained(daily, tmp_path_factory):
    _, data = daily
    run, seen = tmp_path_factory.mktemp("grid"), []
    network = train_grid(data, run, shape=SHAPE, settings=SETTINGS, report=seen.append)
    return network, data, run, seen


def test_rows_are_those_that_steps_of_one_member_follow(daily):
    _, data = daily
    train = data.train
    # Without a day, and with another member from 1982 on; December 1982 is a gap.
    chosen = train.where(train.names != "1981-06-15")
    moved = replace(chosen, member=(chosen.names >= "1982-01-01").astype(int))
    rows = runs_of(moved, DAILY, 2)
    starts = set(moved.names[rows])
    for absent in ("1981-06-13", "1981-06-14", "1981-12-30", "1981-12-31", "1982-11-29"):
        assert absent not in starts
    assert {"1981-06-12", "1981-06-16", "1981-12-29", "1982-01-01", "1982-11-28"} <= starts
    assert not runs_of(moved.where(np.arange(len(moved)) < 2), DAILY, 2).size


def test_features_are_a_circle_of_the_year():
    found = season_features(DAILY, np.array([1, 366]), 1).numpy()
    np.testing.assert_allclose(found[0], found[1], atol=0.02)
    assert season_features(MONTHLY, np.arange(1, 13), 2).shape == (12, 5)


@pytest.mark.slow
def test_it_learns_that_waves_move(trained):
    network, data, _, seen = trained
    held = data.observed.in_split("validation")
    skill = step_skill(network, data, held)
    # Persistence of these waves is worse than climatology; 0.9 squared is the best there is.
    assert all(0.35 < s < 0.82 for s in skill.values()), skill
    assert [p.epoch for p in seen] == [1, 2, 3]
    assert seen[1].loss < seen[0].loss


def test_a_run_that_is_over_gives_the_same_network(trained):
    network, data, run, _ = trained
    again = train_grid(data, run, shape=SHAPE, settings=SETTINGS)
    for mine, theirs in zip(network.parameters(), again.parameters(), strict=True):
        np.testing.assert_array_equal(mine.detach().numpy(), theirs.detach().numpy())


def test_a_killed_run_goes_on_and_gives_the_same_bits(trained, tmp_path):
    network, data, _, _ = trained

    class KilledError(Exception):
        pass

    def report(progress):
        if progress.epoch == 2:
            raise KilledError

    with pytest.raises(KilledError):
        train_grid(data, tmp_path, shape=SHAPE, settings=SETTINGS, report=report)
    again = train_grid(data, tmp_path, shape=SHAPE, settings=SETTINGS)
    for mine, theirs in zip(network.parameters(), again.parameters(), strict=True):
        np.testing.assert_array_equal(mine.detach().numpy(), theirs.detach().numpy())
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2, 3]


def test_another_run_s_folder_and_data_with_gaps_are_refused(trained, tmp_path):
    _, data, run, _ = trained
    with pytest.raises(ConfigError, match="holds a run with other settings or data"):
        train_grid(data, run, shape=SHAPE, settings=replace(SETTINGS, seed=1))
    thin = replace(data, observed=data.observed.where(np.arange(len(data.observed)) % 3 != 0))
    with pytest.raises(ConfigError, match="days do not follow one another"):
        train_grid(thin, tmp_path, shape=SHAPE, settings=SETTINGS)
