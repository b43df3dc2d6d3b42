"""Gains are made once, column by column, and a bounded number is kept."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from exact import table

from mlda_core.assimilation import gain_cache
from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.gain import Gain
from mlda_core.assimilation.regional_series import by_season


def test_a_new_value_at_an_old_place_factors_nothing(bundled, monkeypatch):
    engine = Assimilator(bundled)
    observations = table(bundled, 20, month="1997-12")
    engine.run(observations, "1997-12")

    def refuse(*_args, **_kwargs):
        raise AssertionError("factored again")

    monkeypatch.setattr("mlda_core.assimilation.gain.linalg.cholesky", refuse)
    monkeypatch.setattr("mlda_core.assimilation.covariance.LocalisedCovariance.columns", refuse)
    moved = observations.assign(value=observations["value"] + 1.0)
    assert engine.run(moved, "1997-12").converged


def test_one_more_station_costs_one_column(bundled, monkeypatch):
    engine = Assimilator(bundled)
    observations = table(bundled, 12, month="1997-12")
    engine.run(observations.iloc[1:].reset_index(drop=True), "1997-12")
    from mlda_core.assimilation.covariance import LocalisedCovariance

    counted = []
    columns = LocalisedCovariance.columns

    def count(self, places):
        counted.append(len(places))
        return columns(self, places)

    monkeypatch.setattr(LocalisedCovariance, "columns", count)
    engine.run(observations, "1997-12")
    assert counted == [1]


def test_places_that_share_cells_are_told_apart(bundled):
    """Beyond the last row all places have the cells and weights of that row."""
    observations = table(bundled, 1, variables=("psl",), month="1984-01")
    north = observations.assign(lat=88.0, lon=10.0, value=5.0)
    pole = north.assign(lat=90.0)
    engine = Assimilator(bundled)
    engine.run(north, 7, method="enoi")
    after = engine.run(pole, 7, method="enoi").anomalies
    fresh = Assimilator(bundled).run(pole, 7, method="enoi").anomalies
    np.testing.assert_array_equal(after, fresh)


def test_what_was_asked_before_changes_nothing(bundled):
    observations = table(bundled, 20, month="1984-01")
    engine = Assimilator(bundled)
    engine.run(observations.iloc[1:].reset_index(drop=True), 1)
    engine.run(observations.iloc[:3].reset_index(drop=True), 1)
    fresh = Assimilator(bundled).run(observations, 1)
    np.testing.assert_array_equal(engine.run(observations, 1).anomalies, fresh.anomalies)


def test_gains_are_not_kept_for_ever(linear):
    engine = Assimilator(linear)
    none = table(linear).iloc[:0]
    for i in range(34):
        engine.run(none, 7, localisation=1 + 0.001 * i)
    assert len(engine.preparation.gains._gains) <= 32


@pytest.mark.slow
def test_the_order_of_months_changes_no_number(curved, monkeypatch):
    """Nor whether factors and spreads are kept, or made anew."""
    months = [f"{year}-{m:02d}" for year in (1982, 1983) for m in (1, 7)]
    given = {m: table(curved, 30, month=m, variables=("tos", "psl")) for m in months}

    def run(engine, order):
        found = {m: engine.run(given[m], m) for m in order}
        return {m: (f.anomalies, f.spread, f.observations) for m, f in found.items()}

    fresh = {m: run(Assimilator(curved), [m])[m] for m in months}
    # So little that every month takes the place of the last.
    monkeypatch.setattr(gain_cache, "MOST_GAINS", 1)
    monkeypatch.setattr(gain_cache, "MOST_PRIORS", 1)
    calls = []
    whole = Gain.posterior_variance

    def counted(self, cells):
        calls.append(cells)
        return whole(self, cells)

    monkeypatch.setattr(Gain, "posterior_variance", counted)
    for order in (months, by_season(months)):
        calls.clear()
        engine = Assimilator(curved)
        found = run(engine, order)
        for month in months:
            for one, other in zip(found[month][:2], fresh[month][:2], strict=True):
                assert np.array_equal(one, other, equal_nan=True)
            pd.testing.assert_frame_equal(found[month][2], fresh[month][2])
        # One spread of all cells a calendar month, in either order: it asks for no value.
        assert sum(cells == slice(None) for cells in calls) == 2
        assert len(engine.preparation.gains._gains) == 1


def test_what_is_kept_of_a_network_is_bounded(curved, monkeypatch):
    monkeypatch.setattr(gain_cache, "MOST_GAINS", 2)
    monkeypatch.setattr(gain_cache, "MOST_LASTING", 3)
    engine = Assimilator(curved)
    for seed in range(6):
        _ = engine.run(table(curved, seed=seed), "1982-07").spread
    gains = engine.preparation.gains
    assert (len(gains._gains), len(gains._lasting)) == (2, 3)
    held = [value for kept in gains._lasting.values() for value in kept.values()]
    assert all(np.size(value) <= curved.mask.size for value in held)
