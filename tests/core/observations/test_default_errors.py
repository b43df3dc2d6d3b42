"""Errors that are not stated: a fifth of the local spread."""

from __future__ import annotations

import numpy as np
import pytest
from observation_tables import table

from mlda_core.observations.table import DEFAULT_ERROR, default_error, local_spread, read


def test_default_error_is_a_fifth_of_the_local_spread(bundle):
    blank = ({"error_sd": e} for e in ("", None, "NaN", np.nan))
    found = read(table(*blank), bundle, month=12).table
    normaliser, tas = bundle.normaliser, [v.name for v in bundle.variables].index("tas")
    places = bundle.operator.locate([tas], [51.0], [10.0])
    spread = bundle.operator.apply(places, normaliser.spread[11])[0]
    np.testing.assert_allclose(found["error_sd"], DEFAULT_ERROR * spread, rtol=1e-6)
    without = read(table().drop(columns="error_sd"), bundle).table
    yearly = bundle.operator.apply(places, normaliser.spread.mean(axis=0))[0]
    assert without["error_sd"][0] == pytest.approx(DEFAULT_ERROR * yearly, rel=1e-6)


def test_spread_of_rain_is_taken_back_through_its_transform(bundle):
    """The standard deviation of the shipped months, at cells where it rains."""
    pr = [v.name for v in bundle.variables].index("pr")
    july = np.stack([bundle.target(m)[pr] for m in bundle.months if m.endswith("-07")])
    wet = bundle.climatology(7)[pr] > 3
    ratio = local_spread(bundle, 7)[pr][wet] / july.std(axis=0)[wet]
    assert 0.9 < np.median(ratio) < 1.1


def test_errors_are_above_zero_even_where_it_never_rains(bundle):
    lat, lon = (a.ravel() for a in np.meshgrid(bundle.grid.lat, bundle.grid.lon, indexing="ij"))
    assert default_error(bundle, "pr", 7, lat, lon).min() > 0
