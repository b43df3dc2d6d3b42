"""The tool Cycle: days of a run, what stands in the columns, and the curves."""

import numpy as np
import pytest

from mlda_core.page_state.limits import limits_of

BEGUN = "?tool=cycle&month=1984-03-03&model=code&cycle_from=1984-03-01&cycle_stations=30"


def test_only_a_bundle_that_can_be_cycled_has_it(cycled, speedy, world):
    assert "cycle" in limits_of(cycled).tools
    assert "cycle" not in limits_of(speedy).tools
    assert "cycle" not in limits_of(world).tools


def test_nothing_is_cycled_before_it_is_asked_for(cycle_visit):
    v = cycle_visit()
    assert not v.work.days
    scene = v.cycle.scene()
    assert np.isnan(scene.second).all()
    assert scene.readings[0][0][0] == "not cycled"
    assert v.said.startswith("Run begins on the day shown")
    assert v.session.tools.tools[-2:] == [["cycle", "Cycle"], ["learn", "Learn"]]


def test_columns_are_truth_and_what_is_chosen_beside_it(cycle_visit, cycled):
    v = cycle_visit(BEGUN)
    truth = cycled.target("1984-03-03")
    scene = v.cycle.scene()
    assert v.cycle.scene() is scene
    np.testing.assert_array_equal(scene.first, truth)
    near = np.abs(scene.second - truth).mean() / np.abs(truth).mean()
    assert near < 0.9
    v.set("view", "background")
    background = v.cycle.scene()
    assert np.abs(background.second - truth).mean() > np.abs(scene.second - truth).mean()
    v.set("view", "increment")
    increment = v.cycle.scene().right
    np.testing.assert_allclose(
        increment.fields, scene.second - background.second, atol=0.02 * np.abs(truth).max()
    )
    v.set("view", "error")
    assert v.cycle.scene().right.kind == "difference"
    v.set("view", "spread")
    assert (v.cycle.scene().right.fields > 0).all()
    assert v.cycle.heading.titles()["--second-title"] == "Spread of the analysis"


def test_a_run_takes_the_page_along_until_the_visitor_goes_elsewhere(cycle_visit):
    v = cycle_visit()
    v.act("run")
    v.settle(lambda one: len(one.work.days) >= 4)
    assert v.month >= "1984-03-03"
    assert v.work.playing
    v.send({"type": "month", "value": "1984-03-02"})
    assert not v.work.playing
    v.settle()
    assert v.month == "1984-03-02"
    assert v.cycle.day_of("1984-03-02").cycle == 1
    before = len(v.work.days)
    v.act("run")
    v.settle(lambda one: len(one.work.days) > before)
    assert v.month > "1984-03-03"
    v.send({"type": "tool", "value": "explore"})
    assert not v.work.playing


@pytest.mark.slow
def test_curves_are_of_the_run_and_of_the_one_before(cycle_visit):
    v = cycle_visit(BEGUN)
    made = v.cycle.curves()
    assert v.cycle.curves() is made
    assert set(made.names) == {"chosen", "spread", "static", "free"}
    assert all(len(made.lines[kind]) == 3 for kind in made.names)
    v.send({"type": "cycle-withhold", "area": "globe"})
    v.settle()
    changed = v.cycle.curves()
    assert changed.names["earlier"] == "earlier: all stations"
    assert changed.lines["chosen"][-1] > changed.lines["earlier"][-1]
    assert changed.withheld == (("1984-03-03", "1984-03-03"),)
    v.set("method", "static")
    v.settle()
    assert "static" not in v.cycle.curves().names
    assert v.cycle.curves().names["earlier"] == "earlier: 3D-Var"


@pytest.mark.slow
def test_what_is_withheld_is_hollow_and_outlined(cycle_visit):
    v = cycle_visit(BEGUN + "&cycle_without=1984-03-02:north&cycle_over=europe")
    held = v.cycle.table()
    np.testing.assert_array_equal(held["withheld"], held["lat"] >= 30)
    assert v.cycle.outlined() == [(30, 90, 0, 360), (35, 72, 348, 45)]
    assert v.cycle.roles() == {"psl": "observed", "tas": "observed"}
    v.send({"type": "month", "value": "1984-03-01"})
    assert not v.cycle.table()["withheld"].any()


def test_a_day_beyond_is_made_and_the_old_one_stays_till_then(cycle_visit):
    v = cycle_visit(BEGUN)
    v.send({"type": "month", "value": "1984-03-06"})
    assert v.cycle.stale
    assert v.cycle.heading.note == "still of 1984-03-03"
    assert v.said.startswith("Cycling to 6 March 1984: 3 of 90 days")
    v.settle()
    assert not v.cycle.stale
    v.send({"type": "month", "value": "1983-03-06"})
    assert v.cycle.heading.note == "not cycled"
    assert v.said.startswith("6 March 1983 is not of this run")
    assert v.cycle.nino_words() is None


def test_a_visitor_who_goes_to_another_tool_does_not_wait_for_the_day(cycle_visit):
    v = cycle_visit(BEGUN)
    v.send({"type": "month", "value": "1984-03-20"})
    assert v.cycle.gestures.busy
    v.send({"type": "tool", "value": "explore"})
    assert not v.cycle.gestures.busy


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("&cycle_from=1983-05-01", "1983-05-01 is no TEST day"),
        ("&cycled=4dvar", "The page does not cycle '4dvar'; it shows 3D-Var instead"),
    ],
)
def test_a_link_that_cannot_be_is_answered_in_a_sentence(cycle_visit, query, said):
    v = cycle_visit("?tool=cycle&month=1984-03-01&model=code" + query)
    assert said in v.said
    assert not v.work.days
