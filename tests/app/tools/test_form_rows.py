"""The form of Observe: observations that are selected, typed or in a file."""

import pytest
from observe_panel import made_panel

from app.components import LARGEST_FILE
from app.tools.form_rows import RowsForm, rejected_words


@pytest.fixture
def form():
    made = RowsForm(made_panel(), lambda: "report:-2")
    made.show()
    return made


def test_only_what_is_selected_can_be_changed(form):
    assert [b.disabled for b in form.many.values()] == [True, True, True, False]
    form._panel.put(counts={**form._panel.counts, "chosen": 2})
    form.show()
    assert not any(b.disabled for b in form.many.values())
    assert "2 selected" in form.chosen.object
    for made in form.many.values():
        made.clicks += 1
    assert [m["action"] for m in form._panel.heard] == ["withhold", "restore", "delete", "all"]


def test_coordinates_are_placed_by_the_button_and_by_enter(form):
    form.variable.widget.value = "psl"
    form.lat.value, form.lon.value = " \N{MINUS SIGN}12,5 ", "130.8"
    form.put.clicks += 1
    form.lon.param.trigger("enter_pressed")
    wanted = {"type": "obs-put", "variable": "psl", "lat": "-12.5", "lon": "130.8"}
    assert form._panel.heard == [{**wanted, "as": "report:-2"}] * 2


def test_a_file_is_given_as_text_once_each_time(form):
    form.file.param.update(value="\ufeffvariable,lat\n".encode(), filename="mine.csv")
    assert form._panel.heard == [
        {"type": "obs-upload", "name": "mine.csv", "text": "variable,lat\n"}
    ]
    form.file.value = None
    assert len(form._panel.heard) == 1


def test_a_file_that_is_too_large_is_not_read(form):
    form.file.param.update(value=b"1" * (LARGEST_FILE + 1), filename="all.csv")
    (message,) = form._panel.heard
    assert (message["type"], message["size"]) == ("obs-too-large", LARGEST_FILE + 1)


def test_refused_rows_are_listed_as_text(form):
    assert not form.rejected.visible
    form._panel.put(rejected=[[2, "no <place>"]], rejected_words="1 of 2 rows refused:")
    form.show()
    assert form.rejected.visible
    assert "row 2" in form.rejected.object
    assert "&lt;place&gt;" in rejected_words("", form._panel.rejected)


def test_the_experiment_is_offered_where_the_bundle_has_it(form):
    assert not form.trial_row.visible
    made = RowsForm(made_panel(trial="Try one alone: height, 21°N 129°E"), lambda: "value")
    made.show()
    assert made.trial_row.visible
    assert made.trial.name == "Try one alone: height, 21°N 129°E"
    made.trial.clicks += 1
    assert made._panel.heard == [{"type": "trial"}]
