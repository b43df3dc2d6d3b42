"""Kinds of forecast models: metadata, and what needs no training."""

import numpy as np
import pytest
import torch

from mlda_core.forecast.kind import ForecastError
from mlda_core.forecast.models import FORECASTS, TRAINED, forecast_of


def test_every_kind_says_what_it_is():
    assert TRAINED == ("grid", "koopman", "latent")
    for key, kind in FORECASTS.items():
        assert key == kind.key
        assert min(map(len, (kind.label, kind.sentence, kind.source))) > 5
        assert not kind.sentence.endswith(".")


@pytest.mark.parametrize(("key", "factor"), [("persistence", 1.0), ("climatology", 0.0)])
def test_persistence_and_climatology_need_no_training(daily, key, factor, tmp_path):
    bundle, data = daily
    kind = forecast_of(key)
    with pytest.raises(ForecastError, match=f"'{key}' has nothing to be trained"):
        kind.train(bundle, data, tmp_path, seed=0)
    made = kind.build(bundle, {}, {})
    x = torch.randn(2, made.size)
    np.testing.assert_allclose(made.step(x, "1984-01-01"), factor * x)
    assert made.model_error is None
