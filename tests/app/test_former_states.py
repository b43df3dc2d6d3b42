"""Links and files that the page made before its parts had rooms open as the same states.

``states_of_48ddd7c.json`` was written by the code of commit 48ddd7c: for each of 17 states that its
session came to by messages, the link and the file that it gave, and what it made of both itself.
"""

import json
from pathlib import Path

import pytest

from app.text import describe, state_words
from mlda_core.page_state import observations, perturbations
from mlda_core.page_state.limits import limits_of
from mlda_core.page_state.serialize import from_json, from_query, to_json, to_query

FORMER = json.loads(Path(__file__).with_name("states_of_48ddd7c.json").read_text(encoding="utf-8"))


def plain(snapshot):
    return {
        "month": snapshot.month,
        "z": None if snapshot.z is None else list(snapshot.z),
        "model": snapshot.model,
        "origin": describe(snapshot.origin),
        "projection": snapshot.projection,
        "fields": snapshot.fields,
        "theme": snapshot.theme,
        "seed": snapshot.seed,
        "tool": snapshot.tool,
        "observing": observations.to_dict(snapshot.observations),
        "perturbing": perturbations.to_dict(snapshot.perturbations),
        "impact": snapshot.impact,
    }


def test_there_are_enough():
    assert len(FORMER) >= 12
    assert len({state["link"] for state in FORMER.values()}) == len(FORMER)


@pytest.mark.parametrize("name", FORMER)
def test_a_former_link_opens_as_the_same_state(tiny, name):
    state, limits = FORMER[name], limits_of(tiny)
    opened = from_query(state["link"], limits)
    assert plain(opened) == state["link_opens_as"]
    assert to_query(opened, limits) == state["link"]


@pytest.mark.parametrize("name", FORMER)
def test_a_former_file_opens_as_the_same_state(tiny, name):
    state, limits = FORMER[name], limits_of(tiny)
    opened = from_json(state["file"], limits)
    assert plain(opened) == state["file_opens_as"]
    assert state_words(opened.model, opened.origin) == state["column"]
    assert from_json(to_json(opened, limits), limits) == opened
