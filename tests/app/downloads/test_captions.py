"""Captions name what each column is, of what, and what dots mean."""

import pytest
from visiting import SOME

from app.downloads.captions import caption_of
from app.downloads.columns import shown_columns


def caption(visit):
    parts = visit.session.downloads._parts
    return caption_of(parts, shown_columns(parts.bundle, parts.frame()))


def test_an_analysis_says_its_observations_and_method(standing):
    made = caption(standing)
    assert made.what == "Target (left) and analysis (right)"
    assert (made.month, made.method) == ("1997-12", "vae")
    assert made.notes == ("Observations: 20 stations.",)


def test_a_hatched_spread_of_larger_colours_says_both(visit):
    v = visit(f"{SOME}&column=spread&scale=5&fields=full")
    v.settle(lambda v: v.work.spread() is not None)
    v.session.redraw()
    made = caption(v)
    assert made.what == "Target (left) and spread (right), full fields"
    assert any("above 50 % of the climatological" in note for note in made.notes)
    assert any("right column end at 1/5" in note for note in made.notes)


def test_a_state_says_where_it_is_from(session):
    parts = session.downloads._parts
    made = caption_of(parts, shown_columns(parts.bundle, parts.frame()))
    assert made.what == "Target (left) and model (the code of the month) (right)"
    assert made.method == ""


@pytest.mark.slow
def test_a_response_says_the_change_and_what_is_held(sea):
    made = caption(sea)
    assert made.what == "Analysis (left) and with response (right)"
    assert "Niño 3.4" in made.notes[0]
    assert "SST only" in made.notes[1]
    sea.set("view", "sensitivity")
    sea.settle()
    assert "on the sea's row the sensitivity of" in caption(sea).what
    sea.set("view", "gcm")
    compared = caption(sea)
    assert "mean of" in compared.month
    assert compared.method == ""
    sea.set("view", "sum")


def test_a_cycle_says_its_run(cycle_visit):
    visit = cycle_visit(
        "?tool=cycle&month=1984-03-03&model=code&cycle_from=1984-03-01&cycle_stations=30"
    )
    made = caption(visit)
    assert made.what == "Truth (left) and analysis (right)"
    assert "from 1984-03-01" in made.notes[0]
