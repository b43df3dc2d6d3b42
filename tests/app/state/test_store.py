"""The state of a session: its history, and gestures as one event."""

import numpy as np

from app.state.snapshot import Limits
from app.state.store import State

MONTHS = tuple(f"{y}-{m:02d}" for y in (1996, 1997) for m in range(1, 13))
LIMITS = Limits("speedy", MONTHS, 100)


def test_undo_and_redo_walk_through_commits():
    state = State(LIMITS, z=np.zeros(100, dtype=np.float32), model="own")
    for value in (1.0, 2.0):
        state.param.update(z=np.full(100, value, dtype=np.float32), model="own")
        assert state.commit()
    assert not state.commit()
    assert state.undo()
    assert state.z[0] == 1.0
    assert state.undo()
    assert state.z[0] == 0.0
    assert not state.undo()
    assert state.redo()
    assert state.redo()
    assert state.z[0] == 2.0
    assert not state.redo()


def test_an_unfinished_drag_can_be_undone():
    state = State(LIMITS, z=np.zeros(100, dtype=np.float32), model="own")
    state.z = np.ones(100, dtype=np.float32)
    assert state.undo()
    assert state.z[0] == 0.0
    assert state.redo()
    assert state.z[0] == 1.0


def test_a_new_commit_ends_redo():
    state = State(LIMITS, z=np.zeros(100, dtype=np.float32), model="own")
    state.month = "1996-01"
    state.commit()
    state.undo()
    assert state.can_redo
    state.month = "1996-02"
    state.commit()
    assert not state.can_redo


def test_undo_leaves_the_theme():
    state = State(LIMITS, z=np.zeros(100, dtype=np.float32), model="own")
    state.month = "1996-01"
    state.commit()
    state.theme = "dark"
    assert not state.commit()
    assert state.undo()
    assert state.month == "1997-12"
    assert state.theme == "dark"
    state.theme = "light"
    assert not state.undo()
    assert state.redo()
    assert state.month == "1996-01"
    assert state.theme == "light"


def test_a_gesture_is_one_event():
    state = State(LIMITS, z=np.zeros(100, dtype=np.float32), model="own")
    calls = []
    state.param.watch(lambda *events: calls.append(events), ["month", "z"])
    with state.gesture():
        state.month = "1996-01"
        state.z = np.ones(100, dtype=np.float32)
    assert len(calls) == 1
    assert len(calls[0]) == 2


def test_an_analysis_that_arrives_is_no_step_of_the_history():
    state = State(LIMITS)
    state.forget()
    state.z = np.ones(100, dtype=np.float32)
    assert not state.commit()
    state.param.update(z=np.full(100, 2, dtype=np.float32), model="own")
    assert state.commit()
    assert state.undo()
    assert state.model == "analysis"
