"""Background work: the latest request wins."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from app.jobs.worker import Latest


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


def test_a_paced_stream_pauses_steps_once_goes_on_and_is_cancelled():
    delivered, scheduled = [], []
    closed = threading.Event()
    latest = Latest(scheduled.append)

    def counting():
        try:
            yield from range(100)
        finally:
            closed.set()

    latest.stream(counting, delivered.append, pace=0.005)
    latest.pause()
    wait_for(scheduled)
    time.sleep(0.1)
    paused = len(scheduled)
    assert paused <= 2
    latest.resume(once=True)
    wait_for(scheduled, paused + 1)
    time.sleep(0.1)
    assert len(scheduled) == paused + 1
    assert latest.paused
    latest.resume()
    wait_for(scheduled, paused + 4)
    latest.pause()
    time.sleep(0.1)
    latest.cancel()
    assert closed.wait(5)


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


def test_a_delayed_job_holds_no_thread_and_only_the_newest_runs():
    pool = ThreadPoolExecutor(max_workers=1)
    delivered, scheduled, other = [], [], []
    latest, busy = Latest(scheduled.append, pool=pool), Latest(other.append, pool=pool)
    before = threading.active_count()
    start = time.monotonic()
    for value in range(20):
        latest.submit(lambda _, value=value: value, delivered.append, delay=0.3)
    # One timer waits for all of them, and the pool's only thread is free meanwhile.
    assert threading.active_count() <= before + 1
    busy.submit(lambda _: "at once", delivered.append)
    wait_for(other)
    assert time.monotonic() - start < 0.3
    wait_for(scheduled)
    assert time.monotonic() - start >= 0.3
    latest_run(scheduled)
    assert delivered == [19]
    pool.shutdown()


def test_a_delayed_job_waits_anew_for_each_newer_one():
    delivered, scheduled = [], []
    latest = Latest(scheduled.append)
    for value in range(4):
        latest.submit(lambda _, value=value: value, delivered.append, delay=0.3)
        time.sleep(0.1)
    last = time.monotonic() - 0.1
    wait_for(scheduled)
    assert time.monotonic() - last >= 0.3
    latest_run(scheduled)
    assert delivered == [3]
    latest.submit(lambda _: "cancelled", delivered.append, delay=0.05)
    latest.cancel()
    time.sleep(0.2)
    assert not scheduled
