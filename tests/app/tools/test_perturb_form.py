"""The form of Perturb: built when its tool is first open, and kept up with what it shows."""

import pytest
from visiting import PERTURB


def test_a_page_that_opens_holds_no_widget(sea_visit):
    v = sea_visit(wait=False)
    form, heading = v.perturb.form, v.heading
    assert not form.root.objects
    assert not heading.root.objects
    v.session.begin()
    assert form.root.objects[-1] is v.perturb.atlas.root
    assert heading.root.objects
    parts = form.parts
    v.session.begin()
    assert form.parts is parts


@pytest.mark.slow
def test_it_waits_until_its_tool_is_open(sea_visit):
    v = sea_visit(PERTURB.replace("tool=perturb", "tool=explore"), wait=False)
    v.session.begin()
    assert v.perturb.form.parts is None
    v.send({"type": "tool", "value": "perturb"})
    sea, response = v.perturb.form.parts
    assert sea.rows[0].amount.where == "Niño 3.4"
    assert response.held.widget.value == "sst_only"


@pytest.mark.slow
def test_widgets_and_state_follow_each_other(sea_visit):
    v = sea_visit(wait=False)
    v.session.begin()
    sea, response = v.perturb.form.parts
    sea.add.widget.value = "north_atlantic"
    assert [patch.region for patch in v.p.patches] == ["nino34", "north_atlantic"]
    assert sea.rows[1].amount.where == "North Atlantic"
    v.send({"type": "undo"})
    assert not sea.rows[1].root.visible
    response.held.widget.value = "sst_and_pressure"
    assert v.p.held == "sst_and_pressure"
    v.heading.choice.widget.value = "response"
    v.heading.divide.widget.value = ["on"]
    assert (v.p.view, v.p.per_kelvin) == ("response", True)
    assert response.fading.visible
    # Each was one step of the history.
    v.send({"type": "undo"})
    v.send({"type": "undo"})
    assert v.heading.choice.widget.value == "sum"
    assert response.held.widget.value == "sst_and_pressure"
