"""The form of Observe: how observations are assimilated, and the run of it."""

import pytest
from observe_panel import made_panel
from visiting import send

from app.tools.form_analysis import IDLE, AnalysisForm, cost_words


@pytest.fixture
def form():
    made = AnalysisForm(made_panel(), None)
    made.show()
    return made


def shown(form, *, run="", **settings):
    panel = form._panel
    panel.put(settings={**panel.settings, **settings}, run=run)
    form.show()
    return form


def test_what_a_method_lacks_is_idle_and_says_so(form):
    assert not form.residual.widget.disabled
    assert form.localisation.idle == ""
    shown(form, method="adam")
    assert form.residual.widget.disabled
    assert form.residual.widget.html_attributes["title"] == IDLE["residual"]
    assert form.localisation.idle == IDLE["localisation"]
    assert form.error.idle == ""
    shown(form, method="vae")
    assert not form.residual.widget.disabled
    assert form.residual.widget.html_attributes["title"] != IDLE["residual"]


def test_a_slider_sends_while_it_moves_and_shows_what_is_in_force(form):
    message = {"type": "observing", "name": "error", "value": 0.4, "done": False}
    send(form.error, **message)
    assert form._panel.heard == [message]
    shown(form, error=0.7)
    assert form.error.value == 0.7
    assert (form.error.low, form.error.high) == (0.05, 1.0)


def test_switches_and_seeds_are_sent(form):
    form.live.widget.value = []
    form.residual.widget.value = []
    form.seeds[1].widget.value = 7
    sent = [(m["name"], m["value"]) for m in form._panel.heard]
    assert sent == [("live", False), ("residual", False), ("noise", 7)]
    # The settings did not change, so that each shows what is in force.
    assert form.live.widget.value == ["on"]
    assert form.seeds[1].widget.value == 1


@pytest.mark.parametrize(
    ("run", "live", "visible"),
    [
        ("", True, ["step"]),
        ("", False, ["now", "step"]),
        ("live", True, ["cancel", "step"]),
        ("step", True, ["cancel", "pause"]),
        ("paused", True, ["cancel", "go_on", "once"]),
    ],
)
def test_the_buttons_are_those_that_the_run_has(form, run, live, visible):
    shown(form, run=run, live=live)
    names = ("now", "step", "pause", "go_on", "once", "cancel")
    assert sorted(n for n in names if getattr(form, n).visible) == visible
    for name in visible:
        getattr(form, name).clicks += 1
    actions = {"go_on": "pause"}
    assert [m["action"] for m in form._panel.heard] == [actions.get(n, n) for n in visible]


def test_the_parts_of_the_cost_add_up_as_rounded():
    assert cost_words([[0.04, 0.04, 0.08]]).endswith(
        "<b>0.1</b> = prior 0.0 + observations 0.1</p>"
    )
    assert cost_words([]) == ""


def test_how_it_ended_is_text(form):
    form._panel.put(outcome="1 < 2", outcome_help='what "n" is')
    form.show()
    assert "1 &lt; 2" in form.outcome.object
    assert "&quot;n&quot;" in form.outcome.object
    assert form.outcome.html_attributes["role"] == "status"
