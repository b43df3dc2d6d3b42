"""Actions of the tool Cycle."""

import pytest
from visiting import send


@pytest.mark.slow
def test_a_step_and_back_go_a_day(cycle_visit):
    v = cycle_visit("?tool=cycle&month=1984-03-02&model=code&cycle_from=1984-03-01")
    assert len(v.work.days) == 2, "a link brings its day"
    v.act("step")
    v.settle()
    assert (v.month, len(v.work.days)) == ("1984-03-03", 3)
    v.act("back")
    v.act("back")
    assert v.month == "1984-03-01"
    v.act("back")
    assert v.session.bar.status == "1 March 1984 is the run's first day."
    v.send({"type": "undo"})
    assert v.month == "1984-03-02"


@pytest.mark.slow
def test_a_run_begins_on_the_day_shown_or_on_the_first_that_can_be(cycle_visit):
    v = cycle_visit("?tool=cycle&month=1983-03-01&model=code")
    v.act("run")
    v.settle(lambda one: len(one.work.days) > 1)
    assert v.cycle.settings.first == "1984-01-01"
    assert v.month >= "1984-01-01"
    v.act("pause")
    v.settle()
    v.act("again")
    assert v.cycle.settings.first == v.month
    v.send({"type": "month", "value": "1983-03-01"})
    v.act("again")
    assert "1983-03-01 is no TEST day" in v.session.bar.status


@pytest.mark.slow
@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"type": "cycle-set", "name": "method", "value": "4dvar"}, "does not cycle '4dvar'"),
        ({"type": "cycle-set", "name": "first", "value": "x"}, "no setting 'first'"),
        ({"type": "cycle-set", "name": "stations", "value": 31}, "no number of stations '31'"),
        ({"type": "cycle-run", "action": "fly"}, "can run, pause"),
        ({"type": "cycle-withhold", "area": "atlantis"}, "withheld in 'atlantis'"),
        ({"type": "cycle-withhold", "area": "europe"}, "1 March 1984 is not of the run"),
        ({"type": "cycle-alone", "variable": "x"}, "none of this bundle's"),
        ({"type": "cycle-alone", "variable": "psl"}, "1 March 1984 is not of the run"),
        ({"type": "cycle-place", "variable": "psl", "x": 2.0, "y": 1.0}, "off the globe"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(cycle_visit, message, said):
    v = cycle_visit()
    v.send(message)
    assert v.session.bar.failed
    assert said in v.session.bar.status


def test_a_click_observes_there(cycle_visit):
    v = cycle_visit("?tool=cycle&month=1984-03-02&model=code&cycle_from=1984-03-01")
    v.send({"type": "cycle-place", "variable": "tas", "x": 0.0, "y": 0.0})
    name, lat, _, day = v.cycle.settings.alone
    assert (name, lat, day) == ("tas", 0.0, "1984-03-02")
    assert v.cycle.settings.view == "alone"
    assert v.session.bar.status.startswith("One observation at 0")
    v.send({"type": "cycle-alone", "variable": "tas", "lat": None, "lon": 0})
    assert "latitude of the single observation is empty" in v.session.bar.status


def test_a_bundle_that_cannot_be_cycled_refuses(session):
    send(session.bar, type="cycle-run", action="run")
    assert session.bar.status.startswith("This model cannot be cycled")
