"""Answers are computed from the state of the page."""

from dataclasses import replace

import numpy as np
import pytest

from app.learn import checking
from app.learn.checking import find, state_of
from app.learn.lesson import read
from app.learn.shelf import shelf
from mlda_core.page_state.settings import InvalidStateError

QUESTIONS = [
    pytest.param(question, id=f"{lesson.name}-{i + 1}")
    for lesson in shelf().lessons.values()
    for i, question in enumerate(lesson.questions)
]


@pytest.fixture
def questions(tiny, text, monkeypatch):
    monkeypatch.setattr(checking, "open_bundle", lambda _: tiny)
    state_of.cache_clear()
    yield read(text, "mine.md").questions
    state_of.cache_clear()


def test_a_choice_is_right_where_its_range_holds_the_number(questions, tiny):
    first, _, _ = questions
    found = find(first)
    fields = [
        tiny.decode_anomalies(tiny.code(month).astype(np.float32), int(month[5:]))
        for month in ("1997-12", "1998-01")
    ]
    from mlda_core.climate.regions import REGIONS, regional_mean

    before, after = (regional_mean(f[0], tiny.grid, REGIONS["globe"]) for f in fields)
    assert found.value == pytest.approx(float(after - before), abs=1e-4)
    assert found.right == int(after >= before)
    assert found.agrees(first, found.right)
    assert not found.agrees(first, 1 - found.right)
    assert found.stands == (found.right == 0)
    assert "→" in found.rows[0][1]
    # What the text explains is compared with what came out.
    assert find(replace(first, explains=(2.0,))).stands != found.stands


def test_a_number_may_be_off_by_what_the_lesson_says(questions, tiny):
    _, second, _ = questions
    found = find(second)
    assert found.value == pytest.approx(tiny.code("1997-12")[0], abs=1e-3)
    assert found.agrees(second, found.value + 0.09)
    assert not found.agrees(second, found.value + 0.11)
    for bad in ("some", None, float("nan"), True):
        with pytest.raises(InvalidStateError, match="answer"):
            found.agrees(second, bad)


def test_of_several_the_greatest_or_the_least_is_right(questions, tiny):
    _, _, third = questions
    assert find(third).right == int(np.argmax(tiny.code("1997-12")[:2]))
    assert find(replace(third, kind="least")).right == int(np.argmin(tiny.code("1997-12")[:2]))
    for bad in (2, -1, "0", True):
        with pytest.raises(InvalidStateError, match="no such answer"):
            find(third).agrees(third, bad)


@pytest.mark.slow
@pytest.mark.parametrize("question", QUESTIONS)
def test_each_lesson_comes_out_as_its_text_explains(question):
    found = find(question)
    assert found.stands, found.rows
    assert found.rows
    # No answer hangs on the last digit: the machine of a school may add up in another order.
    if question.kind == "choice":
        ends = [end for choice in question.choices for end in (choice.low, choice.high)]
        assert min(abs(found.value - end) for end in ends) > 0.02 * max(1.0, abs(found.value))
