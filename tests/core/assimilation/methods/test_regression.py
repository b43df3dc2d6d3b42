"""Regression on the sea's principal components."""

from __future__ import annotations

import numpy as np
import pytest
from exact import table

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.methods.regression import fit_regression
from mlda_core.climate.errors import StateError
from mlda_core.observations.standardised import Observed, standardise


def whole_sea(bundle, field, error=1e-3):
    """Observe a standardised field of the sea in every cell."""
    row = bundle.sea_row
    rows, columns = np.nonzero(bundle.mask[row])
    places = bundle.operator.locate(
        np.full(rows.size, row), bundle.grid.lat[rows], bundle.grid.lon[columns]
    )
    return Observed(places, field[rows, columns].astype(float), np.full(rows.size, error**2))


def test_a_component_of_the_sea_brings_what_it_goes_with(linear):
    model = fit_regression(linear, 5)
    shape = linear.mask.shape
    sea = model.sea.reshape(-1, *shape)
    others = [v for v in range(len(linear.variables)) if v != linear.sea_row]
    assert not sea[:, others].any()
    x, sd = model.estimate(whole_sea(linear, 2.0 * sea[1, linear.sea_row]), linear.operator, shape)
    np.testing.assert_allclose(x, 2.0 * model.all_fields[1], atol=0.2)
    assert np.corrcoef(x, model.all_fields[1])[0, 1] > 0.99
    np.testing.assert_allclose(sd.ravel() ** 2, model.left, rtol=1e-5)


def test_more_components_leave_less_over(linear):
    few, many = fit_regression(linear, 2), fit_regression(linear, 12)
    assert (many.left <= few.left + 1e-5).all()
    assert many.left.sum() < 0.99 * few.left.sum()


def test_observations_of_the_air_are_not_used(linear):
    engine = Assimilator(linear)
    both = table(linear, variables=("tos", "tas"))
    sea = both[both["variable"] == "tos"].reset_index(drop=True)
    found = engine.run(both, 7, method="regression")
    np.testing.assert_array_equal(
        found.anomalies, engine.run(sea, 7, method="regression").anomalies
    )
    assert found.statistics.n_used == len(sea)


def test_without_a_sea_there_is_nothing_to_regress_on(linear, aloft):
    air = standardise(table(linear, variables=("tas",)), linear, 7)
    assert air.value.size
    engine = Assimilator(aloft)
    given = table(aloft, variables=("zg500",), month=aloft.months[0])
    with pytest.raises(StateError, match="no sea to regress on; choose another method"):
        engine.run(given, 7, method="regression")
