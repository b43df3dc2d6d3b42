"""The series: months, words, start and cancel."""

import pytest
from unfolding import series_of, unfold


@pytest.fixture(scope="module")
def bundle(speedy):
    return speedy


@pytest.fixture
def series(shown, bundle):
    unfold(shown, "series")
    shown.foot.show_series(series_of(bundle), "20 stations")
    shown.heard.clear()
    return shown


def test_months_are_chosen_from_a_list_too(series):
    view = series.views["series"]
    assert view.month.widget.value == "1997-12"
    assert len(view.month.widget.options) == 60
    view.month.widget.value = "1998-01"
    assert series.heard == [{"type": "month", "value": "1998-01"}]
    view.scope.widget.value = "all"
    assert len(view.month.widget.options) == 420
    # A month that the chart does not hold is shown as what it is.
    view.scope.widget.value = "test"
    series.foot.month = "1985-05"
    assert view.month.widget.value == "1985-05"


def test_a_tooltip_tells_every_line(series, bundle):
    view = series.views["series"]
    texts = view.chart._strips.data["text"]
    assert texts[0].splitlines()[0] == "1989-01, test month"
    assert texts[0].splitlines()[2] == "not computed yet"
    series.foot.show_analysis(series_of(bundle, done=2))
    first = view.chart._strips.data["text"][0].splitlines()
    assert [line.split()[0] for line in first[1:]] == ["target", "analysis"]
    assert all(line.endswith(" K") for line in first[1:])


def test_the_words_above_say_how_good_it_is(series, bundle):
    key = series.views["series"].key
    assert "20 stations" in key.object
    assert "RMSE" not in key.object
    series.foot.show_analysis(series_of(bundle, done=24))
    assert "24 test months: RMSE 0.500 K" in key.object


@pytest.mark.slow
def test_one_button_starts_and_one_cancels(series):
    view = series.views["series"]
    assert (view.start.visible, view.cancel.visible) == (True, False)
    view.start.clicks += 1
    series.foot.show_progress(12, 60)
    assert (view.start.visible, view.cancel.visible) == (False, True)
    assert (view.progress.visible, view.progress.value) == (True, 12)
    assert view.progress.html_attributes["aria-valuenow"] == "12"
    assert view.progress.html_attributes["aria-valuemax"] == "60"
    assert "12 of 60" in view.count.object
    view.cancel.clicks += 1
    assert [m["type"] for m in series.heard] == ["series-start", "series-cancel"]
    series.foot.show_progress(running=False, words="It broke.", failed=True)
    assert not view.progress.visible
    # A press that arrives after the end is still a cancel.
    view.cancel.clicks += 1
    assert series.heard[-1]["type"] == "series-cancel"
    assert (view.start.visible, view.cancel.visible) == (True, False)
    assert "failed" in view.count.object


def test_lines_of_other_settings_fade_and_say_so(series):
    view = series.views["series"]
    series.foot.mode = "perturb"
    assert view.change.widget.visible
    assert view.start.name == "Compute both series"
    series.foot.stale = "Made for other settings."
    assert "Made for other settings." in view.key.object
    assert view.chart._lines["changed"].glyph.line_alpha < 0.6
    assert view.chart._lines["target"].glyph.line_alpha == 1
