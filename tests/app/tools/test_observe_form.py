"""The form of Observe: built when its tool is first open, and kept up with what it shows."""

import pytest
from visiting import SOME


@pytest.mark.slow
def test_a_page_that_opens_holds_no_widget(visit):
    v = visit(SOME)
    form = v.observer.form
    assert not form.root.objects
    assert not form.listing.objects
    v.session.begin()
    assert form.root.objects
    assert form.listing.objects == [v.observer.listing.widget]
    parts = form.parts
    v.session.begin()
    assert form.parts is parts


def test_it_waits_until_its_tool_is_open(visit):
    v = visit(SOME.replace("observe", "explore"))
    v.session.begin()
    assert v.observer.form.parts is None
    v.send(type="tool", value="observe")
    network, *_ = v.observer.form.parts
    assert network.amount.widget.value == 20


def test_widgets_and_state_follow_each_other(visit):
    v = visit(f"{SOME}&live=0")
    v.session.begin()
    network, analysis, _, rows = v.observer.form.parts
    network.amount.widget.value = 30
    assert v.session.state.observations.count == 30
    assert "60 observations" in rows.counts.object
    v.send(type="undo")
    assert network.amount.widget.value == 20
    analysis.method.widget.value = "enoi"
    assert v.session.state.observations.method == "enoi"
    assert analysis.residual.widget.disabled
    network.amount.widget.value = 99999
    assert v.session.bar.failed
    assert network.amount.widget.value == 20
    # Each was one step of the history.
    v.send(type="undo")
    assert analysis.method.widget.value == "vae"
