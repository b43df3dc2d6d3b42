"""Statistics of assimilation, estimated from a model and its data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from climate import make_config
from small import make_bare

from mlda_core.assimilation.calibrate import calibrate, encode_all, estimate
from mlda_core.bundle.statistics import TunedParameters
from mlda_core.vae.config import ConfigError
from mlda_core.vae.dataset import load_training_data


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bare")
    return make_bare(folder), load_training_data(make_config(folder))


def test_coefficients_patterns_and_leftover_hold_the_months_variance(bare):
    bundle, data = bare
    told = []
    made = estimate(
        bundle, data, TunedParameters(), patterns=30, tick=lambda *step: told.append(step)
    )
    own = bundle.decoder.patterns.numpy()
    assert len(own) < len(made.patterns) <= 30
    np.testing.assert_array_equal(made.patterns[: len(own)], own)
    held = data.observed.in_split("validation", "calibration")
    assert len(made.held) == len(made.held_residual) == len(held)
    # Months less what the patterns express: the leftover is their mean square.
    x = held.x.reshape(len(held), -1)
    left = ((x - made.coefficients[made.held] @ made.patterns) ** 2).mean(axis=0)
    np.testing.assert_allclose(made.leftover, left, rtol=1e-3, atol=1e-5)
    fewer = estimate(bundle, data, TunedParameters(), patterns=len(own))
    weights = data.normaliser.weights.ravel()
    assert weights @ made.leftover < 0.95 * weights @ fewer.leftover
    assert told[-1][1:] == (4, 4)
    assert made.sea is None, "this bundle has no sea network"


def test_many_months_are_encoded_in_parts(bare):
    bundle, data = bare
    months = data.observed
    codes = encode_all(bundle, months.x, months.calendar)
    assert codes.shape == (len(months), bundle.n_latent)
    for i in (0, 95, 96, len(months) - 1):
        alone, _ = bundle.encode_standardised(months.x[i : i + 1], months.calendar[i : i + 1])
        np.testing.assert_allclose(codes[i], alone[0], atol=1e-4)


def test_what_is_held_out_must_be_there_and_the_data_the_models(bare, tmp_path):
    bundle, data = bare
    with pytest.raises(ConfigError, match="in the splits tset; hold some years out of training"):
        calibrate(bundle, data, TunedParameters(), held=("tset",))
    config = make_config(tmp_path)
    other = replace(config, splits=replace(config.splits, test=(1980,)))
    with pytest.raises(ConfigError, match="not those"):
        calibrate(bundle, load_training_data(other), TunedParameters())
