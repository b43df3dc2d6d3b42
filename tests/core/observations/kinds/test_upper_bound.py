"""A bound that says at most a value."""

from __future__ import annotations

import numpy as np
import pytest
from kind_rows import kind_rows, terms

from mlda_core.observations.kinds.upper_bound import KIND
from mlda_core.observations.standardised import standardise


def test_its_interval_is_what_is_below_the_value():
    value = np.array([-2.0, 0.0, 3.5])
    low, high = KIND.interval(value)
    assert (low == -np.inf).all()
    np.testing.assert_array_equal(high, value)


def test_a_state_well_below_costs_nothing_and_one_far_on_the_other_side_much():
    said = terms(KIND, [0.0])
    assert KIND.cost(np.array([-3.0]), said)[0] == pytest.approx(0.0, abs=1e-9)
    # Five errors off.
    assert KIND.cost(np.array([2.0]), said)[0] > 12.0
    # At the bound itself a half is as likely as not.
    assert KIND.cost(np.array([0.0]), said)[0] == pytest.approx(np.log(2.0))


def test_it_is_read_and_standardised_as_an_open_interval(linear):
    table = kind_rows(linear, "tas,30,30,1,0.5,Upper Bound,\ntas,30,30,1,0.5,,\n")
    assert table["kind"].tolist() == [KIND.key, "value"]
    terms_of = standardise(table, linear, 7).likelihoods.terms
    ends = np.array([terms_of.low[0], terms_of.high[0]])
    # The finite end is where a value would be.
    assert ends[np.isfinite(ends)] == pytest.approx(terms_of.value[1:])
    assert np.isnan(terms_of.value[0])
