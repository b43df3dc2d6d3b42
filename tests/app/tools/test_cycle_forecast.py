"""The forecast from an analysis on the page."""

import pytest

from app.jobs.cycle_forecast import LEADS

BEGUN = "?tool=cycle&month=1984-03-03&model=code&cycle_from=1984-03-01&cycle_stations=30"


@pytest.mark.slow
def test_ten_members_are_drawn_on_the_days_ahead(cycle_visit):
    v = cycle_visit(BEGUN)
    made = v.cycle.forecast
    assert not made.pane.visible
    made.begin.clicks += 1
    v.settle(lambda one: not one.cycle.forecast.job.running)
    assert len(made.job.days) == 1 + LEADS
    assert made.pane.visible
    assert "day 0 of the forecast from 3 March 1984" in made.words.object
    lines = made.chart._sources
    assert lines["members"].data["xs"]
    before = lines["members"].data["xs"]
    v.send({"type": "month", "value": "1984-03-05"})
    v.settle()
    assert "day 2 of the forecast" in made.words.object
    assert lines["members"].data["xs"] != before
    v.send({"type": "month", "value": "1984-03-01"})
    assert "go to one of its days" in made.words.object
    assert lines["members"].data["xs"] == []
    # It is of this run.
    v.set("method", "static")
    assert made.job.request is None


def test_a_day_without_an_analysis_is_refused(cycle_visit):
    v = cycle_visit("?tool=cycle&month=1984-03-01&model=code")
    v.send({"type": "cycle-forecast"})
    assert "There is no analysis of 1 March 1984 yet" in v.session.bar.status
