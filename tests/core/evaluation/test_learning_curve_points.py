"""Points of a learning curve, and their months."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from climate import make_config

from mlda_core.climate.preprocess import Preprocessor
from mlda_core.evaluation.learning_curve_points import (
    Point,
    choose_points,
    full_fields,
    has_mixed,
    joined,
    read_members,
    restandardised,
    watching_calibration,
    without_validation,
)
from mlda_core.vae.config import ConfigError
from mlda_core.vae.dataset import load_training_data


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return make_config(tmp_path_factory.mktemp("points"))


@pytest.fixture(scope="module")
def config(plain):
    """With a dataset of mixed seas, which choosing points does not read."""
    return replace(plain, data=replace(plain.data, mixed=plain.data.observed, mixed_share=1.0))


@pytest.fixture(scope="module")
def data(plain):
    return load_training_data(plain)


def test_points_are_numbers_of_members_with_and_without_mixed_seas(config):
    assert choose_points(config, ["all", "1", "2"]) == (
        Point((0,), False), Point((0, 1), False), Point((0,), True), Point((0, 1), True),
    )  # fmt: skip
    for wrong in ("0", "3", "-1", "many", ""):
        with pytest.raises(ConfigError, match="is no number of members"):
            choose_points(config, [wrong])


def test_the_shipped_member_comes_first(config):
    members = read_members(config)
    assert members[0] == config.data.shipped_member
    assert Point(members, mixed=True).name == f"members-{len(members)}-mixed"


def test_months_are_restandardised_without_changing_their_fields(data):
    old = data.normaliser
    months = data.observed.in_split("train")
    part = months.where(months.calendar <= 12)
    new = Preprocessor.fit(
        full_fields(part, old)[: len(part) // 2],
        part.calendar[: len(part) // 2],
        old.variables,
        old.grid,
    )
    moved = restandardised(part, old, new)
    np.testing.assert_allclose(full_fields(moved, new), full_fields(part, old), atol=1e-3)
    assert np.abs(moved.x - part.x).max() > 0.05
    again = restandardised(moved, new, old)
    np.testing.assert_allclose(again.x, part.x, atol=5e-3)


def test_no_scored_month_is_trained_on_and_calibration_tells_when_to_stop(data):
    mine = without_validation(data)
    assert set(mine.observed.split) == {"train", "calibration"}
    watching = watching_calibration(mine)
    assert set(watching.observed.split) == {"train", "validation"}
    held = mine.observed.in_split("calibration")
    np.testing.assert_array_equal(watching.observed.in_split("validation").x, held.x)


def test_months_under_mixed_seas_follow_the_others(plain, config, data):
    assert (has_mixed(plain), has_mixed(config)) == (False, True)
    np.testing.assert_array_equal(joined(data).x, data.observed.x)
    mixed = data.observed.where(data.observed.calendar == 3)
    both = joined(replace(data, mixed=mixed))
    assert len(both) == len(data.observed) + len(mixed)
    for name in ("x", "names", "calendar"):
        parts = [getattr(months, name) for months in (data.observed, mixed)]
        np.testing.assert_array_equal(getattr(both, name), np.concatenate(parts))
