"""Persistence keeps the anomaly."""

import torch

from mlda_core.forecast.models.persistence import FORECAST


def test_an_anomaly_stays(daily):
    made = FORECAST.build(daily[0], {}, {})
    x = torch.randn(3, made.size)
    assert torch.equal(made.step(x, "1984-02-29"), x)
    assert made.name == "persistence"
