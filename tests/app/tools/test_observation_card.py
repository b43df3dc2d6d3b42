"""The card of one observation without a browser."""

import numpy as np
import pytest
from visiting import Visit

from app.charts.densities import Curve, Densities, DensityChart, Mark, normal
from app.tools.observation_card import densities_of, facts
from mlda_core.assimilation.observation_influence import observation_influence
from mlda_core.page_state.analyses import engine_of

SOME = "?network=stations&stations=20&tool=observe"


@pytest.fixture(scope="module")
def v(speedy):
    one = Visit(speedy, SOME)
    one.settle()
    yield one
    one.session.close()


def opened(visit):
    return not visit.work.run and visit.observer.card.found is not None


def ask(v, row):
    v.send(type="obs-ask", variable=v.rows["variable"].iloc[row], row=row)


@pytest.mark.slow
def test_a_question_opens_the_card_and_the_same_again_closes_it(v, speedy):
    card = v.observer.card
    assert not card.root.visible
    ask(v, 7)
    assert card.root.visible
    assert "Looking" in card.words.object
    v.settle(opened)
    task = v.work.task
    expected = observation_influence(engine_of(speedy), task.observations, task.month, 7)
    assert card.found.sentence() == expected.sentence()
    assert expected.sentence().replace("'", "&#x27;") in card.words.object
    assert "Observation 8" in card.title.object
    # Selected in table and map too.
    assert v.observer.listing.widget.selection == [7]
    for what, value in facts(expected):
        assert what in card.words.object
        assert value in card.words.object
    ask(v, 7)
    assert not card.root.visible
    assert not v.observer.chosen


@pytest.mark.slow
def test_the_picture_is_prior_others_posterior_and_observation(v):
    ask(v, 3)
    v.settle(opened)
    found = v.observer.card.found
    shown = densities_of(found)
    for curve, mean, sd in zip(
        shown.curves,
        (found.background, found.others, found.analysis),
        (found.background_sd, found.others_sd, found.analysis_sd),
        strict=True,
    ):
        width = np.gradient(curve.x)
        assert (curve.y * width).sum() == pytest.approx(1, abs=0.01)
        assert (curve.x * curve.y * width).sum() == pytest.approx(mean, abs=0.01 * sd)
    (mark,) = shown.marks
    assert (mark.value, mark.error) == (found.value, found.error_sd)
    chart = v.observer.card.chart
    assert [len(source.data["x"]) for source in chart._sources] == [121] * 3
    assert list(chart._marks.data["x"]) == [found.value]
    v.send(type="obs-card-close")
    assert not v.observer.card.root.visible


def test_withholding_it_says_so_and_the_card_follows(v):
    ask(v, 5)
    v.settle(opened)
    used = v.observer.card.found
    v.send(type="obs-toggle", variable=v.rows["variable"].iloc[5], row=5)
    v.settle(lambda visit: opened(visit) and visit.observer.card.found is not used)
    held = v.observer.card.found
    assert held.reason == "withheld"
    assert "were it used" in [curve.name for curve in densities_of(held).curves]
    v.send(type="undo")
    v.settle()
    v.send(type="obs-card-close")


def test_a_selected_row_of_the_table_opens_it_and_two_rows_do_not(v):
    v.observer.listing._selected([2])
    assert v.observer.card.root.visible
    v.observer.listing._selected([2, 4])
    assert not v.observer.card.root.visible
    v.observer.listing._selected([])


def test_a_method_without_a_posterior_says_why(v):
    v.send(type="observing", name="method", value="climatology")
    v.settle()
    ask(v, 1)
    v.turn()
    assert "no posterior" in v.observer.card.words.object
    v.send(type="obs-card-close")
    v.send(type="observing", name="method", value="vae")
    v.settle()


def test_a_marker_that_is_gone_is_refused(v):
    v.send(type="obs-ask", variable="psl", row=9999)
    assert v.session.bar.failed


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_chart_holds_all_of_its_curves_and_marks(theme):
    chart = DensityChart(theme)
    shown = Densities(
        (normal("a", "muted", 0.0, 1.0), Curve("b", "analysis", np.array([5.0, 9]), np.ones(2))),
        (Mark("c", "text", -12.0, 1.0), Mark("d", "changed", 3.0)),
        "K",
    )
    chart.draw(shown)
    assert chart.figure.x_range.start < -13
    assert chart.figure.x_range.end > 9
    assert chart.figure.y_range.end > 1
    assert chart.figure.xaxis[0].axis_label == "K"
    for name in "abcd":
        assert f" {name}</span>" in chart.key()
    colour = chart._lines[0].glyph.line_color
    chart.set_theme("dark" if theme == "light" else "light")
    assert chart._lines[0].glyph.line_color != colour
    chart.draw(Densities())
    assert list(chart._marks.data["x"]) == []


KINDS_CSV = """variable,lat,lon,value,error_sd,kind,area
tas,48.2,16.4,much colder,,report,
tas,60,25,-3,1,upper_bound,
tos,,,1.5,,mean,nino34
psl,64.1,-21.9,-12,2,difference,minus 37.7 -25.7
tas,51.5,-0.1,4.2,0.5,student_t,
"""


@pytest.mark.slow
def test_observations_of_every_kind_have_a_card(speedy):
    v = Visit(speedy, "?network=none&tool=observe")
    try:
        v.settle()
        v.send(type="obs-upload", name="kinds.csv", text=KINDS_CSV)
        v.settle(lambda visit: not visit.work.run and visit.work.answered)
        card = v.observer.card
        expected = {
            0: ("much colder than usual", "at 48.2°N 16.4°E", "what it says"),
            1: ("at most −3.00 ± 1.00 K", "at 60.0°N 25.0°E", "what it says"),
            2: ("+1.50 ± ", "over Niño 3.4", "the observation"),
            3: ("−12.0 ± 2.0 hPa", "of 64.1°N 21.9°W minus 37.7°N 25.7°W", "the observation"),
            4: ("+4.20 ± 0.50 K with heavy tails", "at 51.5°N 0.1°W", "the observation"),
        }
        for row, (says, where, mark) in expected.items():
            ask(v, row)
            # Until it is known nothing of another row is shown.
            v.settle(opened)
            v.turn()
            assert card.found.row == row
            assert says in card.words.object
            assert where in card.title.object
            shown = densities_of(card.found)
            assert [one.name for one in shown.marks] == [mark]
            told = dict(facts(card.found))
            assert ("Once it is used" in told) == (row < 2)
            if row < 2:
                assert "which had a probability of" in card.words.object
                assert shown.marks[0].high < 0
        assert len(shown.curves[2].x) > 100
    finally:
        v.session.close()
