"""What stands below the maps: parts made when they are opened, and kept up with the foot."""

import numpy as np
import pytest
from bokeh.document import Document
from driver_account import make_drivers

from app.charts.impact_gauge import ROWS
from app.maps.color_scales import THEMES
from app.results.impacts import now_for, series_for
from app.results.panel import Foot
from app.results.view import FootView
from app.results.widgets import Choice
from mlda_core.assimilation.regional_series import Series
from mlda_core.bundle.bundle import load_bundle
from mlda_core.climate.regions import BASINS, REGIONS
from mlda_core.evaluation.verification import verify
from mlda_core.impact.files import load_impact


@pytest.fixture(scope="module")
def bundle(speedy):
    return speedy


@pytest.fixture
def shown(bundle):
    heard = []

    def act(batch):
        for message in batch:
            heard.append(message)
            if message["type"] == "foot":
                foot.opened = message["value"]

    foot = Foot(act, variables=bundle.variables, month="1997-12", method="vae")
    view = FootView(foot)
    view.heard, view.foot = heard, foot
    return view


def unfold(view, *parts):
    for part in parts:
        value = view.headings.value
        view.headings.value = [p for p in value if p != part] if part in value else [*value, part]


def series_of(bundle, done=0):
    series = Series(bundle, lambda _: None)
    for month in [m for m in bundle.months if bundle.split(m) == "test"][:done]:
        series.add(month, bundle.target(month) + 0.5)
    return series.means(REGIONS["globe"])


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
    assert list(shown.headings.options.values()) == ["scores", "series"]
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


@pytest.fixture
def table(shown, bundle):
    unfold(shown, "scores")
    target = bundle.target("1997-12")
    made = {"vae": 0.5 * target, "enoi": 0.5 * target, "eof": 0.1 * target}
    shown.foot.show_scores(verify(made, bundle, target=target))
    shown.heard.clear()
    return shown


def rows(view):
    frame = view.views["scores"].table.value
    keys = [key for key, *_ in view.foot.methods]
    return {key: frame.iloc[i] for i, key in enumerate(keys)}


def test_the_table_writes_scores_and_marks_the_best(table):
    found = rows(table)
    assert ">0.75<" in found["vae"]["psl"]
    assert found["vae"]["psl"].startswith("<b")
    assert "least RMSE" in found["vae"]["psl"] + found["enoi"]["psl"]
    assert "as good as the best" in found["vae"]["psl"] + found["enoi"]["psl"]
    assert found["eof"]["psl"].startswith("<span")
    assert "no score" in found["adam"]["psl"]
    assert "4608 cells" in found["vae"]["psl"]


def test_another_measure_is_written_with_its_digits_and_units(table):
    view = table.views["scores"]
    before = rows(table)["vae"]["pr"]
    view.measure.widget.value = "rmse"
    assert rows(table)["vae"]["pr"] != before
    assert view.table.titles["pr"].endswith("(mm/day)")
    view.measure.widget.value = "r"
    # A correlation says nothing of amplitudes: none is the best.
    assert "<b " not in "".join(rows(table)["vae"])


def test_a_click_chooses_a_method_and_a_second_one_leaves_it(table):
    view = table.views["scores"]
    keys = [key for key, *_ in table.foot.methods]
    assert view.table.selection == [keys.index("vae")]
    view.table.selection = [keys.index("enoi")]
    assert table.heard == [{"type": "method", "value": "enoi"}]
    assert view.table.selection == [keys.index("vae")], "until it is shown"
    table.foot.method = "enoi"
    assert view.table.selection == [keys.index("enoi")]
    view.table.selection = []
    assert view.table.selection == [keys.index("enoi")]
    assert len(table.heard) == 1


def test_withheld_observations_can_be_chosen_where_there_are_any(table):
    view = table.views["scores"]
    assert "withheld" not in view.place.widget.options.values()
    scores = dict(table.foot.scores)
    scores["withheld"] = {"vae": {"tas": {"explained_variance": 0.4, "rmse": 1, "r": 1, "n": 7}}}
    table.foot.scores = scores
    view.place.widget.value = "withheld"
    assert "7 withheld observations" in rows(table)["vae"]["tas"]
    table.foot.scores = {**scores, "withheld": {}}
    assert table.foot.place == "target"


# -- the series


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


# -- the drivers


