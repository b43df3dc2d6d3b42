"""Backgrounds given the observed sea."""

from __future__ import annotations

import numpy as np
import pytest

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.sea_background import SEA_COVER
from mlda_core.observations.standardised import Observed


@pytest.fixture(scope="module")
def sea(linear):
    return Assimilator(linear).preparation.sea


def everywhere(bundle, error=0.3, part=1.0):
    """Observe the sea of a month at its cells, or at the first part of them, and one air."""
    row = bundle.sea_row
    i, j = np.nonzero(bundle.mask[row])
    kept = slice(0, max(int(part * i.size), 1))
    lat, lon = bundle.grid.lat[i][kept], bundle.grid.lon[j][kept]
    which = np.append(np.full(lat.size, row), 0)
    places = bundle.operator.locate(which, np.append(lat, 0.0), np.append(lon, 0.0))
    x = np.nan_to_num(bundle.target_standardised("1982-07"))
    value = np.asarray(bundle.operator.apply(places, x), np.float64)
    return Observed(places, value, np.full(which.size, error**2))


def test_the_sea_counts_as_observed_where_it_is_covered_and_accurate(linear, sea):
    assert sea.is_observed(everywhere(linear), 7)
    assert not sea.is_observed(everywhere(linear, part=0.5 * SEA_COVER), 7)
    assert not sea.is_observed(everywhere(linear, error=30.0), 7)
    nothing = everywhere(linear).where(np.zeros(0, np.int64))
    assert not sea.is_observed(nothing, 7)


def test_only_values_of_sst_make_the_background(linear, sea):
    observed = everywhere(linear)
    rows = sea.rows(observed)
    assert rows[:-1].all()
    assert not rows[-1]
    assert len(sea.gain(observed, 7).places) == rows.sum()
    changed = observed.value.copy()
    changed[-1] += 5.0
    other = Observed(observed.places, changed, observed.variance)
    np.testing.assert_array_equal(sea.mean(observed, 7), sea.mean(other, 7))


def test_the_mean_is_what_the_network_makes_of_the_analysed_sea(linear, sea):
    observed = everywhere(linear, error=0.05)
    x = np.nan_to_num(linear.target_standardised("1982-07"))
    row = linear.sea_row
    made = sea.mean(observed, 7).reshape(x.shape)
    there = linear.mask[row]
    # The cells are observed themselves, and the network returns the sea that it is given.
    assert np.corrcoef(made[row][there], x[row][there])[0, 1] > 0.95
    expected = linear.mean_under(made[row][None], np.array([7]))[0]
    np.testing.assert_allclose(made, expected, atol=1e-4)
