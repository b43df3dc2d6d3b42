"""Codes of months, on which priors are trained."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlda_core.bundle.codes import BATCH, codes_for_priors, codes_of
from mlda_core.vae.config import ConfigError


def test_months_are_encoded_in_their_order_batch_by_batch(made):
    bundle, _, data = made
    months, seen = data.observed, []
    assert len(months) > BATCH
    codes = codes_of(bundle, months, tick=lambda *told: seen.append(told))
    mean, sd = bundle.encode_standardised(months.x, months.calendar)
    np.testing.assert_allclose(codes.mean, mean, atol=1e-5)
    np.testing.assert_allclose(codes.sd, sd, rtol=1e-4)
    assert codes.mean.std() > 0
    np.testing.assert_array_equal(codes.calendar, months.calendar)
    assert not codes.mixed.any()
    assert codes_of(bundle, months, mixed=True).mixed.all()
    n = len(months)
    assert [told[1:] for told in seen] == [(min(i + BATCH, n), n) for i in range(0, n, BATCH)]


def test_a_prior_is_trained_on_training_months_and_stopped_by_calibration(made):
    bundle, _, data = made
    train, held_out = codes_for_priors(bundle, data)
    for codes, split in ((train, "train"), (held_out, "calibration")):
        expected = codes_of(bundle, data.observed.in_split(split))
        np.testing.assert_array_equal(codes.mean, expected.mean)
        np.testing.assert_array_equal(codes.calendar, expected.calendar)
        assert len(codes)


def test_months_under_mixed_seas_are_marked_and_hold_nothing_out(made):
    bundle, _, data = made
    mixed = data.observed.where(np.arange(len(data.observed)) < 7)
    train, held_out = codes_for_priors(bundle, replace(data, mixed=mixed))
    assert len(train) == len(data.train) + 7
    assert train.mixed.sum() == 7
    np.testing.assert_array_equal(train.where(train.mixed).mean, codes_of(bundle, mixed).mean)
    assert not held_out.mixed.any()


def test_without_months_of_calibration_the_setting_is_asked_for(made):
    bundle, _, data = made
    observed = data.observed.where(data.observed.split != "calibration")
    with pytest.raises(ConfigError, match=r"give splits\.calibration a year"):
        codes_for_priors(bundle, replace(data, observed=observed))
