"""The part Densities."""

from unfolding import unfold

from app.charts.densities import Densities, normal


def test_curves_and_neighbours_are_shown_and_choices_sent(shown):
    shown.foot.mode = "observe"
    unfold(shown, "densities")
    view = shown.views["densities"]
    assert view.near.object == ""
    shown.foot.densities = {
        "where": "place", "variable": "psl", "words": "at 50°N",
        "chart": Densities([normal("before", "analysis", 1.0, 0.5)], units="hPa"),
        "nearest": ["Ship <A>, 12 km", "Oslo, 90 km"],
    }  # fmt: skip
    assert (view.where.widget.value, view.variable.widget.value) == ("place", "psl")
    assert view.chart.figure.xaxis[0].axis_label == "hPa"
    assert "before" in view.key.object
    assert "at 50°N" in view.words.object
    assert "<li>Ship &lt;A&gt;, 12 km</li><li>Oslo, 90 km</li>" in view.near.object
    # What is shown is not sent back as a choice.
    assert [m for m in shown.heard if m["type"].startswith("density")] == []
    view.where.widget.value = "region"
    view.variable.widget.value = "pr"
    assert shown.heard[-2:] == [
        {"type": "density-where", "value": "region"},
        {"type": "density-variable", "value": "pr"},
    ]
