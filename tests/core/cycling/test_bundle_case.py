"""Cycled problems of a bundle's own days."""

import numpy as np
import pytest

from mlda_core.climate.errors import UserError
from mlda_core.climate.sphere import EARTH_RADIUS_KM
from mlda_core.cycling.bundle_case import (
    case_of,
    climatology_of,
    localisation_of,
    operator_of,
)
from mlda_core.cycling.cycle import Cycle
from mlda_core.forecast.models import forecast_of


@pytest.fixture(scope="module")
def parts(daily):
    """The bundle, some days of its TEST year, twelve places, and the climatology."""
    bundle, data = daily
    days = data.observed.in_split("test")
    days = days.where(np.arange(len(days)) < 12)
    rng = np.random.default_rng(0)
    which = np.repeat([0, 1], 6)
    lat, lon = np.tile(rng.uniform(-60, 60, 6), 2), np.tile(rng.uniform(0, 360, 6), 2)
    places = bundle.operator.locate(which, lat, lon)
    return bundle, days, places, climatology_of(bundle, data.train, 6000.0, most=400)


def persistence(bundle):
    return forecast_of("persistence").build(bundle, {}, {})


def test_the_operator_interpolates_as_the_bundle_s(parts):
    bundle, days, places, _ = parts
    operator = operator_of(bundle, places)
    x = days.x[3:5].astype(np.float64)
    wanted = bundle.operator.apply(places, x)
    np.testing.assert_allclose(operator.observe(x.reshape(2, -1)), wanted, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(operator.places, axis=1), 1.0)
    # The two variables of a station are at one place.
    np.testing.assert_allclose(operator.places[:6], operator.places[6:])


def test_distances_are_those_of_the_sphere_and_all_variables_share_a_group(parts):
    bundle, _, places, _ = parts
    local = localisation_of(bundle, 3000.0)
    cells = bundle.mask[0].size
    assert local.groups[5] == local.groups[cells + 5]
    quarter = local.distance(np.eye(3)[:1], np.eye(3)[1:2])[0, 0]
    assert quarter == pytest.approx(np.pi / 2 * EARTH_RADIUS_KM)
    weights = local.weights(operator_of(bundle, places))
    assert weights.shape == (cells, len(places))
    assert weights.max() <= 1.0
    assert (weights == 0).any()


def test_the_climatology_is_about_no_anomaly(parts, daily):
    bundle, _, _, climatology = parts
    train = daily[1].train
    assert not climatology.mean.any()
    wanted = (train.x.reshape(len(train), -1) ** 2).mean(axis=0)
    assert np.median(climatology.covariance.variance / wanted) == pytest.approx(1.0, abs=0.1)
    assert len(climatology.covariance.anomalies) == 400
    assert climatology.covariance.size == bundle.mask.size


def test_days_are_observed_with_noise_that_is_each_day_s_own(parts):
    bundle, days, places, climatology = parts
    case = case_of(bundle, persistence(bundle), days, places, climatology, seed=3)
    again = case_of(
        bundle, persistence(bundle), days, places, climatology, seed=3, observed_every=3
    )
    seen = [i for i, o in enumerate(again.problem.observations) if o is not None]
    assert seen == [0, 3, 6, 9]
    for i in seen:
        np.testing.assert_array_equal(
            case.problem.observations[i].values, again.problem.observations[i].values
        )
    clean = operator_of(bundle, places).observe(days.x.reshape(len(days), -1).astype(float))
    noise = np.stack([o.values for o in case.problem.observations]) - clean
    assert noise.std() == pytest.approx(0.2, rel=0.15)
    assert str(case.problem.time(2)) == days.names[2]


def test_static_explains_what_is_near_the_stations(parts):
    bundle, days, places, climatology = parts
    case = case_of(bundle, persistence(bundle), days, places, climatology)
    for step in Cycle(case.problem, "static").run():
        truth = days.x[step.cycle].ravel().astype(float)
        at = case.problem.observations[0].operator
        before = at.observe(truth[None])[0]
        after = before - at.observe(step.analysis.mean[None])[0]
        assert (after**2).mean() < 0.2 * (before**2).mean()
        assert ((step.analysis.mean - truth) ** 2).mean() < (truth**2).mean()
        assert not step.background.mean.any()


def test_days_with_a_gap_are_refused(parts):
    bundle, days, places, climatology = parts
    gap = days.where(np.arange(len(days)) != 5)
    with pytest.raises(UserError, match="The days do not follow one another"):
        case_of(bundle, persistence(bundle), gap, places, climatology)
