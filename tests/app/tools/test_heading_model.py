"""The heading of the model's column."""

import pytest

from app.tools.heading_model import ModelHeading
from mlda_core.page_state.observations import ObservationSettings
from mlda_core.page_state.settings import options_of


@pytest.fixture
def heard():
    return []


@pytest.fixture
def heading(heard):
    return ModelHeading(heard.extend, list(options_of(ObservationSettings, "column").items()))


def test_only_what_belongs_to_the_column_is_seen(heading):
    def seen():
        parts = {
            "amplify": heading.amplify.widget,
            "hatching": heading.hatching,
            "event": heading.of_event.widget,
            "limit": heading.limit.widget,
        }
        shown = {name for name, part in parts.items() if part.visible}
        return shown | ({"members"} if heading.members.shown else set())

    assert seen() == {"amplify"}
    heading.put(column="spread")
    assert seen() == {"amplify", "hatching"}
    heading.put(column="member")
    assert seen() == {"members"}
    heading.put(scale=2)
    assert seen() == {"amplify", "members"}, "what is amplified can be put back"
    heading.put(column="probability", event="above")
    assert seen() == {"event"}
    heading.put(event="under", threshold=-1.5)
    assert seen() == {"event", "limit"}
    assert heading.limit.widget.value == "-1.5"
    heading.put(vector=True)
    assert heading.vectors.widget.visible


def test_beside_another_method_the_labels_say_whose_they_are(heading):
    heading.put(model_label="Analysis", analysis=True)
    assert heading.labels()["model"] == "Analysis"
    assert heading.labels()["difference"] == "Analysis \u2212 target"
    heading.put(who="VAE", against="ensemble OI")
    assert heading.labels()["model"] == "VAE: analysis"
    assert heading.labels()["increment"] == "VAE: increment"
    assert heading.labels()["difference"] == "Analysis \u2212 ensemble OI"
    assert "VAE: spread" in heading.choice.widget.options
    assert heading.choice.widget.html_attributes == {"title": "VAE: analysis"}


def test_each_widget_sends_its_message_and_shows_what_is_in_force(heading, heard):
    heading.choice.widget.value = "spread"
    heading.amplify.widget.value = "5"
    heading.vectors.widget.value = []
    heading.share.widget.value = 70
    heading.of_event.widget.value = "lower"
    heading.limit.widget.value = "\N{MINUS SIGN}1,5"
    heading.limit.widget.value = "warm"
    assert [(m["type"], m["value"]) for m in heard] == [
        ("column", "spread"), ("scale", 5), ("arrows", False), ("hatch", 0.7),
        ("event", "lower"), ("threshold", -1.5), ("threshold", "warm"),
    ]  # fmt: skip
    # Nobody took them.
    assert heading.choice.widget.value == "model"
    assert heading.share.widget.value == 50
    assert heading.limit.widget.value == "1"


def test_what_is_said_elsewhere_on_the_page(heading):
    heading.put(hint="Point at a marker", shows_member=True)
    said = heading.titles()
    assert said["--hint"] == "Point at a marker"
    assert said["--column-title"] == "Model"
    assert said[".against .model"] == "Member"


def test_a_note_of_another_month_is_marked(heading):
    heading.put(note="still of <1982-01>", stale=True)
    assert "&lt;1982-01&gt;" in heading.said.pane.object
    assert "still" in heading.said.pane.css_classes
    heading.put(note="", stale=False)
    assert "still" not in heading.said.pane.css_classes


def test_a_state_can_be_pinned_and_what_is_none_cannot(heading, heard):
    heading.pin.clicks += 1
    assert heard == [{"type": "pin"}]
    for column, pinned in (("difference", True), ("member", True), ("spread", False)):
        heading.put(column=column)
        assert heading.pin.visible is pinned
