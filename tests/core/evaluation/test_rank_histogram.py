"""Ranks of observations: uniform where the analysis is calibrated."""

import numpy as np
import pandas as pd
import pytest
from kind_posteriors import rows

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.evaluation.rank_histogram import BINS, ObservationRanks, observation_ranks
from mlda_core.observations.networks import NetworkSpec, places, synthesise
from mlda_core.observations.synthetic import synthesise_reports


@pytest.fixture(scope="module")
def observed(speedy):
    """Two hundred stations of a month, a half withheld."""
    month = "1997-12"
    where = places(NetworkSpec("stations", count=200), speedy)
    table = synthesise(where, speedy, speedy.target(month), 12, seed=3)
    table["withheld"] = np.arange(len(table)) % 4 < 2
    return table


@pytest.mark.slow
def test_a_calibrated_analysis_has_flat_ranks(speedy, observed):
    ensemble = Assimilator(speedy).ensemble(observed, "1997-12", members=30)
    ranks = observation_ranks(ensemble)
    assert ranks.withheld.size == observed["withheld"].sum()
    assert ranks.used.size == (~observed["withheld"]).sum()
    for which in ("withheld", "used"):
        found = ranks.frequencies(which)
        assert found.sum() == pytest.approx(1)
        # The standard deviation of a bin's frequency is .021.
        assert np.abs(found - 1 / BINS).max() < 0.1
        values = getattr(ranks, which)
        assert ((values >= 0) & (values <= 1)).all()
    assert np.array_equal(observation_ranks(ensemble).withheld, ranks.withheld)
    # Members that have seen an observation are no test of it; what the others say is.
    assert ranks.frequencies("all").sum() == pytest.approx(1)


@pytest.mark.slow
def test_values_beyond_all_members_are_in_the_outer_ranks(speedy, observed):
    wrong = observed.copy()
    held = wrong["withheld"].to_numpy()
    wrong.loc[held, "value"] += 30.0
    ensemble = Assimilator(speedy).ensemble(wrong, "1997-12", members=20)
    ranks = observation_ranks(ensemble)
    assert (ranks.withheld > 0.9).all()
    # What is withheld changes nothing.
    plain = Assimilator(speedy).ensemble(observed, "1997-12", members=20)
    assert np.array_equal(observation_ranks(plain).used, ranks.used)


@pytest.mark.slow
def test_reports_of_a_calibrated_analysis_are_flat_too(speedy):
    """Values and reports by turns, a part of each withheld; bounds have no rank."""
    month = "1997-12"
    where = places(NetworkSpec("stations", count=160), speedy)
    values = synthesise(where, speedy, speedy.target(month), 12, seed=3).assign(
        kind="value", area=""
    )
    reports = synthesise_reports(where, speedy, speedy.target(month), 12, seed=4)
    here = np.arange(len(values)) % 2 == 0
    table = pd.concat([values[here], reports[~here]], ignore_index=True)
    bound = table.iloc[:3].assign(kind="lower_bound")
    table = pd.concat([table, bound], ignore_index=True)
    table["withheld"] = np.arange(len(table)) % 4 < 2
    ensemble = Assimilator(speedy).ensemble(table, month, members=30)
    ranks = observation_ranks(ensemble)
    assert ranks.bounds == 3
    assert ranks.reports == (table["kind"] == "report").sum()
    assert ranks.withheld.size + ranks.used.size == len(table) - 3
    for which in ("withheld", "used"):
        values = getattr(ranks, which)
        assert ((values >= 0) & (values <= 1)).all()
        # Of some 160 uniform numbers: their mean within .023, a bin's share within .024.
        assert values.mean() == pytest.approx(0.5, abs=0.09)
        assert np.abs(ranks.frequencies(which) - 1 / BINS).max() < 0.11


def test_a_mean_is_ranked_as_a_mean_and_not_at_the_place_of_its_marker(speedy):
    text = "tos,,,9,0.3,mean,nino34,true\ntos,0,215,0,0.3,,,\n"
    ensemble = Assimilator(speedy).ensemble(rows(speedy, text), "1997-12", members=20)
    (rank,) = observation_ranks(ensemble).withheld
    assert rank > 0.95


@pytest.mark.parametrize("size", [20, 200])
def test_nine_of_ten_bins_of_uniform_ranks_lie_in_the_band_of_chance(size):
    rng = np.random.default_rng(0)
    drawn = [ObservationRanks(rng.random(size), np.zeros(0)) for _ in range(400)]
    low, high = drawn[0].chance("withheld")
    shares = np.array([one.frequencies("withheld") for one in drawn])
    inside = ((shares >= low - 1e-9) & (shares <= high + 1e-9)).mean()
    # Of so few whole numbers the band holds a little more than it is asked to.
    assert 0.89 < inside < 0.98
    assert np.isnan(drawn[0].chance("used")).all()


def test_none_withheld_and_none_at_all(speedy, observed):
    engine = Assimilator(speedy)
    ranks = observation_ranks(
        engine.ensemble(observed.assign(withheld=False).head(20), "1997-12", members=5)
    )
    assert ranks.withheld.size == 0
    assert np.isnan(ranks.frequencies("withheld")).all()
    empty = observation_ranks(engine.ensemble(observed.head(0), "1997-12", members=5))
    assert np.isnan(empty.frequencies("all")).all()


def test_bins_are_counted():
    ranks = ObservationRanks(np.array([0.05, 0.07, 0.95]), np.array([0.5]))
    assert ranks.frequencies("withheld")[[0, 9]] == pytest.approx([2 / 3, 1 / 3])
    assert ranks.frequencies("all", 2) == pytest.approx([0.5, 0.5])
