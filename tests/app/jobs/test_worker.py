"""Background work: the latest request wins."""

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from app.jobs import worker
from app.jobs.worker import Latest


class Clock:
    """A clock whose hands the test moves, and the timers that go by it."""

    def __init__(self):
        self.now, self.timers = 0.0, []

    def timer(self, seconds, go):
        due = self.now + seconds
        return SimpleNamespace(start=lambda: self.timers.append((due, go)))

    def advance(self, seconds):
        """Let time pass, with what is due on the way."""
        end = self.now + seconds
        while due := sorted((t for t in self.timers if t[0] <= end), key=lambda t: t[0]):
            self.timers.remove(due[0])
            self.now, go = due[0]
            go()
        self.now = end


@pytest.fixture
def clock(monkeypatch):
    """Time by hand: on a busy machine a thread may rest for longer than any pace or delay."""
    made = Clock()
    monkeypatch.setattr(worker, "threading", SimpleNamespace(Timer=made.timer, Lock=threading.Lock))
    monkeypatch.setattr(worker, "time", SimpleNamespace(monotonic=lambda: made.now))
    return made


def test_the_latest_result_is_delivered_and_stale_ones_are_not():
    delivered, scheduled = [], []
    done = threading.Event()
    latest = Latest(scheduled.append)
    gate = threading.Event()

    def slow(stale):
        gate.wait(5)
        return "stale" if stale() else "fresh"

    latest.submit(slow, delivered.append)
    latest.submit(lambda _: "second", delivered.append)
    third = latest.submit(lambda _: done.set() or "third", delivered.append)
    gate.set()
    assert done.wait(5)
    latest_run(scheduled)
    assert third == 3
    assert delivered == ["third"]


def test_a_result_that_went_stale_while_waiting_is_dropped():
    delivered, scheduled = [], []
    latest = Latest(scheduled.append)
    latest.submit(lambda _: "late", delivered.append)
    wait_for(scheduled)
    latest.cancel()
    scheduled.pop()()
    assert delivered == []


def test_a_failure_is_reported():
    failures, scheduled = [], []
    latest = Latest(scheduled.append, failures.append)

    def fail(_):
        raise RuntimeError("no")

    latest.submit(fail, print)
    wait_for(scheduled)
    scheduled.pop()()
    assert isinstance(failures[0], RuntimeError)


def test_a_stream_delivers_each_result_in_order():
    delivered, scheduled = [], []
    Latest(scheduled.append).stream(lambda: iter("abc"), delivered.append)
    wait_for(scheduled, 3)
    latest_run(scheduled)
    assert delivered == ["a", "b", "c"]


def test_a_newer_stream_closes_the_running_one():
    delivered, scheduled = [], []
    closed, started, gate = threading.Event(), threading.Event(), threading.Event()
    latest = Latest(scheduled.append)

    def endless():
        try:
            while True:
                started.set()
                gate.wait(5)
                yield "old"
        finally:
            closed.set()

    latest.stream(endless, delivered.append)
    assert started.wait(5)
    latest.stream(lambda: iter(["new"]), delivered.append)
    gate.set()
    assert closed.wait(5)
    wait_for(scheduled)
    latest_run(scheduled)
    assert delivered == ["new"]


def test_a_paced_stream_pauses_steps_once_goes_on_and_is_cancelled(clock):
    delivered, scheduled = [], []
    closed = threading.Event()
    latest = Latest(scheduled.append)

    def counting():
        try:
            yield from range(100)
        finally:
            closed.set()

    latest.stream(counting, delivered.append, pace=0.5)
    # A result, then the timer of the next one, and nothing before it is due.
    wait_for(clock.timers)
    clock.advance(0.4)
    assert len(scheduled) == len(clock.timers) == 1
    latest.pause()
    clock.advance(1.0)
    assert clock.timers == []
    latest.resume(once=True)
    wait_for(clock.timers)
    assert len(scheduled) == 2
    assert latest.paused
    clock.advance(1.0)
    assert clock.timers == []
    latest.resume()
    for count in (3, 4):
        wait_for(clock.timers)
        assert len(scheduled) == count
        clock.advance(0.5)
    wait_for(clock.timers)
    latest_run(scheduled)
    assert delivered == [0, 1, 2, 3, 4]
    latest.pause()
    clock.advance(0.5)
    latest.cancel()
    assert closed.wait(5)
    assert scheduled == []


def test_a_failing_stream_is_reported_after_what_it_gave():
    delivered, failures, scheduled = [], [], []
    latest = Latest(scheduled.append, failures.append)

    def fails():
        yield 1
        raise ValueError("no")

    latest.stream(fails, delivered.append)
    wait_for(scheduled, 2)
    latest_run(scheduled)
    assert delivered == [1]
    assert isinstance(failures[0], ValueError)


def wait_for(scheduled, count=1):
    pause = threading.Event()
    for _ in range(500):
        if len(scheduled) >= count:
            return
        pause.wait(0.01)
    raise AssertionError("nothing was scheduled")


def latest_run(scheduled):
    wait_for(scheduled)
    while scheduled:
        scheduled.pop(0)()


def test_a_delayed_job_holds_no_thread_and_only_the_newest_runs(clock):
    pool = ThreadPoolExecutor(max_workers=1)
    delivered, scheduled, other = [], [], []
    latest, busy = Latest(scheduled.append, pool=pool), Latest(other.append, pool=pool)
    for value in range(20):
        latest.submit(lambda _, value=value: value, delivered.append, delay=0.3)
    # One timer waits for all of them, and the pool's only thread is free meanwhile.
    assert len(clock.timers) == 1
    clock.advance(0.2)
    busy.submit(lambda _: "at once", delivered.append)
    wait_for(other)
    assert scheduled == []
    clock.advance(0.1)
    latest_run(scheduled)
    assert delivered == [19]
    pool.shutdown()


def test_a_delayed_job_waits_anew_for_each_newer_one(clock):
    pool = ThreadPoolExecutor(max_workers=1)
    delivered, scheduled = [], []
    latest = Latest(scheduled.append, pool=pool)
    for value in range(4):
        latest.submit(lambda _, value=value: value, delivered.append, delay=0.3)
        clock.advance(0.2)
    assert [due for due, _ in clock.timers] == pytest.approx([0.9])
    clock.advance(0.05)
    assert clock.timers
    clock.advance(0.1)
    assert clock.timers == []
    latest_run(scheduled)
    assert delivered == [3]
    latest.submit(lambda _: "cancelled", delivered.append, delay=0.05)
    latest.cancel()
    clock.advance(1.0)
    # All that it was given is done.
    pool.shutdown()
    assert scheduled == []


def test_without_a_clock_of_the_test_s_own_timers_go_by_real_time():
    scheduled, paced = [], []
    Latest(scheduled.append).submit(lambda _: "late", print, delay=0.01)
    Latest(paced.append).stream(lambda: iter("ab"), print, pace=0.01)
    wait_for(scheduled)
    wait_for(paced, 2)
