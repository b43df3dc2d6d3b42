"""Model and decoder timed."""

from __future__ import annotations

import json

import pytest
from simulated import Calendar

from mlda_core.simulate.bench import FORTRAN_SECONDS_A_YEAR, measure


def test_model_and_decoder_are_timed_in_turn_by_the_month():
    calls = []

    class Bundle:
        n_latent = 4

        def decode_anomalies(self, z, _month):
            calls.append(z.shape)

    model = Calendar("2001-01-01")
    model.rest(0)
    model.day = lambda _: calls.append("day")
    found = measure(Bundle(), model, None, days=3, rounds=2, batch=7)
    # One day to compile, then in each round days, one batch that does not count, months, a batch.
    one = ["day"] * 3 + [(7, 4)] + [(4,)] * 7 + [(7, 4)]
    assert calls == ["day", *one, *one]
    for name in ("gcm", "single", "batch"):
        part = found[name]
        assert 0 < part["least"] <= part["seconds_a_month"] <= part["most"]
        assert part["months_a_second"] == pytest.approx(1 / part["seconds_a_month"])
    assert found["gcm"]["rounds"] == 2
    assert found["batch"]["rounds"] == 2
    ratio = found["ratio"]
    expected = found["gcm"]["seconds_a_month"] / found["batch"]["seconds_a_month"]
    assert ratio["batch"] == pytest.approx(expected)
    assert ratio["fortran"] * ratio["batch_to_fortran"] == pytest.approx(ratio["batch"])
    assert found["fortran_months_a_second"] == pytest.approx(12 / FORTRAN_SECONDS_A_YEAR)
    json.dumps(found, allow_nan=False)
