"""Background work: the latest request wins."""

import threading

from app.worker import Latest


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


def wait_for(scheduled):
    pause = threading.Event()
    for _ in range(500):
        if scheduled:
            return
        pause.wait(0.01)
    raise AssertionError("nothing was scheduled")


def latest_run(scheduled):
    wait_for(scheduled)
    while scheduled:
        scheduled.pop(0)()
