"""Cycles by what a bundle ships."""

import shutil

import numpy as np
import pytest
import xarray as xr

from mlda_core.bundle.bundle import load_bundle
from mlda_core.bundle.samples import months_of_bundle
from mlda_core.climate.errors import BundleError
from mlda_core.cycling.bundle_case import case_of, climatology_of, zones_of
from mlda_core.cycling.cycle import Cycle
from mlda_core.cycling.learnt_background import LearntBackground
from mlda_core.cycling.shipped_case import (
    ForecastTrust,
    load_trust,
    save_trust,
    shipped_background,
    shipped_climatology,
    trust_of,
)
from mlda_core.evaluation.assimilation import network_of
from mlda_core.forecast.loading import load_forecast


@pytest.fixture(scope="module")
def own(daily, tmp_path_factory):
    """A copy of the small bundle of days, to write into."""
    path = tmp_path_factory.mktemp("own") / "daily"
    shutil.copytree(daily[0].path, path)
    return load_bundle(path)


@pytest.fixture(scope="module")
def trust(own):
    """Found for two networks, constant along a latitude."""
    rng = np.random.default_rng(0)
    climatology = climatology_of(own, months_of_bundle(own))
    zones = zones_of(own)
    learnt = {}
    for size in (100, 10):
        factor = rng.uniform(0, 1, zones.max() + 1)[zones]
        learnt[size] = LearntBackground(factor, climatology.covariance.scaled(size / 200))
    return trust_of(own, learnt)


def test_it_is_kept_by_the_bundle(own, trust):
    save_trust(own, trust)
    again = load_trust(own)
    np.testing.assert_array_equal(again.stations, [10, 100])
    np.testing.assert_allclose(again.factor, trust.factor, rtol=1e-6)
    np.testing.assert_allclose(again.spread, trust.spread, rtol=1e-6)


def test_sizes_between_are_interpolated_and_beyond_are_the_nearest(trust):
    for size, at in ((1, 0), (10, 0), (100, 1), (5000, 1)):
        np.testing.assert_allclose(trust.of(size)[0], trust.factor[at], rtol=1e-6)
    between = trust.of(round(10**1.5))[1]
    np.testing.assert_allclose(between, trust.spread.mean(axis=0), rtol=2e-2)
    alone = ForecastTrust(trust.stations[:1], trust.factor[:1], trust.spread[:1])
    np.testing.assert_array_equal(alone.of(50)[0], trust.factor[0])


def test_the_background_has_the_spread_that_was_learnt(own, trust):
    climatology = shipped_climatology(own)
    days = months_of_bundle(own).in_split("validation")
    assert len(climatology.covariance.anomalies) == len(days)
    found = shipped_background(own, climatology, trust, 100)
    shape = own.mask.shape
    np.testing.assert_array_equal(found.factor.reshape(shape)[..., 3], trust.factor[1])
    spread = np.sqrt(found.covariance.variance.reshape(shape).mean(axis=-1))
    np.testing.assert_allclose(spread, trust.spread[1], rtol=1e-6)


def test_a_bundle_without_it_says_how_to_make_it(daily):
    with pytest.raises(BundleError, match="mlda cycle learn"):
        load_trust(daily[0])


@pytest.mark.parametrize("fault", ["cut", "names", "negative"])
def test_damage_is_refused(own, trust, fault):
    path = save_trust(own, trust)
    if fault == "cut":
        path.write_bytes(path.read_bytes()[:300])
    else:
        with xr.open_dataset(path) as found:
            changed = found.load()
        if fault == "names":
            changed["variable"] = [f"x{i}" for i in range(changed.sizes["variable"])]
        else:
            changed["forecast_spread"][0, 0, 0] = -1.0
        changed.to_netcdf(path)
    with pytest.raises(BundleError, match="copy the bundle again"):
        load_trust(own)


@pytest.mark.slow
def test_the_bundle_that_ships_is_cycled_better_than_without_memory(repo_root):
    bundle = load_bundle(repo_root / "assets/bundles/daily")
    climatology, trust = shipped_climatology(bundle), load_trust(bundle)
    days = months_of_bundle(bundle).in_split("test")
    days = days.where(np.arange(len(days)) < 16)
    places, _ = network_of(bundle, "stations_100", 0)
    case = case_of(
        bundle,
        load_forecast(bundle),
        days,
        places,
        climatology,
        learnt=shipped_background(bundle, climatology, trust, 100),
        share=0.0,
    )
    truth = case.days.x.reshape(len(days), -1)
    errors = {
        method: np.mean(
            [(s.analysis.mean - truth[s.cycle]) ** 2 for s in Cycle(case.problem, method).run()][5:]
        )
        for method in ("static", "3dvar")
    }
    assert errors["3dvar"] < errors["static"] < np.mean(truth[5:] ** 2)
