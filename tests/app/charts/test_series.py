"""The chart of a series: where months stand, where lines break, what a click chooses."""

from types import SimpleNamespace

import numpy as np
import pytest

from app.charts.colors import COLORS
from app.charts.series import ChartData, Line, SeriesChart, centres_of, runs_of

MONTHS = ("1989-11", "1989-12", "1990-01", "1997-01", "1997-02")
KINDS = {"target": "text", "analysis": "analysis"}


def data(shown=range(5), split="TTtTT", analysis=(0.1, None, 0.3, 0.4, None), band=None):
    shown = list(shown)
    lines = [
        Line("target", "target", [1.0, 2.0, -1.0, 0.5, 0.25]),
        Line("analysis", "analysis", list(analysis)),
    ]
    return ChartData(MONTHS, split, shown, lines, "K", [MONTHS[i] for i in shown], band)


@pytest.fixture
def chart():
    went = []
    made = SeriesChart(KINDS, went.append, "light", band="target")
    made.went = went
    return made


def test_months_that_do_not_follow_stand_apart():
    assert centres_of(MONTHS).tolist() == pytest.approx([0.5, 1.5, 2.5, 4.3, 5.3])
    assert centres_of(()).tolist() == []


def test_days_follow_each_other_and_the_axis_names_their_months(chart):
    days = ("1983-12-31", "1984-01-01", "1984-02-28", "1984-02-29", "1984-03-01")
    assert centres_of(days).tolist() == pytest.approx([0.5, 1.5, 3.3, 4.3, 5.3])
    line = Line("target", "target", [1.0] * 5)
    chart.draw(ChartData(days, "TTTTT", range(5), [line], "K", list(days)), days[0])
    assert chart._years.data["year"] == ["1983-12", "1984-01", "1984-02", "1984-03"]
    assert chart._years.data["x"] == pytest.approx([0.0, 1.0, 2.8, 4.8])
    assert chart.figure.xaxis[0].axis_label == "Month"
    chart.draw(data(), MONTHS[0])
    assert chart._years.data["year"] == ["1989", "1990", "1997"]
    assert chart.figure.xaxis[0].axis_label == "Year"


def test_runs_end_where_months_do_not_follow_or_nothing_is_there():
    centres = centres_of(MONTHS)
    assert runs_of(np.ones(5, bool), centres) == [slice(0, 3), slice(3, 5)]
    assert runs_of(np.array([True, False, True, True, False]), centres) == [
        slice(0, 1),
        slice(2, 3),
        slice(3, 4),
    ]


@pytest.mark.slow
def test_lines_break_between_years_and_lone_months_are_dots(chart):
    chart.draw(data(), "1989-12")
    drawn = chart._values.data
    # A row of nothing between 1990 and 1997.
    assert np.isnan(drawn["x"]).tolist() == [False, False, False, True, False, False]
    assert np.isnan(drawn["target"][3])
    assert np.isfinite(drawn["target"]).sum() == 5
    assert not np.isfinite(drawn["target_dot"]).any()
    # The analysis has a dot a month, to be told apart without its colour.
    assert np.isfinite(drawn["analysis_dot"]).tolist() == [True, False, True, False, True, False]
    # And a line where years are left out.
    assert chart._seams.data["x"] == [pytest.approx(3.4)]


def test_of_many_months_only_lone_ones_are_dots(chart):
    months = [f"{1900 + i // 12}-{i % 12 + 1:02d}" for i in range(240)]
    values = [1.0] * 100 + [None, 2.0, None] + [1.0] * 137
    lines = [Line("target", "target", values), Line("analysis", "analysis", values)]
    chart.draw(ChartData(months, "t" * 240, range(240), lines, "K", months), "1900-01")
    for kind in KINDS:
        assert np.flatnonzero(np.isfinite(chart._values.data[f"{kind}_dot"])).tolist() == [101]


