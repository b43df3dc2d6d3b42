"""The latent space of a small bundle of days."""

from dataclasses import replace

import numpy as np
import pytest

from mlda_core.climate.errors import UserError
from mlda_core.cycling.bundle_case import case_of, climatology_of
from mlda_core.cycling.cycle import Cycle
from mlda_core.cycling.latent_case import latent_space_of
from mlda_core.forecast.models import forecast_of


@pytest.fixture(scope="module")
def parts(daily, tmp_path_factory):
    """The bundle, its linear forecast, its latent space, and a problem of twelve days."""
    bundle, data = daily
    kind = forecast_of("koopman")
    made = kind.train(bundle, data, tmp_path_factory.mktemp("koopman"), seed=0)
    forecast = kind.build(bundle, made.tensors, made.shape)
    space = latent_space_of(bundle, forecast, data.train, most=200)
    days = data.observed.in_split("test")
    days = days.where(np.arange(len(days)) < 12)
    rng = np.random.default_rng(0)
    lat, lon = rng.uniform(-60, 60, 60), rng.uniform(0, 360, 60)
    places = bundle.operator.locate(np.repeat([0, 1], 30), lat, lon)
    case = case_of(bundle, forecast, days, places, climatology_of(bundle, data.train, most=100))
    return bundle, data, space, replace(case, problem=replace(case.problem, latent=space))


def test_the_rest_is_what_the_codes_leave_out(parts):
    bundle, data, space, _ = parts
    assert len(space.rest.anomalies) == 200
    whole = (data.train.x**2).mean()
    assert 0 < space.rest.variance.mean() < 0.9 * whole
    assert space.damping.shape == (bundle.mask.size,)


def test_a_forecast_that_is_not_linear_is_refused(parts):
    bundle, data, _, _ = parts
    other = forecast_of("persistence").build(bundle, {}, {})
    with pytest.raises(UserError, match="give 'koopman'"):
        latent_space_of(bundle, other, data.train)


@pytest.mark.parametrize(
    ("method", "settings"),
    [("enkf_latent", {"members": 30}), ("pf_optimal_latent", {"particles": 100})],
)
def test_filters_of_codes_come_nearer_to_the_truth_than_climatology(parts, method, settings):
    case = parts[3]
    steps = list(Cycle(case.problem, method, **settings).run())
    truth = case.days.x.reshape(len(case.days), -1)
    error = np.mean([(s.analysis.mean - truth[s.cycle]) ** 2 for s in steps[2:]])
    assert error < 0.75 * np.mean(truth[2:] ** 2)
    assert all(np.mean(s.analysis.sd**2) < np.mean(s.background.sd**2) for s in steps[2:])
