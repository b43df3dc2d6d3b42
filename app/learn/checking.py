"""The answer of a question: computed from the state of the page at the moment it is asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from app.bundles import open_bundle
from app.learn.lesson import Check, Question, bundle_of
from app.text import number as written
from mlda_core.bundle.shipped import default_key, link_of
from mlda_core.page_state.limits import limits_of
from mlda_core.page_state.opened import PageState
from mlda_core.page_state.quantities import Measured, measure
from mlda_core.page_state.serialize import from_query
from mlda_core.page_state.settings import InvalidStateError, is_count, number

# A latent vector of another link each time, a hundredth of an analysis: a question needs two or
# three states at once.
KEPT = 4


@dataclass(frozen=True)
class Found:
    """What was computed for a question.

    Parameters
    ----------
    value : float
        What decides; of `greatest` and `least` that of the right choice.
    words : str
        The same as people read it, with its unit.
    unit : str
    right : int or None
        Index of the right choice; None of a number.
    rows : tuple of (str, str)
        What was computed, for people: label and number.
    stands : bool
        Whether it came out as the text explains.
    """

    value: float
    words: str
    unit: str
    right: int | None
    rows: tuple[tuple[str, str], ...]
    stands: bool

    def agrees(self, question: Question, given: Any) -> bool:
        """Return whether an answer is right.

        Parameters
        ----------
        question : Question
        given : int or float
            Index of a choice, or a number.

        Raises
        ------
        InvalidStateError
            If it is no answer to this question.
        """
        if self.right is None:
            typed = number("the answer", given, -1e9, 1e9)
            return abs(typed - self.value) <= question.within
        count = len(question.choices)
        if not is_count(given) or given >= count:
            raise InvalidStateError("There is no such answer; reload the page.")
        return given == self.right


@lru_cache(maxsize=KEPT)
def state_of(link: str, bundle: str) -> PageState:
    """Return the state of a link, kept for the next quantity of it."""
    opened = open_bundle(bundle)
    limits = limits_of(opened, link_of(bundle or default_key()))
    return PageState(from_query(link, limits), opened, limits)


def find(question: Question) -> Found:
    """Compute the answer of a question.

    Raises
    ------
    UserError
        If its links or quantities cannot be had of its bundle.
    """
    rows: list[tuple[str, str]] = []
    right: int | None = None
    if question.kind in ("greatest", "least"):
        made = [
            _value(choice.check or question.check, question, choice.state)
            for choice in question.choices
        ]
        values = [value for value, _, _ in made]
        best = max(values) if question.kind == "greatest" else min(values)
        right = values.index(best)
        value, words, unit = best, made[right][1], made[right][2]
        rows = [
            (choice.say, text) for choice, (_, text, _) in zip(question.choices, made, strict=True)
        ]
    else:
        value, words, unit = _value(question.check, question)
        rows = _rows(question.check, question)
        if question.kind == "choice":
            right = next(
                i for i, choice in enumerate(question.choices) if choice.low <= value < choice.high
            )
    for more in question.also:
        rows += _rows(more, question)
    return Found(value, words, unit, right, tuple(rows), _stands(question, value, right))


def _stands(question: Question, value: float, right: int | None) -> bool:
    if not question.explains:
        return True
    if right is not None:
        return right == question.explains[0] - 1
    low, high = question.explains
    return low <= value <= high


def _measured(check: Check, link: str) -> Measured:
    return measure(check.quantity, check.asked, state_of(link, bundle_of(link)))


def _value(check: Check, question: Question, link: str = "") -> tuple[float, str, str]:
    """Return what a check comes to, as people read it, and its unit."""
    after = _measured(check, link or question.then or question.state)
    if check.how == "value":
        return after.value, _words(after.value, after), after.unit
    before = _measured(check, question.state)
    if check.how == "change":
        change = after.value - before.value
        return change, _words(change, after), after.unit
    if not abs(before.value) > 0:
        raise InvalidStateError(f"{before.label} was 0 before: there is no ratio to it.")
    ratio = after.value / before.value
    return ratio, f"{written(ratio, 2)} times", ""


def _rows(check: Check, question: Question) -> list[tuple[str, str]]:
    after = _measured(check, question.then or question.state)
    if check.how == "value":
        return [(after.label, _words(after.value, after))]
    before = _measured(check, question.state)
    arrow = f"{_words(before.value, before, bare=True)} → {_words(after.value, after)}"
    if check.how == "ratio":
        arrow += f" ({_value(check, question)[1]})"
    return [(after.label, arrow)]


def _words(value: float, of: Measured, *, bare: bool = False) -> str:
    # Of what is smaller than its usual decimals show, one digit more than none.
    decimals = of.decimals
    if value and abs(value) < 10.0**-decimals:
        decimals = min(decimals + 2, 1 - math.floor(math.log10(abs(value))))
    text = written(value, decimals)
    return text if bare or of.unit in ("", "observations") else f"{text} {of.unit}"
