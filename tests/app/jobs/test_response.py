"""Responses in the background: one at a time, the newest request next."""

import numpy as np
import pytest
from visiting import PERTURB

from app.jobs import response
from mlda_core.page_state.perturbations import FIRST


@pytest.mark.slow
def test_a_dragged_amount_is_followed_never_queued_and_one_step_of_undo(sea_visit, monkeypatch):
    v = sea_visit()
    drawn, computed = [], []
    whole = response.answer_to
    monkeypatch.setattr(response, "answer_to", lambda *a: (computed.append(a), whole(*a))[1])
    write = v.session.figures.write
    v.session.figures.write = lambda frame: (drawn.append(frame), write(frame))
    for kelvin in np.round(np.arange(2.1, 4.05, 0.1), 1):
        v.send({"type": "sea-edit", "at": 0, "kelvin": float(kelvin), "done": False})
        v.turn(0.03)
    v.send({"type": "sea-edit", "at": 0, "kelvin": 4.0, "done": True})
    before = len(computed)
    v.settle()
    # What was under way, and the newest: no queue behind them.
    assert len(computed) <= before + 2
    assert v.work.answer.question.patches[0].kelvin == 4.0
    followed = [frame for frame in drawn if ("tas", "model") in frame.panes]
    assert followed
    # The first column is not drawn again.
    assert not any(("tas", "target") in frame.panes for frame in followed)
    v.send({"type": "undo"})
    assert v.p.patches[0].kelvin == FIRST.kelvin
    v.send({"type": "redo"})
    assert v.p.patches[0].kelvin == 4.0


@pytest.mark.slow
def test_a_question_without_an_answer_is_asked_once_and_says_why(sea_visit):
    # Open in December, under ice in March.
    v = sea_visit(f"{PERTURB}&sea=60:66:170:190:2")
    assert v.work.complaint == ""
    v.send({"type": "month", "value": "1997-03"})
    v.settle()
    v.turn(0.3)
    assert "ice" in v.work.complaint
    assert v.bar.failed
    assert v.work.asked is None
    v.send({"type": "month", "value": "1997-12"})
    v.settle()
    assert v.work.complaint == ""
