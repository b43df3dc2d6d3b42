"""Quantiles of the climate at places."""

from __future__ import annotations

import numpy as np
import pytest
from kind_rows import HEAD, kind_rows

from mlda_core.observations.kinds.report import THRESHOLDS
from mlda_core.observations.standardised import standardise
from mlda_core.observations.table import read
from mlda_core.observations.thresholds import climate_quantiles


@pytest.fixture(scope="module")
def places(linear):
    row = [v.name for v in linear.variables].index("tas")
    return linear.operator.locate([row], [50.0], [10.0])


def months_about(bundle, places, month):
    """Past months' values of a calendar month and its neighbours at places."""
    statistics = bundle.statistics
    apart = np.abs((statistics.calendar - month + 6) % 12 - 6) <= 1
    return statistics.coefficients[apart] @ places.interpolate(statistics.patterns).T


def test_classes_of_a_report_have_their_climatological_share(linear, places):
    """The thresholds divide past months at the place as their probabilities say."""
    values = months_about(linear, places, 7)[:, 0]
    for classes in THRESHOLDS.values():
        for share in classes:
            found = climate_quantiles(linear, places, np.array([share]), 7)[0]
            below = float((values < found).mean())
            assert below == pytest.approx(share, abs=0.12)
    lines = [f"tas,50,10,{i},,report," for i in range(-2, 3)]
    likelihoods = standardise(read(HEAD + "\n".join(lines), linear, month=7).table, linear, 7)
    ends = likelihoods.likelihoods.terms
    np.testing.assert_allclose(ends.high[:-1], ends.low[1:])
    assert ends.low[0] == -np.inf
    assert ends.high[-1] == np.inf


def test_probabilities_of_nothing_and_all_are_infinite(linear, places):
    both = places.where(np.zeros(2, np.int64))
    assert climate_quantiles(linear, both, np.array([0.0, 1.0]), 7).tolist() == [-np.inf, np.inf]


@pytest.mark.parametrize("month", [1, 12])
def test_neighbours_of_january_and_december_are_in_the_other_year(linear, places, month):
    """The median is that of three calendar months, across the turn of the year."""
    calendar = linear.statistics.calendar
    near = {1: (12, 1, 2), 12: (11, 12, 1)}[month]
    coefficients = linear.statistics.coefficients[np.isin(calendar, near)]
    values = coefficients @ places.interpolate(linear.statistics.patterns)[0]
    found = climate_quantiles(linear, places, np.array([0.5]), month)[0]
    assert found == pytest.approx(np.median(values), abs=1e-6)


def test_quantiles_at_a_place_are_widened_by_what_the_patterns_leave_over(linear, places):
    values = months_about(linear, places, 7)[:, 0].astype(float)
    left = float((linear.statistics.leftover[places.index] * places.weight).sum())
    wider = np.sqrt((values.var() + left) / values.var())
    assert wider > 1.0
    middle = np.median(values)
    found = climate_quantiles(linear, places, np.array([0.9]), 7)[0]
    assert found - middle == pytest.approx(wider * (np.quantile(values, 0.9) - middle), rel=1e-5)


def test_those_of_a_mean_over_a_region_are_not(linear):
    table = kind_rows(linear, "tas,,,1,,mean,tropics\ntas,50,10,1,,,\n")
    places = standardise(table, linear, 7).places
    values = months_about(linear, places, 7)
    mean, place = climate_quantiles(linear, places, np.array([0.9, 0.9]), 7)
    assert mean == pytest.approx(np.quantile(values[:, 0], 0.9), rel=1e-5)
    assert place > np.quantile(values[:, 1], 0.9)
