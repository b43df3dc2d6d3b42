"""Sheets of lessons to print: a worksheet with room to write, and the teacher's with answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from app.learn.checking import Found
from app.learn.lesson import Lesson, Question
from app.learn.shelf import key_of

# Lines to give a reason on.
LINES = 3


def worksheet(lessons: Iterable[Lesson]) -> str:
    """Return the questions of lessons with room to write, as HTML.

    Parameters
    ----------
    lessons : iterable of Lesson
    """
    head = '<p class="who"><span>Name</span><span>Date</span></p>'
    return head + "".join(_lesson(lesson, None) for lesson in lessons)


def answers(lessons: Iterable[Lesson], found: Mapping[Question, Found | str]) -> str:
    """Return the questions of lessons with what was computed for them, as HTML.

    Parameters
    ----------
    lessons : iterable of Lesson
    found : mapping
        What was computed for each question, or why nothing was.
    """
    head = '<p class="for">For the teacher: the answers, computed from the state of the page.</p>'
    return head + "".join(_lesson(lesson, found) for lesson in lessons)


def _lesson(lesson: Lesson, found: Mapping[Question, Found | str] | None) -> str:
    parts = [f"<h2>{escape(lesson.title)}</h2>"]
    if lesson.about:
        parts.append(f'<p class="about">{escape(lesson.about)}</p>')
    for i, question in enumerate(lesson.questions):
        link = f"?lesson={key_of(lesson, i)}"
        body = _room(question) if found is None else _answer(question, found[question])
        parts.append(
            f'<section class="question"><h3>{i + 1}. {escape(question.heading)} '
            f"<code>{escape(link)}</code></h3>{question.text}"
            f'<p class="ask">{escape(question.ask)}</p>{body}</section>'
        )
    return f'<article class="lesson">{"".join(parts)}</article>'


def _room(question: Question) -> str:
    choices = "".join(f"<li>{escape(choice.say)}</li>" for choice in question.choices)
    guess = f'<ul class="boxes">{choices}</ul>' if choices else '<p class="blank">My number:</p>'
    lines = '<p class="line"></p>' * LINES
    return f'{guess}<p class="why">Because</p>{lines}<p class="blank">What happened:</p>'


def _answer(question: Question, found: Found | str) -> str:
    if isinstance(found, str):
        return f'<p class="none">Not computed: {escape(found)}</p>'
    right = found.words if found.right is None else question.choices[found.right].say
    rows = "".join(
        f"<tr><td>{escape(label)}</td><td>{escape(value)}</td></tr>" for label, value in found.rows
    )
    warn = "" if found.stands else f'<p class="none">{escape(OTHERWISE)}</p>'
    return (
        f'<p class="right"><b>{escape(right)}</b></p><table>{rows}</table>{warn}'
        f"{question.explanation}"
    )


OTHERWISE = "Here it came out otherwise than the lesson's text says; trust the numbers."
