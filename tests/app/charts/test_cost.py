"""The chart of the cost by step."""

import pytest

from app.charts.cost import LEAST_SPAN, CostChart

PATH = [[0.0, 200.0, 200.0], [10.0, 120.0, 130.0], [12.0, 100.0, 112.0]]


def test_each_step_has_a_dot_and_says_what_it_is_made_of():
    chart = CostChart("light")
    chart.draw(PATH)
    assert chart._source.data["step"] == [0, 1, 2]
    assert chart._source.data["cost"] == [200.0, 130.0, 112.0]
    assert chart._source.data["text"][1] == "step 1: 130.0 = prior 10.0 + observations 120.0"
    assert chart.figure.y_range.start < 112
    assert chart.figure.y_range.end > 200
    chart.draw(PATH[:1])
    assert chart._source.data["step"] == [], "one step is no curve yet"


def test_what_hardly_falls_looks_flat():
    chart = CostChart("light")
    chart.draw([[0.0, 100.0, 100.0], [0.0, 99.99, 99.99]])
    shown = chart.figure.y_range
    assert shown.end - shown.start >= 100 * LEAST_SPAN


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_follows_the_theme(theme):
    chart = CostChart("dark" if theme == "light" else "light")
    before = chart._line.glyph.line_color
    chart.set_theme(theme)
    assert chart._line.glyph.line_color != before
