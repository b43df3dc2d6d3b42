"""The chart of a cycle's errors."""

from types import SimpleNamespace

import numpy as np
import pytest

from app.charts.cycle import DAY_MS, Curves, CycleChart, at

DAYS = ("1997-01-30", "1997-01-31", "1997-02-01", "1997-02-02")
CURVES = Curves(
    DAYS,
    {"chosen": np.array([4.0, 3.0]), "free": np.array([4.0, 6.0]), "earlier": np.array([5.0])},
    {"chosen": "3D-Var: analysis", "free": "free forecast", "earlier": "earlier: Static"},
    earlier_days=("1997-01-20",),
    withheld=(("1997-01-31", "1997-02-01"),),
    units="m",
    what="RMSE of height",
)


def test_lines_grow_by_their_days_and_say_what_they_are():
    chart = CycleChart(print, "light")
    chart.draw(CURVES, "1997-01-31")
    data = chart._sources["chosen"].data
    assert data["x"] == [at(day) for day in DAYS[:2]]
    assert data["y"] == [4.0, 3.0]
    assert data["text"][1] == "1997-01-31\n3D-Var: analysis: 3 m\nfree forecast: 6 m"
    assert chart._sources["earlier"].data["x"] == [at("1997-01-20")]
    assert chart._sources["static"].data["x"] == []
    assert [item.visible for item in chart._items.values()] == [True, True, False, False, True]
    assert chart.figure.yaxis[0].axis_label == "RMSE of height, m"
    assert chart.figure.y_range.end > 6
    assert chart.figure.x_range.end == at(DAYS[-1]) + DAY_MS / 2
    assert chart._stretches.data["x1"] == [at("1997-02-01") + DAY_MS / 2]
    assert (chart._here.visible, chart._here.location) == (True, at("1997-01-31"))
    chart.draw(CURVES, "1997-05-01")
    assert not chart._here.visible


def test_a_click_goes_to_its_day():
    went = []
    chart = CycleChart(went.append, "light")
    chart._tap(SimpleNamespace(x=0.0))
    chart.draw(CURVES, DAYS[0])
    chart._tap(SimpleNamespace(x=at("1997-02-01") + 0.4 * DAY_MS))
    chart._tap(SimpleNamespace(x=None))
    assert went == ["1997-02-01"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_follows_the_theme(theme):
    chart = CycleChart(print, "dark" if theme == "light" else "light")
    before = chart._lines["chosen"].glyph.line_color
    chart.set_theme(theme)
    assert chart._lines["chosen"].glyph.line_color != before
