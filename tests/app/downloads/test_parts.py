"""Whether what is to be taken away is there, said in words where it is not."""

from types import SimpleNamespace

import numpy as np
import pytest
from visiting import Visit

from app.downloads.parts import Parts
from mlda_core.climate.errors import StateError


def parts_of(visit):
    return visit.session.downloads._parts


@pytest.mark.slow
def test_what_the_maps_show_follows_state_and_tool(standing, sea, session):
    assert parts_of(standing).shows == "analysis"
    assert parts_of(sea).shows == "response"
    assert session.downloads._parts.shows == "state"


@pytest.mark.slow
def test_what_is_there_passes(standing, sea):
    for visit in (standing, sea):
        parts_of(visit).refuse_empty()


@pytest.mark.slow
def test_another_month_is_waited_for(visit):
    v = visit()
    v.session.choose_month({"value": "1998-06"})
    v.session.redraw()
    with pytest.raises(StateError, match="The analysis is still under way"):
        parts_of(v).refuse_stale()
    v.settle()
    parts_of(v).refuse_empty()


def test_an_empty_column_says_why(visit):
    v = visit("?network=stations&stations=20&tool=observe&column=influence")
    with pytest.raises(StateError, match="empty: point at an observation"):
        parts_of(v).refuse_empty()


def test_a_first_response_is_waited_for(speedy):
    v = Visit(speedy, "?tool=perturb&network=none&model=code&month=1989-05")
    try:
        with pytest.raises(StateError, match=r"[Cc]omputing the first response"):
            parts_of(v).refuse_empty()
    finally:
        v.session.close()


def test_a_column_of_nothing_is_empty(session):
    parts: Parts = session.downloads._parts
    frame = session._frame
    nothing = np.full_like(frame.model, np.nan)
    session._frame = SimpleNamespace(request=frame.request, model=nothing)
    with pytest.raises(StateError, match="still empty"):
        parts.refuse_empty()
