"""What stands below the maps: parts made when they are opened, and kept up with the foot."""

import pytest
from unfolding import series_of, unfold

from app.maps.color_scales import THEMES
from mlda_core.evaluation.verification import verify


@pytest.fixture(scope="module")
def bundle(speedy):
    return speedy


def test_before_a_part_is_opened_there_is_no_figure(shown):
    assert shown.views == {}
    assert not shown.parts.visible
    unfold(shown, "series")
    assert shown.heard == [{"type": "foot", "value": ["series"]}]
    assert set(shown.views) == {"series"}
    assert shown.parts.visible
    unfold(shown, "series")
    assert not shown.parts.visible
    assert not shown.views["series"].root.visible


def test_what_the_line_offers_is_what_can_be_opened(shown):
    parts = ["scores", "series", "ranks", "densities", "members"]
    assert list(shown.headings.options.values()) == parts
    shown.foot.mode = "perturb"
    shown.foot.impacts = [["thames", "Thames"]]
    assert list(shown.headings.options.values()) == ["scores", "series", "drivers", "impact"]
    unfold(shown, "drivers", "scores")
    assert shown.headings.value == ["scores"]
    shown.foot.mode = "observe"
    assert "drivers" not in shown.headings.options.values()


def test_a_variable_is_chosen_where_something_depends_on_it(shown):
    assert shown.foot.variable == "tas", "the global means of the others hardly move"
    assert not shown.variable.widget.visible
    unfold(shown, "series")
    assert shown.variable.widget.visible


def test_another_region_is_asked_for_and_a_refusal_is_seen(shown):
    shown.region.widget.value = "nino34"
    assert shown.heard == [{"type": "foot-region", "value": "nino34"}]
    # Nobody answered: the list says what is so.
    assert shown.region.widget.value == "globe"
    shown.foot.region = "nino34"
    assert shown.region.widget.value == "nino34"
    assert len(shown.heard) == 1, "what is shown is not asked for"


def test_the_table_says_under_which_conditions_and_the_line_what_is_computed(shown, bundle):
    target = bundle.target("1997-12")
    shown.foot.show_scores(verify({"vae": target}, bundle, target=target, month="1995-03"))
    unfold(shown, "scores")
    assert shown.words.object == ""
    assert "fit, not skill" in shown.views["scores"].words.object
    shown.foot.busy = "running EOFs"
    assert "running EOFs" in shown.words.object
    # The element would be made anew, and the keyboard's focus lost.
    assert not shown.views["scores"].compare.disabled
    unfold(shown, "scores")
    assert "running EOFs" in shown.words.object


# -- the table


# -- the series


@pytest.fixture
def series(shown, bundle):
    unfold(shown, "series")
    shown.foot.show_series(series_of(bundle), "20 stations")
    shown.heard.clear()
    return shown


# -- the drivers


def test_groups_have_a_role_and_a_name_that_bokeh_draws(shown):
    shown.foot.mode = "perturb"
    unfold(shown, "scores", "series")
    scores, series = (shown.views[part] for part in ("scores", "series"))
    drawn = {
        widget.name: widget.get_root().html_attributes
        for widget in (shown.headings, scores.measure.widget, scores.place.widget,
                       series.scope.widget)
    }  # fmt: skip
    for name, attributes in drawn.items():
        assert attributes["aria-label"] == name
        assert attributes["role"] in {"group", "radiogroup"}
    bar = series.progress.get_root().html_attributes
    assert (bar["role"], bar["aria-label"]) == ("progressbar", "Months of the series")
    assert "counting alike" in scores.place.widget.get_root().html_attributes["title"]
    for widget in (scores.compare, series.start, series.cancel, series.change.widget):
        assert widget.get_root().html_attributes["title"]


def test_impact_is_explained_where_there_is_one(shown):
    model = shown.headings.get_root()
    assert "title" not in model.html_attributes
    shown.foot.impacts = [["thames", "Thames"]]
    assert "latent" in shown.headings.get_root().html_attributes["title"]


def test_all_parts_follow_the_theme(shown, bundle):
    shown.foot.mode = "perturb"
    unfold(shown, "series", "drivers")
    figures = [shown.views[part].chart.figure for part in ("series", "drivers")]
    grounds = set()
    for theme in THEMES:
        shown.foot.theme = theme
        found = {figure.background_fill_color for figure in figures}
        assert len(found) == 1
        grounds |= found
    assert len(grounds) == 2
