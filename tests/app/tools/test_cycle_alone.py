"""One observation through time on the page."""

import numpy as np
import pytest

BEGUN = (
    "?tool=cycle&month=1984-03-05&model=code&cycle_from=1984-03-01&cycle_stations=30"
    "&cycle_view=alone"
)


def settle(v):
    return v.settle(lambda one: not one.work.running and not one.cycle.alone.job.running)


def test_its_increment_is_seen_on_the_days_round_it(cycle_visit):
    v = settle(cycle_visit(BEGUN + "&cycle_alone=tas,56.25,45,1984-03-05"))
    alone = v.cycle.alone
    assert v.cycle.heading.note == "the day of the observation"
    scene = v.cycle.scene()
    assert scene is v.cycle.scene()
    assert np.nanmax(np.abs(scene.right.fields)) > 0
    assert scene.right.look.words == "increment"
    assert scene.readings[1][0][2] == "K"
    assert v.cycle.table()["lat"].tolist() == [56.25]
    assert "from the forecast of the window's first day" in alone.words.object
    assert (alone.variable.widget.value, alone.lon.value) == ("tas", 45)
    for month, note in (("1984-03-03", "2 days before it"), ("1984-03-06", "1 day after it")):
        v.send({"type": "month", "value": month})
        settle(v)
        assert v.cycle.heading.note == note
        assert not np.array_equal(v.cycle.scene().right.fields, scene.right.fields)
    assert v.cycle.scene().right.look.limits == scene.right.look.limits
    v.send({"type": "month", "value": "1984-03-12"})
    settle(v)
    assert v.cycle.heading.note == "no window"


@pytest.mark.slow
def test_without_one_it_says_how_to_observe(cycle_visit):
    v = settle(cycle_visit(BEGUN))
    assert "A click on a map observes there" in v.cycle.alone.words.object
    assert v.cycle.gestures.clicks
    assert not len(v.cycle.table())
    v.cycle.alone.lat.widget.value = "10,0"
    v.cycle.alone.observe.clicks += 1
    settle(v)
    assert v.cycle.settings.alone == ("psl", 10.0, 340.0, "1984-03-05")
    v.send({"type": "undo"})
    assert v.cycle.settings.alone is None


def test_what_cannot_be_is_said(cycle_visit):
    v = settle(cycle_visit(BEGUN + "&cycle_alone=tos,56.25,45,1984-03-05"))
    assert "There is no variable 'tos' here" in v.cycle.alone.words.object
