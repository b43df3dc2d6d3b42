"""Forecast models kept in a bundle."""

import json
import shutil

import numpy as np
import pytest
import torch

from mlda_core.bundle.bundle import load_bundle
from mlda_core.bundle.writing import add_forecast
from mlda_core.climate.errors import BundleError
from mlda_core.forecast.kind import ForecastError
from mlda_core.forecast.loading import forecasts_of, load_forecast
from mlda_core.forecast.models import FORECASTS

UNTRAINED = ("persistence", "climatology")


@pytest.fixture(scope="module")
def kept(daily, tmp_path_factory):
    """A copy of the bundle with a linear model."""
    bundle, data = daily
    folder = tmp_path_factory.mktemp("kept") / "made"
    shutil.copytree(bundle.path, folder)
    own = load_bundle(folder)
    made = FORECASTS["koopman"].train(own, data, folder, seed=0)
    add_forecast(own, "koopman", made.tensors, made.shape, made.provenance)
    return load_bundle(folder)


def test_a_bundle_has_what_it_was_trained_and_what_needs_no_training(daily, kept):
    assert forecasts_of(daily[0]) == UNTRAINED
    assert forecasts_of(kept) == ("koopman", *UNTRAINED)
    assert kept.config["forecasts"]["koopman"]["validation_explained_variance"] > 0.3


def test_a_kept_model_steps_states(kept):
    made = load_forecast(kept, "koopman")
    x = np.nan_to_num(kept.target_standardised("1984-05-10"))
    after = made.step(torch.from_numpy(x.ravel()[None]), "1984-05-10")[0].numpy().reshape(x.shape)
    truth = np.nan_to_num(kept.target_standardised("1984-05-11"))
    assert ((after - truth) ** 2).mean() < 0.6 * (truth**2).mean()


def test_what_is_not_there_or_damaged_is_refused(daily, kept, tmp_path):
    with pytest.raises(BundleError, match="has no grid forecast; train it with"):
        load_forecast(daily[0], "grid")
    with pytest.raises(ForecastError, match="There is no forecast 'oracle'; use one of grid"):
        load_forecast(kept, "oracle")
    folder = tmp_path / "made"
    shutil.copytree(kept.path, folder)
    (folder / "forecast-koopman.safetensors").write_bytes(b"nonsense")
    with pytest.raises(BundleError, match=r"forecast-koopman\.safetensors is damaged"):
        load_bundle(folder)
    config = json.loads((folder / "config.json").read_text())
    config["forecasts"]["koopman"] = 7
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(BundleError, match="has no 'forecasts' that can be used"):
        load_bundle(folder)
    shutil.rmtree(folder)
    shutil.copytree(kept.path, folder)
    own = load_bundle(folder)
    add_forecast(own, "koopman", {"matrix": torch.zeros(3, 3)}, {}, {})
    with pytest.raises(BundleError, match="holds a koopman forecast that does not fit"):
        load_forecast(load_bundle(folder), "koopman")


def test_a_forecast_that_is_too_large_is_not_kept(kept, tmp_path):
    folder = tmp_path / "made"
    shutil.copytree(kept.path, folder)
    with pytest.raises(BundleError, match="takes more than 8000 kB"):
        add_forecast(load_bundle(folder), "grid", {"x": torch.zeros(2_100_000)}, {}, {})
    assert not (folder / "forecast-grid.safetensors").exists()
