"""Results of other threads reach the page on its event loop, every one of them."""

import asyncio
import threading

from bokeh.document import Document

from app.jobs.event_loop import Schedule


def in_a_thread(function):
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()


def test_what_another_thread_schedules_is_added_on_the_event_loop():
    threads, ran = [], []

    def add(function):
        threads.append(threading.current_thread())
        function()

    async def visit():
        schedule = Schedule(add)
        in_a_thread(lambda: schedule(lambda: ran.append("early")))
        assert ran == []
        schedule.begin()
        assert ran == ["early"]
        in_a_thread(lambda: schedule(lambda: ran.append("late")))
        await asyncio.sleep(0)
        assert ran == ["early", "late"]
        assert threads == [threading.current_thread()]

    asyncio.run(visit())


def test_nothing_is_lost_while_a_hold_ends(monkeypatch):
    """Bokeh loses what is added between a hold's look at its list and the list's exchange."""
    document = Document()
    added, waits, ends = [], threading.Event(), threading.Event()
    document.callbacks.on_change_dispatch_to(
        type("Receiver", (), {"_session_callback_added": lambda _, event: added.append(event)})()
    )
    combine = "bokeh.document.callbacks._combine_document_events"

    def slow(event, held):
        # Another thread has seen the hold, and is interrupted before it appends.
        if threading.current_thread() is not threading.main_thread():
            waits.set()
            ends.wait(10)
        held.append(event)

    monkeypatch.setattr(combine, slow)

    async def visit(schedule):
        document.callbacks.hold("combine")
        thread = threading.Thread(target=lambda: schedule(lambda: None))
        thread.start()
        # Either it is within the hold, or it has handed over and is done.
        while thread.is_alive() and not waits.wait(0.01):
            continue
        document.callbacks.unhold()
        ends.set()
        thread.join()
        await asyncio.sleep(0.01)

    asyncio.run(visit(document.add_next_tick_callback))
    assert added == []

    async def scheduled():
        waits.clear()
        ends.clear()
        schedule = Schedule(document.add_next_tick_callback)
        schedule.begin()
        await visit(schedule)

    asyncio.run(scheduled())
    assert len(added) == 1


def test_a_stopped_loop_is_no_error():
    schedule = Schedule(lambda function: function())

    async def visit():
        schedule.begin()

    asyncio.run(visit())
    schedule(lambda: None)
