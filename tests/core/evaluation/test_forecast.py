"""Scores of forecasts by lead."""

import numpy as np
import pytest
import torch

from mlda_core.evaluation import forecast
from mlda_core.evaluation.forecast import forecast_from, score_forecasts
from mlda_core.forecast.models.climatology import FORECAST
from mlda_core.vae.config import ConfigError


class Waves:
    """The truth of the made-up days without their noise, whose size follows the season."""

    name, model_error = "waves", None

    def __init__(self, bundle):
        self.shape, self.size = bundle.mask.shape, bundle.mask.size

    def step(self, states, time):
        del time
        return 0.9 * states.view(-1, *self.shape).roll(1, -1).flatten(1)


@pytest.fixture(scope="module")
def scored(daily):
    bundle, data = daily
    months = data.observed.in_split("validation")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forecast, "load_forecast", lambda bundle, key: MODELS[key](bundle))
        return score_forecasts(bundle, months, models=["waves", "climatology"], leads=6, every=5)


MODELS = {
    "waves": Waves,
    "climatology": lambda bundle: FORECAST.build(bundle, {}, {}),
}


def test_explained_variance_falls_with_the_lead_as_it_should(scored):
    for name in ("psl", "tas"):
        skill = scored["waves"][name]["explained_variance"]
        # The anomaly that is left after k days: 0.9 to the power 2 k of the variance.
        np.testing.assert_allclose(skill, 0.81 ** np.arange(1, 7), atol=0.12)
        assert all(np.diff(skill) < 0)
        correlation = scored["waves"][name]["anomaly_correlation"]
        np.testing.assert_allclose(correlation, np.sqrt(np.maximum(skill, 0)), atol=0.08)


def test_climatology_explains_nothing_and_correlates_with_nothing(scored):
    assert scored["climatology"]["tas"]["explained_variance"] == pytest.approx([0.0] * 6)
    assert scored["climatology"]["tas"]["anomaly_correlation"] == [None] * 6
    assert "long_run" not in scored["climatology"]


def test_spectra_and_long_runs_say_what_is_lost(scored):
    spectrum = scored["waves"]["spectrum"]
    assert set(spectrum) == {"1", "5"}
    # 0.9 squared, and to the tenth.
    assert np.mean(spectrum["1"]["tas"][:3]) == pytest.approx(0.81, abs=0.08)
    assert np.mean(spectrum["5"]["tas"][:3]) == pytest.approx(0.35, abs=0.1)
    assert scored["waves"]["long_run"]["tas"]["variance_ratio"] < 0.01
    assert abs(scored["waves"]["long_run"]["tas"]["mean"]) < 0.01


def test_states_of_different_days_are_stepped_from_their_own(daily):
    bundle, _ = daily

    class Told(Waves):
        def step(self, states, time):
            return states + float(str(time)[-2:])

    x = np.zeros((3, *bundle.mask.shape), np.float32)
    days = np.array(["1984-01-03", "1984-01-01", "1984-01-03"], "datetime64[D]")
    found = forecast_from(bundle, Told(bundle), x, days)
    assert found[:, 0, 0, 0].tolist() == [3.0, 1.0, 3.0]
    assert not torch.is_grad_enabled() or found.dtype == np.float32


def test_too_few_days_in_a_row_are_refused(daily):
    bundle, data = daily
    few = data.observed.where(np.arange(len(data.observed)) < 5)
    with pytest.raises(ConfigError, match="No 11 days of the split follow one another"):
        score_forecasts(bundle, few, models=["persistence"])
