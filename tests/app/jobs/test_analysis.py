"""Analyses in the background: the newest request is shown."""

import pytest

from app.jobs.analysis import sentence
from mlda_core.climate.errors import StateError
from mlda_core.page_state.analyses import engine_of


@pytest.mark.slow
def test_a_newer_request_supersedes_the_running_one(visit):
    v = visit()
    v.send(type="observing", name="method", value="adam")
    assert v.work.run == "live"
    running = v.work.task
    v.send(type="observing", name="method", value="eof")
    v.settle()
    assert v.work.task is not running
    assert v.work.analysis.method == "eof"
    v.turn(1.0)
    assert v.work.analysis.method == "eof"


@pytest.mark.slow
def test_a_minimisation_is_drawn_step_by_step_paused_and_cancelled(visit):
    v = visit()
    drawn = []
    draw = v.session.figures.write
    v.session.figures.write = lambda frame: (drawn.append(frame.model), draw(frame))
    v.send(type="observing", name="method", value="adam")
    v.send(type="run", action="step")
    v.settle(lambda visit: len(visit.work.costs) >= 3)
    assert v.panel.run == "step"
    v.send(type="run", action="pause")
    v.turn(0.8)
    paused = len(v.work.costs)
    v.turn(0.8)
    assert len(v.work.costs) == paused
    assert v.panel.run == "paused"
    v.send(type="run", action="once")
    v.turn(0.8)
    assert len(v.work.costs) == paused + 1
    v.send(type="run", action="cancel")
    v.turn(0.5)
    assert len(v.work.costs) == paused + 1
    assert v.panel.run == ""
    assert v.panel.outcome.startswith("Cancelled")
    assert v.observer.misfit() is None
    assert len({id(model) for model in drawn}) >= 3


@pytest.mark.slow
def test_a_failed_analysis_is_forgotten_when_one_succeeds(visit, monkeypatch):
    v = visit()
    engine = engine_of(v.session.bundle)

    def broken(*_, **__):
        raise RuntimeError("no memory")
        yield

    with monkeypatch.context() as patched:
        patched.setattr(engine, "steps", broken)
        v.send(type="observing", name="localisation", value=0.5)
        v.settle()
        assert v.session.bar.failed
    v.session.observe.begin(v.session.observe.wanted())
    v.settle()
    assert not v.session.bar.failed


def test_an_error_is_told_in_the_librarys_words_or_by_its_name():
    assert sentence(StateError("Leave it out."), "The analysis") == "Leave it out."
    assert sentence(ZeroDivisionError("x"), "The analysis") == (
        "The analysis could not be made (ZeroDivisionError); choose another method or month."
    )
