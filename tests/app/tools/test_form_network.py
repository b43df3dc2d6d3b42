"""The form of Observe: what is observed, and where."""

import pytest
from observe_panel import made_panel

from app.tools.form_network import APART, NetworkForm


@pytest.fixture
def form():
    made = NetworkForm(made_panel())
    made.show()
    return made


def shown(form, **settings):
    panel = form._panel
    panel.put(settings={**panel.settings, **settings})
    form.show()
    return form


def test_inputs_follow_the_settings_and_send_nothing_by_it(form):
    shown(form, kind="historical", year=1850)
    assert form.kind.widget.value == "historical"
    assert form.year.widget.value == 1850
    assert form.year.widget.visible
    assert not form.rows["variables"].visible
    assert not form.rows["where"].visible
    assert form._panel.heard == []


def test_a_number_is_of_stations_or_of_kilometres(form):
    assert form.given.widget.value == "count"
    assert form.amount.widget.value == 100
    form.amount.widget.value = 40
    form.given.widget.value = "spacing"
    names = [(m["name"], m["value"]) for m in form._panel.heard]
    assert names == [("count", 40), ("spacing", 2000)]
    shown(form, spacing=800)
    assert form.given.widget.value == "spacing"
    assert form.amount.widget.value == 800
    form.amount.widget.value = 900
    assert form._panel.heard[-1]["name"] == "spacing"


def test_ships_have_no_number_of_their_own(form):
    form._panel.kinds = [["ships", "Ships", ["spacing_km"]], *form._panel.kinds]
    shown(form, kind="ships")
    assert form.given.widget.options == {"km apart": "spacing"}
    assert form.amount.widget.value == APART


def test_what_was_refused_shows_what_is_in_force_again(form):
    form.amount.widget.value = 99999
    assert form._panel.heard[-1]["value"] == 99999
    assert form.amount.widget.value == 100
    form.amount.widget.value = None
    assert form.amount.widget.value == 100
    form.variables.widget.value = []
    assert form.variables.widget.value == ["tas"]


def test_a_region_is_told_on_its_button_and_taken_back(form):
    assert form.draw.name == "Draw region"
    assert not form.everywhere.visible
    form._panel.put(region_words="0°–45°N")
    shown(form, region=True)
    assert form.draw.name == "0°–45°N"
    assert form.everywhere.visible
    form.everywhere.clicks += 1
    assert form._panel.heard == [{"type": "observing", "name": "region", "value": None}]