def test_drivers_are_bars_with_their_numbers(shown):
    shown.foot.mode = "perturb"
    unfold(shown, "drivers")
    view = shown.views["drivers"]
    label = view.find.name
    assert "1997-12" in view.what.object
    assert not view.chart.figure.visible
    shown.variable.widget.value = "pr"
    view.find.clicks += 1
    assert shown.heard[-1] == {"type": "drivers", "value": "pr"}
    shown.foot.show_drivers(make_drivers("pr"))
    assert view.chart.figure.visible
    bars = view.chart._bars.data
    assert len(bars["x"]) == len(BASINS)
    # The first stands at the top; warm where it adds, cold where it takes away.
    assert bars["y"][0] == len(BASINS) - 1
    assert bars["warm"][:2] == [1.0, 0.0]
    assert view.chart.figure.yaxis[0].major_label_overrides[len(BASINS) - 1] == "Arctic"
    assert "+4.800 mm/day" in view.chart._numbers.major_label_overrides[len(BASINS) - 1]
    assert "mm/day" in view.chart.figure.xaxis[0].axis_label
    assert "mostly cancel" in view.words.object
    shown.variable.widget.value = "tas"
    assert "of other settings: Precipitation" in view.what.object
    assert view.chart._renderer.glyph.fill_alpha < 0.6
    shown.foot.show_drivers(None, busy="Finding the drivers of 1997-12")
    assert "Finding the drivers" in view.what.object
    # The element would be made anew, and the keyboard's focus lost.
    assert (view.find.name, view.find.disabled) == (label, False)


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


# -- the impact


@pytest.fixture
def impact(repo_root):
    """The Thames beside the real world's maps."""
    world = load_bundle(repo_root / "assets/bundles/real")
    head = load_impact("thames", world)
    foot = Foot(variables=world.variables, month="1998-01", impacts=[["thames", head.title]])
    view = FootView(foot)
    z = world.code("1998-01")
    foot.param.update(
        impact=series_for(head),
        impact_now=now_for(head, "1998-01", head.predict(z, "1998-01")),
        opened=["impact"],
    )
    view.foot, view.head, view.world = foot, head, world
    return view


def test_a_slider_changes_one_source_and_the_words(impact):
    view, head, foot = impact.views["impact"], impact.head, impact.foot
    z = np.array(impact.world.code("1998-01"), np.float32)
    events = []

    def record(event):
        events.append((type(event).__name__, getattr(event, "attr", "")))

    document = Document()
    for root in (view.chart.figure, view.gauge.figure):
        document.add_root(root)
    document.on_change(record)
    z[:6] += 1.5
    before = view.number.object
    foot.put(impact_now=now_for(head, "1998-01", head.predict(z, "1998-01")))
    assert view.number.object != before
    assert events == [("ColumnDataChangedEvent", "data")]


def test_gauge_and_chart_mark_the_same_prediction(impact):
    view, now = impact.views["impact"], impact.foot.impact_now
    row = ROWS.index("predicted")
    marked = view._now.data
    assert (marked["low"][row], marked["median"][row], marked["high"][row]) == (
        now["low"],
        now["median"],
        now["high"],
    )
    assert marked["x"][row] == view.chart.place_of("1998-01")
    assert np.isfinite(marked["x"]).sum() == 1
    assert marked["median"][ROWS.index("measured")] == now["observed"]
    assert view.gauge.figure.xaxis[0].axis_label == view.chart.figure.yaxis[0].axis_label == "m³/s"
    # What lies beyond the axis has a mark at its end.
    assert not np.isfinite(marked["beyond"]).any()
    impact.foot.put(impact_now={**now, "median": 9000.0, "high": 9999.0})
    assert view._now.data["beyond"][row] == view.gauge.figure.x_range.end


def test_the_months_near_the_one_shown_test_months_or_all(impact):
    view, record = impact.views["impact"], impact.foot.impact
    assert len(view.month.widget.options) == 2 * 84 + 1
    view.scope.widget.value = "test"
    assert len(view.month.widget.options) == record["split"].count("T")
    texts = view.chart._strips.data["text"]
    assert "no prediction" in texts[0]
    assert "measured " in texts[0]
    view.scope.widget.value = "all"
    assert len(view.chart._strips.data["text"]) == len(record["months"])
    assert view.chart._area.data["xs"], "an interval of each month"


def test_without_a_prediction_the_gauge_shows_the_rest(impact):
    view = impact.views["impact"]
    impact.foot.put(impact_now=now_for(impact.head, "1998-01", None, "Why not."))
    assert "Why not." in view.facts.object
    row = ROWS.index("predicted")
    assert np.isnan(view._now.data["median"][row])
    assert np.isfinite(view._now.data["median"][ROWS.index("usual")])
