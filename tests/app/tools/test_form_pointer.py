"""The form of Observe: what the pointer does on the maps."""

import json

from observe_panel import made_panel

from app.tools.form_pointer import MODES, PointerForm
from app.tools.observe_actions import MODES as KNOWN
from app.web_files import read


def test_modes_are_those_that_browser_and_server_know():
    assert set(MODES) < set(KNOWN)
    # The browser finds the radio button of a mode by its place.
    assert f"const MODES = {json.dumps(list(MODES))}" in read("observe_gestures.js")


def test_the_browser_finds_what_it_reads_by_name_and_what_clicks_place_is_sent():
    form = PointerForm(made_panel(), None)
    made = read("observe_gestures.js")
    for field in (form.mode, form.station, form.kind):
        assert f'"{field.widget.model_name}"' in made
    form.mode.widget.value = "lasso"
    form.station.widget.value = ["on"]
    form.kind.widget.value = "report:-2"
    # The server says what the next click does.
    assert form._panel.heard == [{"type": "obs-as", "value": "report:-2"}]


def test_where_the_values_come_from_is_told_where_there_is_something_to_tell():
    form = PointerForm(made_panel(values="Values: <sampled>"), None)
    form.show()
    assert "&lt;sampled&gt;" in form.values.object
    assert form.values.visible
    assert not form.months.visible
