"""No anomaly, whatever is observed."""

from __future__ import annotations

import numpy as np
from exact import table

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.observations.standardised import standardise


def test_observations_are_compared_with_it_and_none_is_used(linear):
    given = table(linear)
    found = Assimilator(linear).run(given, 7, method="climatology")
    assert (found.anomalies[linear.mask] == 0).all()
    assert np.isnan(found.anomalies[~linear.mask]).all()
    assert found.statistics.n_used == found.statistics.n_thinned == 0
    np.testing.assert_allclose(found.observations["analysis_departure"], given["value"])
    assert found.z is None
    # What it leaves open is what months of that season differ by.
    np.testing.assert_array_equal(found.spread, found.climatological_spread)


def test_many_months_are_as_many_zeros(linear):
    observed = standardise(table(linear), linear, 7)
    values = np.tile(observed.value, (3, 1))
    x, sd = Assimilator(linear).states(
        observed.places, observed.variance, values, 7, method="climatology"
    )
    assert x.shape == (3, *linear.mask.shape)
    assert not x.any()
    assert not sd.any()
