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
    assert heading.choice.widget not in heading.root.objects
    assert heading.titles()["--beside-title"] == "Target"
