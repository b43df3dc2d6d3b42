"""The cycle of a session, day by day in the background."""

import queue
import time
from types import SimpleNamespace

import numpy as np
import pytest

from app.jobs import cycle as module
from app.jobs.cycle import CycleJob
from mlda_core.page_state.cycle_runs import CycleRequest

REQUEST = CycleRequest("3dvar", 30, "1984-12-20")


class Page:
    """A session's event loop, and what it saw."""

    def __init__(self, bundle):
        self.calls, self.drawn, self.seen = queue.Queue(), 0, []
        context = SimpleNamespace(bundle=bundle, redraw=self.redraw, schedule=self.calls.put)
        self.job = CycleJob(context, self.seen.append)

    def redraw(self):
        self.drawn += 1

    def until(self, true, limit=60):
        end = time.monotonic() + limit
        while not true(self.job):
            assert time.monotonic() < end, "it did not come"
            try:
                self.calls.get(timeout=0.02)()
            except queue.Empty:
                continue

    def rest(self):
        self.until(lambda job: not job.running)


@pytest.fixture
def page(cycled, monkeypatch):
    monkeypatch.setattr(module, "PACE", 0.001)
    made = Page(cycled)
    yield made
    made.job.close()


def test_days_are_made_up_to_the_one_wanted_and_go_on_from_there(page):
    page.job.ask(REQUEST, 2)
    page.rest()
    assert [day.cycle for day in page.job.days] == [0, 1, 2]
    run = page.job._run
    page.job.ask(REQUEST, 1)
    assert not page.job.running
    page.job.ask(REQUEST, 3)
    page.rest()
    assert len(page.job.days) == 4
    assert page.job._run is run
    assert page.drawn >= 4


def test_a_run_that_plays_is_watched_to_its_end(page):
    page.job.ask(REQUEST, 0)
    page.job.play()
    page.until(lambda job: job.finished and not job.running)
    # The first may have come before it played.
    assert page.seen[-3:] == [10, 11, -1]
    assert not page.job.playing


def test_a_pause_stops_it_and_it_goes_on(page):
    page.job.ask(REQUEST, 0)
    page.job.play()
    page.until(lambda job: len(job.days) >= 2)
    page.job.pause()
    page.rest()
    there = len(page.job.days)
    assert there < len(page.job.labels)
    page.job.play()
    page.until(lambda job: len(job.days) > there)


def test_another_network_keeps_the_days_before_and_the_curve(page):
    page.job.ask(REQUEST, 5)
    page.rest()
    before = list(page.job.days)
    changed = CycleRequest("3dvar", 30, "1984-12-20", (("1984-12-23", "globe"),))
    page.job.ask(changed, 5)
    page.rest()
    assert page.job.days[:3] == before[:3]
    error = [day.errors["analysis"][0] for day in page.job.days]
    assert (error[4] > before[4].errors["analysis"][0]).all()
    assert page.job.earlier.request == REQUEST
    assert len(page.job.earlier.errors) == 6
    # Withheld from a later day on, nothing before it is made again.
    again = CycleRequest("3dvar", 30, "1984-12-20", (*changed.changes, ("1984-12-25", "")))
    kept = list(page.job.days)
    page.job.ask(again, 5)
    page.rest()
    assert page.job.days[:5] == kept[:5]
    np.testing.assert_array_less(page.job.days[5].errors["analysis"][0], error[5])


def test_another_method_is_another_run(page):
    page.job.ask(REQUEST, 1)
    page.rest()
    page.job.ask(CycleRequest("static", 30, "1984-12-20"), 1)
    page.rest()
    assert page.job.earlier.request == REQUEST
    day = page.job.days[1]
    np.testing.assert_array_equal(day.errors["analysis"], day.errors["static"])


def test_what_fails_is_said_in_a_sentence_and_not_tried_again(page, monkeypatch):
    def fails(*_):
        raise RuntimeError("inside")

    monkeypatch.setattr(module, "run_of", fails)
    page.job.ask(REQUEST, 1)
    page.rest()
    assert page.job.failed.startswith("The cycle could not be made (RuntimeError)")
    page.job.ask(REQUEST, 1)
    assert not page.job.running
