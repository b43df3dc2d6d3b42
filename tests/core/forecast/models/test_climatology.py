"""Climatology has no anomaly."""

import torch

from mlda_core.forecast.models.climatology import FORECAST


def test_an_anomaly_goes(daily):
    made = FORECAST.build(daily[0], {}, {})
    assert not made.step(torch.randn(3, made.size), "1984-02-29").any()
    assert made.name == "climatology"
