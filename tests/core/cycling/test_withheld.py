"""Networks that change while a cycle runs."""

import numpy as np
import pytest

from mlda_core.bundle.samples import months_of_bundle
from mlda_core.climate.regions import Region, inside
from mlda_core.cycling.bundle_case import case_of, climatology_of
from mlda_core.cycling.withheld import with_changes
from mlda_core.evaluation.assimilation import network_of
from mlda_core.forecast.loading import load_forecast

EUROPE = Region("Europe", 35, 72, 348, 45)
NORTH = Region("North", 0, 90, 0, 360)
GLOBE = Region("Globe", -90, 90, 0, 360)


@pytest.fixture(scope="module")
def case(daily):
    bundle = daily[0]
    days = months_of_bundle(bundle).in_split("test")
    days = days.where(np.arange(len(days)) < 6)
    climatology = climatology_of(bundle, days)
    places, _ = network_of(bundle, "stations_60", 0)
    return case_of(bundle, load_forecast(bundle, "persistence"), days, places, climatology)


def test_a_region_may_cross_greenwich_and_go_round(case):
    places = case.places
    found = inside(EUROPE, places.lat, places.lon)
    lon = (places.lon + 180) % 360 - 180
    expected = (places.lat >= 35) & (places.lat <= 72) & (lon >= -12) & (lon <= 45)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(inside(NORTH, places.lat, places.lon), places.lat >= 0)


def test_what_is_withheld_is_gone_from_a_day_to_the_next_change(daily, case):
    problem = with_changes(daily[0], case, [(2, NORTH), (4, None), (5, GLOBE)])
    whole = case.problem.observations
    for cycle in (0, 1, 4):
        assert problem.observations[cycle] is whole[cycle]
    kept = case.places.lat < 0
    for cycle in (2, 3):
        np.testing.assert_array_equal(problem.observations[cycle].values, whole[cycle].values[kept])
        state = np.random.default_rng(0).standard_normal((1, case.problem.dynamics.size))
        np.testing.assert_allclose(
            problem.observations[cycle].operator.observe(state)[0],
            whole[cycle].operator.observe(state)[0, kept],
        )
    assert problem.observations[2].operator is problem.observations[3].operator
    assert problem.observations[5] is None
    assert with_changes(daily[0], case, []).observations == list(whole)
