"""The form of Perturb: what is held, what is asked, what it is compared with."""

import pytest
from perturb_panel import made_panel

from app.tools.form_response import ResponseForm


def test_only_inputs_that_mean_something_are_seen():
    panel = made_panel()
    form = ResponseForm(panel)
    form.show()
    assert not form.confined.visible
    assert not form.fading.visible
    assert not form.clicking.visible
    assert not form.compared.visible
    assert "The sea alone?" in form.question.object
    panel.settings = {**panel.settings, "held": "outside", "view": "sensitivity"}
    form.show()
    assert form.confined.visible
    assert form.clicking.visible
    panel.settings = {**panel.settings, "view": "response"}
    form.show()
    assert form.fading.visible
    assert panel.heard == []


def test_a_drawn_region_is_one_of_the_list():
    form = ResponseForm(made_panel(settings={"over": "box", "over_words": "10 to 20°N"}))
    form.show()
    assert form.over.widget.options["10 to 20°N"] == form.over.widget.value == "box"
    assert "box" not in form.within.widget.options.values()
    assert "globe" not in form.within.widget.options.values()


def test_a_run_pressed_again_ends_the_comparison():
    panel = made_panel()
    form = ResponseForm(panel)
    form.show()
    assert form.runs.widget.value == []
    form.runs.widget.value = ["plus2"]
    panel.settings = {**panel.settings, "view": "gcm"}
    form.show()
    assert form.runs.widget.value == ["plus2"]
    assert "&lt;GCM&gt;" in form.compared.object
    form.runs.widget.value = ["plus2", "plus1"]
    panel.settings = {**panel.settings, "gcm": "plus1"}
    form.show()
    form.runs.widget.value = []
    assert [(m["name"], m["value"]) for m in panel.heard] == [
        ("gcm", "plus2"), ("gcm", "plus1"), ("view", "response"),
    ]  # fmt: skip


def test_the_same_button_shows_the_sensitivity_and_ends_it():
    panel = made_panel()
    form = ResponseForm(panel)
    form.sensitivity.clicks += 1
    panel.settings = {**panel.settings, "view": "sensitivity"}
    form.sensitivity.clicks += 1
    assert [message["value"] for message in panel.heard] == ["sensitivity", "response"]


@pytest.mark.slow
def test_without_runs_of_the_gcm_nothing_is_said_of_them():
    panel = made_panel(settings={"gcm": ""})
    panel.experiments = []
    assert not ResponseForm(panel).gcm.visible
