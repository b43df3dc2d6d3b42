"""The state of a session: its history, and gestures as one event."""

import numpy as np
from panel.widgets import FloatSlider, Select
from smoothing import Smoothed

from app.state import State
from mlda_core.page_state import perturbations
from mlda_core.page_state.settings import Changeable, options_of
from mlda_core.page_state.snapshot import Limits
from mlda_core.perturbation.sst_patches import Patch

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


def test_selecting_is_no_step_of_the_history_and_an_amount_is():
    state = State(LIMITS)
    state.perturbations = perturbations.add(state.perturbations, Patch(1.0, region="globe"))
    assert state.commit()
    state.perturbations = perturbations.select(state.perturbations, 0)
    assert not state.commit()
    state.perturbations = perturbations.edit(state.perturbations, 0, kelvin=3.0)
    assert state.commit()
    state.undo()
    assert state.perturbations.patches[0].kelvin == perturbations.FIRST.kelvin
    state.undo()
    assert len(state.perturbations.patches) == 1
    state.redo()
    state.redo()
    assert state.perturbations.patches[0].kelvin == 3.0


class SmoothedForm(Changeable, Smoothed):
    """The same, to be set by widgets."""


def test_a_declared_setting_is_undone(smoothed):
    state = State(LIMITS)
    state.observations = smoothed.observations
    assert state.commit()
    assert state.undo()
    assert state.observations.smoothing == 1.0
    assert state.redo()
    assert state.observations.smoothing == 2.0


def test_a_declared_setting_has_a_widget(smoothed):
    form = SmoothedForm(smoothing=2.0)
    slider = FloatSlider.from_param(form.param.smoothing)
    assert (slider.name, slider.start, slider.end, slider.step) == ("Smoothing", 0.5, 4.0, 0.5)
    slider.value = 3.0
    assert form.smoothing == 3.0
    method = Select.from_param(form.param.method)
    assert method.options == {label: key for key, label in options_of(Smoothed, "method").items()}
