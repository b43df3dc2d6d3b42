"""Learnt models of background errors: their training, and their file."""

from dataclasses import replace

import numpy as np
import pytest
from days import make_config

from mlda_core.climate.errors import UserError
from mlda_core.cycling.bundle_case import zones_of
from mlda_core.cycling.error_training import (
    ErrorModels,
    NetworkErrors,
    error_data,
    load_error_models,
    save_error_models,
    train_error_model,
)


@pytest.fixture(scope="module")
def found(daily):
    """Errors of two sizes of network: half and a quarter of the states of the days."""
    bundle, data = daily
    past, held = data.train, data.observed.in_split("validation")
    flat = [days.x.reshape(len(days), -1) for days in (past, held)]
    return {
        size: NetworkErrors(
            size,
            np.full(bundle.mask.size, 0.9),
            (part * flat[0]).astype(np.float32),
            past,
            (part * flat[1]).astype(np.float32),
            held,
        )
        for size, part in ((10, 0.5), (40, 0.25))
    }


@pytest.fixture(scope="module")
def models(daily, found, tmp_path_factory):
    bundle, data = daily
    folder = tmp_path_factory.mktemp("errors")
    return train_error_model(bundle, make_config(bundle.path.parent), data, found, folder)


def test_errors_of_all_sizes_are_in_units_of_their_spread(daily, found):
    bundle, data = daily
    made = error_data(bundle, data, found)
    held = made.observed.in_split("validation")
    assert len(held) == 2 * len(found[10].held)
    half = len(held) // 2
    np.testing.assert_allclose(held.x[:half], held.x[half:], rtol=1e-4, atol=1e-5)
    square = np.square(held.x[:half].reshape(half, -1), dtype=np.float64).mean(axis=0)
    zones = zones_of(bundle)
    mean = np.bincount(zones, square) / np.bincount(zones)
    np.testing.assert_allclose(mean, 1.0, rtol=1e-4)


@pytest.mark.slow
def test_codes_and_rest_together_are_as_large_as_the_errors(daily, found, models):
    bundle, _ = daily
    for size, one in found.items():
        model = models.of(bundle, size)
        np.testing.assert_allclose(model.factor, one.factor)
        slope = np.mean([np.square(model.slope(m)).sum(axis=0) for m in range(1, 13)], axis=0)
        made = (slope + model.rest.variance).mean()
        assert made == pytest.approx(np.square(one.held).mean(), rel=0.25)
        # Codes tell a part that is theirs.
        assert model.rest.variance.mean() < 0.9 * made
    spreads = [models.of(bundle, size).spread.mean() for size in (10, 20, 40)]
    assert spreads[0] > spreads[1] > spreads[2]


@pytest.mark.slow
def test_what_is_written_is_read_again(daily, models, tmp_path):
    bundle, _ = daily
    path = tmp_path / "models.safetensors"
    save_error_models(path, models)
    read = load_error_models(path, bundle)
    one, other = models.of(bundle, 10), read.of(bundle, 10)
    np.testing.assert_allclose(other.spread, one.spread, rtol=1e-6)
    np.testing.assert_allclose(other.rest.variance.mean(), one.rest.variance.mean(), rtol=1e-2)
    close = np.abs(other.slope(3) - one.slope(3)).max() / np.abs(one.slope(3)).max()
    assert close < 0.03


def test_files_of_other_states_are_refused(daily, models, tmp_path):
    bundle, _ = daily
    path = tmp_path / "models.safetensors"
    wrong: ErrorModels = replace(models, months=models.months + 12)
    save_error_models(path, wrong)
    with pytest.raises(UserError, match="is not of the states"):
        load_error_models(path, bundle)
    path.write_bytes(b"nothing")
    with pytest.raises(UserError, match="mlda cycle train"):
        load_error_models(path, bundle)