def test_test_years_are_shaded_where_others_stand_beside_them(chart):
    chart.draw(data(), "1989-12")
    assert chart._test.data["x0"] == pytest.approx([0.0, 3.8])
    assert chart._test.data["x1"] == pytest.approx([2.0, 5.8])
    chart.draw(data(shown=[0, 1, 3, 4]), "1989-12")
    assert chart._test.data["x0"] == []


def test_a_click_chooses_the_nearest_month(chart):
    chart._tap(SimpleNamespace(x=1.0))
    assert chart.went == []
    chart.draw(data(shown=[0, 1, 3, 4]), "1989-12")
    for x in (-3.0, 1.4, 2.6, 99.0):
        chart._tap(SimpleNamespace(x=x))
    assert chart.went == ["1989-11", "1989-12", "1997-01", "1997-02"]


def test_the_month_shown_has_a_line_where_the_chart_holds_it(chart):
    chart.draw(data(), "1997-01")
    assert chart._here.visible
    assert chart._here.location == pytest.approx(4.3)
    chart.show_month("1950-01")
    assert not chart._here.visible


def test_the_scale_holds_zero_and_all_values_with_units(chart):
    chart.draw(data(band=([None] * 5, [0, 0, 0, 0, 7.0])), "1989-12")
    shown = chart.figure.y_range
    assert shown.start < -1
    assert shown.end > 7
    assert chart.figure.yaxis[0].axis_label == "K"
    assert (chart.figure.x_range.start, chart.figure.x_range.end) == (0, pytest.approx(5.8))


def test_a_zoom_survives_new_months_and_goes_with_other_ones(chart):
    chart.draw(data(), "1989-12")
    chart.figure.x_range.update(start=1, end=3)
    chart.draw(data(analysis=(0.1, 0.2, 0.3, 0.4, 0.5)), "1989-12")
    assert (chart.figure.x_range.start, chart.figure.x_range.end) == (1, 3)
    chart.draw(data(shown=[0, 1]), "1989-12")
    assert (chart.figure.x_range.start, chart.figure.x_range.end) == (0, 2)


def test_the_band_is_an_outline_a_stretch(chart):
    chart.draw(data(band=([0, 0, None, 1, 1], [1, 1, None, 2, 2])), "1989-12")
    assert chart._area.data["xs"] == [
        pytest.approx([0.5, 1.5, 1.5, 0.5]),
        pytest.approx([4.3, 5.3, 5.3, 4.3]),
    ]
    assert chart._area.data["ys"][1] == [2, 2, 1, 1]
    # A lone month is as wide as a month.
    chart.draw(data(band=([0, None, None, None, None], [1, None, None, None, None])), "1989-12")
    assert chart._area.data["xs"] == [pytest.approx([0, 1, 1, 0])]


def test_the_legend_names_what_is_drawn(chart):
    chart.draw(data(analysis=[None] * 5), "1989-12")
    assert [chart._items[kind].visible for kind in KINDS] == [True, False]
    chart.draw(data(), "1989-12")
    assert chart._items["analysis"].visible


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def contrast(a, b):
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_can_be_told_apart_in_both_themes(chart, theme):
    chart.set_theme(theme)
    target, analysis = (chart._lines[kind].glyph.line_color for kind in KINDS)
    ground = chart.figure.background_fill_color
    # Lightness tells them apart where hue does not; 3:1 is what lines need to be seen.
    assert contrast(target, ground) > 7
    assert contrast(analysis, ground) > 4.5
    assert contrast(target, analysis) > 1.8
    # Of colours that deuteranopes see, blue against yellow is left: one has it, the other not.
    red, blue = (
        [int(COLORS[theme][name][i : i + 2], 16) for i in (1, 3, 5)]
        for name in ("analysis", "changed")
    )
    assert red[0] - red[2] > 100
    assert blue[2] - blue[0] > 100


def test_faded_lines_are_those_asked_for(chart):
    chart.fade(frozenset({"analysis"}))
    assert chart._lines["analysis"].glyph.line_alpha < 0.6
    assert chart._lines["target"].glyph.line_alpha == 1
    chart.fade(frozenset())
    assert chart._lines["analysis"].glyph.line_alpha == 1
