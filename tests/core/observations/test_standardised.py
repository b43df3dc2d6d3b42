"""Observations in the networks' space, and which of too many are used."""

from dataclasses import replace

import numpy as np
import pytest
from kind_posteriors import REPORTS, rows

from mlda_core.climate.interpolation import ObservationError
from mlda_core.climate.sphere import unit_vectors
from mlda_core.observations.networks import NetworkSpec, places, synthesise
from mlda_core.observations.standardised import (
    LEAST_ERROR,
    count_places,
    cover,
    standardise,
    thin,
    thin_observed,
)
from mlda_core.observations.table import observation_table


def table(variable, lat, lon, value, error=1.0):
    n = len(lat)
    return observation_table(
        {"variable": [variable] * n, "lat": lat, "lon": lon, "value": value,
         "error_sd": [error] * n, "withheld": [False] * n, "label": [""] * n}
    )  # fmt: skip


def test_an_observation_equal_to_a_state_is_that_state_at_its_place(bundle):
    """Rain too, whose transform is no straight line."""
    where = places(NetworkSpec("stations", ("psl", "tas", "pr"), count=40), bundle)
    target = bundle.target("1997-12")
    rows = synthesise(where, bundle, target, 12, error=1e-9)
    on_cells = rows.assign(
        lat=bundle.grid.lat[np.abs(bundle.grid.lat - rows["lat"].to_numpy()[:, None]).argmin(1)],
        lon=bundle.grid.lon[np.abs(bundle.grid.lon - rows["lon"].to_numpy()[:, None]).argmin(1)],
    )
    rows = synthesise(on_cells, bundle, target, 12, error=1e-9)
    rows = rows.assign(error_sd=1e-9)
    found = standardise(rows, bundle, 12)
    state = np.nan_to_num(bundle.target_standardised("1997-12")).reshape(1, -1)
    expected = found.places.interpolate(state.astype(np.float32))[:, 0]
    # Noise of 1e-9 of the spread, and least errors where it hardly rains.
    close = np.abs(found.value - expected) < 0.02
    assert close.mean() > 0.95
    np.testing.assert_allclose(np.sqrt(found.variance), LEAST_ERROR)


def test_an_error_is_over_the_local_spread_and_scaled(bundle):
    rows = table("tas", [50.0], [10.0], [2.0])
    one, two = (standardise(rows, bundle, 1, error_scale=s).variance for s in (1.0, 2.0))
    np.testing.assert_allclose(two, 4 * one)
    place = bundle.operator.locate(2, [50.0], [10.0])
    inverse = bundle.operator.apply(place, 1 / bundle.normaliser.spread[0])
    np.testing.assert_allclose(np.sqrt(one), inverse, rtol=1e-4)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"variable": "zg"}, "Observation 2 is of 'zg', which this model has not; it has psl"),
        ({"value": np.nan}, "Observation 2 has a value that is not a number; correct it"),
        ({"error_sd": 0.0}, "Observation 2 has an error_sd that is not a number above 0"),
        ({"error_sd": np.inf}, "Observation 2 has an error_sd that is not a number above 0"),
    ],
)
def test_rows_that_cannot_be_used_are_named(bundle, change, words):
    rows = table("tas", [50.0, 51.0], [10.0, 10.0], [1.0, 1.0])
    for name, value in change.items():
        rows.loc[1, name] = value
    with pytest.raises(ObservationError, match=words):
        standardise(rows, bundle, 1)


def test_thinning_keeps_the_best_of_each_place_and_an_equal_part_of_each_variable(bundle):
    rng = np.random.default_rng(0)
    lat, lon = np.degrees(np.arcsin(rng.uniform(-1, 1, 4000))), rng.uniform(0, 360, 4000)
    which = np.r_[np.zeros(3900, int), np.full(100, 2)]
    where = bundle.operator.locate(which, lat, lon)
    variance = rng.uniform(0.5, 1.5, 4000)
    kept = thin(where, variance, 500)
    assert (np.diff(kept) > 0).all()
    assert 450 < len(kept) <= 500
    # The rarer variable, within its part, is kept whole.
    assert (which[kept] == 2).sum() == 100
    assert variance[kept[which[kept] == 0]].mean() < 0.75
    # As many in each tenth of the sphere's area: none of the regions is lost.
    bands = np.floor((np.sin(np.radians(lat[kept[which[kept] == 0]])) + 1) * 5).astype(int)
    assert np.bincount(bands, minlength=10).min() > 25
    assert thin(where, variance, 4000).tolist() == list(range(4000))


def test_cover_and_counts_are_of_distinct_places(bundle):
    where = bundle.operator.locate([0, 2, 2], [0.0, 0.0, 10.0], [0.0, 360.0, 0.0])
    assert count_places(where) == 2
    points = unit_vectors(np.array([0.0, 0.0, 0.0]), np.array([0.0, 4.0, 5.0]))
    # A degree of the equator is 111.2 km.
    assert cover(where, points, 500.0).tolist() == [True, True, False]
    nothing = where.where(np.zeros(3, bool))
    assert not cover(nothing, points, 1e5).any()


def test_reports_are_thinned_last(linear):
    observed = standardise(rows(linear, REPORTS * 4), linear, 7)
    kept = thin_observed(observed, 22)
    assert set(np.flatnonzero(~observed.plain)) <= set(kept)
    assert len(kept) in (21, 22)
    whole = replace(observed, likelihoods=None)
    assert len(thin_observed(whole, 22)) <= 22
