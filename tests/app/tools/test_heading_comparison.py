"""The heading of the column beside the model."""

from app.tools.heading_comparison import ComparisonHeading

VIEWS = [("target", "Target"), ("enoi", "Ensemble OI")]


def test_the_choice_is_sent_and_named_by_what_is_shown_of_it():
    heard = []
    heading = ComparisonHeading(heard.extend, VIEWS)
    heading.choice.widget.value = "enoi"
    assert heard == [{"type": "beside", "value": "enoi"}]
    # Nobody took it.
    assert heading.choice.widget.value == "target"
    heading.put(beside="enoi", quantity="increment", name_within="ensemble OI")
    assert list(heading.choice.widget.options) == ["Target", "Ensemble OI: increment"]
    assert heading.titles() == {
        "--beside-title": "Ensemble OI: increment",
        ".against .other": "ensemble OI",
    }


def test_where_there_is_no_choice_it_is_a_title():
    heading = ComparisonHeading(None, VIEWS[:1])
    assert heading.only.visible
    assert not heading.choice.widget.visible
    assert heading.titles()["--beside-title"] == "Target"


def test_a_pinned_state_is_offered_where_there_is_one_and_can_be_let_go():
    heard = []
    heading = ComparisonHeading(heard.extend, [VIEWS[0], ("pinned", "Pinned state")])
    assert heading.only.visible
    assert not heading.unpin.visible
    heading.put(pinned=True, beside="pinned", quantity="analysis", name_within="pinned state")
    assert list(heading.choice.widget.options) == ["Target", "Pinned state"]
    assert heading.choice.widget.visible
    assert 'data-term="pinned state"' in heading.about.object
    heading.unpin.clicks += 1
    assert heard == [{"type": "unpin"}]
    heading.put(beside="target")
    assert not heading.unpin.visible
    assert "Pinned state" in heading.choice.widget.options
