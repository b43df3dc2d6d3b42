"""A cycle that is watched day by day."""

import numpy as np
import pytest
from cycled import make_cycled

from mlda_core.bundle.samples import months_of_bundle
from mlda_core.climate.regions import REGIONS, Region
from mlda_core.cycling import followed
from mlda_core.cycling.bundle_case import ENSEMBLE_HALF_WIDTH_KM, case_of, localisation_of
from mlda_core.cycling.cycle import Cycle
from mlda_core.cycling.followed import SCORED, FollowedCycle, shown, shown_spread
from mlda_core.cycling.method import Estimate
from mlda_core.cycling.methods import CYCLED
from mlda_core.cycling.shipped_case import load_trust, shipped_background, shipped_climatology
from mlda_core.evaluation.assimilation import network_of
from mlda_core.forecast.loading import load_forecast

AREAS = (REGIONS["globe"], REGIONS["north"], Region("none", 90, 90, 0, 1))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return make_cycled(tmp_path_factory.mktemp("followed"))


@pytest.fixture(scope="module")
def case(bundle):
    days = months_of_bundle(bundle).in_split("test")
    days = days.where(np.arange(len(days)) < 9)
    climatology = shipped_climatology(bundle)
    places, _ = network_of(bundle, "stations_30", 0)
    return case_of(
        bundle,
        load_forecast(bundle, "grid"),
        days,
        places,
        climatology,
        learnt=shipped_background(bundle, climatology, load_trust(bundle), 30),
        share=0.0,
        localisation=localisation_of(bundle, ENSEMBLE_HALF_WIDTH_KM),
    )


def follow(bundle, case, method="3dvar", **settings):
    free = load_forecast(bundle, "grid")
    return FollowedCycle(bundle, case, case.problem, free, method, AREAS, **settings)


def test_it_is_the_cycle_and_beside_it_the_static_analysis_and_a_free_forecast(bundle, case):
    made = follow(bundle, case)
    days = [made.day(c) for c in range(4)]
    steps = list(Cycle(case.problem, "3dvar").run(3))
    zero = list(Cycle(case.problem, "static").run(3))
    truth = case.days.anomalies[3]
    season = int(case.days.season[3])
    weights = bundle.grid.weights / bundle.grid.weights.sum()
    for name, state in (
        ("background", steps[3].background.mean),
        ("analysis", steps[3].analysis.mean),
        ("static", zero[3].analysis.mean),
    ):
        error = shown(bundle, state, season) - truth
        expected = np.sqrt((weights * error**2).sum(axis=(1, 2)))
        np.testing.assert_allclose(days[3].errors[name][0], expected, rtol=1e-6)
    half = days[3].analysis.astype(float).ravel()
    np.testing.assert_allclose(half, steps[3].analysis.mean, atol=5e-3)
    assert set(days[3].errors) == set(SCORED)
    # The forecast starts from the first analysis, and is not corrected.
    np.testing.assert_allclose(days[0].errors["free"][0], days[0].errors["analysis"][0])
    assert (days[3].errors["free"][0] > days[3].errors["analysis"][0]).all()
    assert np.isnan(days[3].errors["analysis"][2]).all(), "an area without a cell"


@pytest.mark.parametrize("method", ["static", "3dvar"])
def test_it_goes_on_from_a_day_that_was_kept(bundle, case, method):
    made = follow(bundle, case, method)
    days = [made.day(c) for c in range(5)]
    assert made.day(4) is days[4]
    assert made.day(2) is None
    again = follow(bundle, case, method)
    again.resume(days[2].checkpoint)
    for name in SCORED:
        np.testing.assert_allclose(again.day(4).errors[name], days[4].errors[name], rtol=5e-3)


def test_large_checkpoints_are_kept_now_and_then(bundle, case, monkeypatch):
    monkeypatch.setattr(followed, "SMALL", 100)
    made = follow(bundle, case, "letkf", **CYCLED["letkf"].offered)
    days = [made.day(c) for c in range(7)]
    kept = [day.checkpoint is not None for day in days]
    assert kept == [True, False, False, False, False, True, False]
    again = follow(bundle, case, "letkf", **CYCLED["letkf"].offered)
    again.resume(days[5].checkpoint)
    expected = days[6].errors["analysis"][0]
    np.testing.assert_allclose(again.day(6).errors["analysis"][0], expected, rtol=2e-2)


def test_a_spread_is_in_display_units(bundle):
    shape = bundle.mask.shape
    estimate = Estimate(np.zeros(bundle.mask.size), np.ones(bundle.mask.size))
    made = shown_spread(bundle, estimate, 40)
    np.testing.assert_allclose(made, bundle.normaliser.spread[39], rtol=1e-6)
    assert shown_spread(bundle, Estimate(np.zeros(shape)), 40) is None
