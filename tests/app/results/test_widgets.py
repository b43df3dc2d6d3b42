"""Widgets of the results."""

from app.results.widgets import Choice


def test_entries_of_one_label_stay_apart():
    heard = []
    made = Choice("Series", heard.append, {"a": "Thames", "b": "Thames", "c": "Rhine"}, "a")
    assert list(made.widget.options.values()) == ["a", "b", "c"]
    assert len(set(made.widget.options)) == 3
    assert "Rhine" in made.widget.options
    made.widget.value = "b"
    assert heard == ["b"]
    made.show("c", {"a": "Thames", "c": "Rhine"})
    assert list(made.widget.options) == ["Thames", "Rhine"]
    assert heard == ["b"]
