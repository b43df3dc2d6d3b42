"""The last problem at its mode is searched for once."""

from __future__ import annotations

import pytest
from kind_posteriors import rows

from mlda_core.assimilation import assimilator
from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.observation_influence import observation_influence

TEXT = "tas,50,10,much colder,,report,,\ntas,40,20,1,0.5,,,\n"


@pytest.fixture
def searches(monkeypatch):
    found = []
    search = assimilator.modes_of
    monkeypatch.setattr(
        assimilator, "modes_of", lambda problem: found.append(problem) or search(problem)
    )
    return found


def test_after_an_analysis_nothing_is_searched_for_again(linear, searches):
    engine, observations = Assimilator(linear), rows(linear, TEXT)
    engine.run(observations, 7)
    first, _ = engine.prepared(observations, 7)
    second, _ = engine.prepared(observations.copy(), 7)
    assert first is second
    assert not searches
    again = observation_influence(Assimilator(linear), observations, 7, 0)
    assert observation_influence(engine, observations, 7, 0).moved == pytest.approx(again.moved)


def test_other_observations_months_and_settings_are_other_problems(linear, searches):
    engine, observations = Assimilator(linear), rows(linear, TEXT)
    first, _ = engine.prepared(observations, 7)
    assert len(searches) == 1
    assert engine.prepared(observations, 7, localisation=0.5)[0] is not first
    assert engine.prepared(observations, 8)[0] is not first
    observations.loc[1, "value"] = 2.0
    engine.prepared(observations, 7)
    assert len(searches) == 4


def test_normal_problems_are_not_kept(linear):
    engine, observations = Assimilator(linear), rows(linear, "tas,40,20,1,0.5,,,\n")
    assert engine.prepared(observations, 7)[0] is not engine.prepared(observations, 7)[0]
