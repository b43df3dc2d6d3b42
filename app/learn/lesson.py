"""A lesson as a file: a header of questions, and a text of which a part waits for the answer."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qs

from markdown_it import MarkdownIt

from app.learn.yaml_source import Path, Source, SourceError, load
from mlda_core.climate.errors import UserError
from mlda_core.page_state.quantities import QUANTITIES, Asked, QuantityError
from mlda_core.page_state.quantities import read as read_quantity
from mlda_core.page_state.settings import is_count, number

Kind = Literal["choice", "number", "greatest", "least"]
As = Literal["value", "change", "ratio"]


@dataclass(frozen=True)
class Key:
    """A key of a header.

    Parameters
    ----------
    meaning : str
        What it says, for those who write lessons.
    """

    meaning: str


# docs/how-to/write-a-lesson.md has tables of these.
LESSON_KEYS = {
    "title": Key("What the list of lessons calls it."),
    "about": Key("A few words for that list; may be left out."),
    "questions": Key("The questions in order, 1 to 9 of them."),
}
QUESTION_KEYS = {
    "state": Key(
        "What the page shows while the question stands: the link that Share copies, or what "
        "follows its question mark."
    ),
    "then": Key(
        "What it shows with the answer, of the same bundle; left out, the page stays as it is."
    ),
    "ask": Key("The question, one or two sentences."),
    "answer": Key(
        "choice: the right one is the one whose range holds the number; number: the visitor types "
        "it; greatest or least: each choice has a number of its own."
    ),
    "choices": Key("What can be answered, 2 to 6; none of a number."),
    "within": Key("Of a number: by how much an answer may be off."),
    "check": Key("The quantity that decides, and what it is of."),
    "also": Key("More quantities to show with the answer, each as under check; may be left out."),
    "explains": Key(
        "Which outcome the text explains: the number of a choice, counted from 1, or [from, to] of "
        "a number. Where it comes out otherwise the page says so. May be left out."
    ),
}
CHOICE_KEYS = {
    "say": Key("What the visitor reads."),
    "from": Key("The least number for which it is right; left out, there is none."),
    "below": Key("The number from which on it is right no more; left out, there is none."),
}
CHECK_KEYS = {
    "quantity": Key("One of the quantities below."),
    "as": Key(
        "value: of what is shown with the answer; change or ratio: of that to what was shown "
        "before. Left out: value."
    ),
}
MOST_QUESTIONS = 9
MOST_CHARACTERS = 100_000
# What a link calls the list of lessons, and the game beside them: no lesson has these names.
LIST, GAME = "list", "ten-stations"
_FENCE = re.compile(r"^---[ \t]*$", re.MULTILINE)
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,57}")


class LessonError(UserError):
    """A file is no lesson; one sentence that names the file, where in it, and the remedy."""


@dataclass(frozen=True)
class Check:
    """A quantity that is computed of the page's state.

    Parameters
    ----------
    quantity : str
        A key of `mlda_core.page_state.quantities.QUANTITIES`.
    asked : Asked
        What it is of.
    how : str
        Of the state with the answer, or of that and the one before it.
    """

    quantity: str
    asked: Asked
    how: As = "value"


@dataclass(frozen=True)
class Choice:
    """One of the answers.

    Parameters
    ----------
    say : str
    low, high : float
        For which numbers it is right, the second excluded.
    state : str
        The link of its own number; '' where it is of the question's.
    check : Check or None
        Its own number, where it has one.
    """

    say: str
    low: float = -math.inf
    high: float = math.inf
    state: str = ""
    check: Check | None = None


@dataclass(frozen=True)
class Question:
    """A question of a lesson.

    Parameters
    ----------
    heading, text : str
        Of the part of the lesson; the text is HTML.
    explanation : str
        HTML that is shown with the answer.
    state, then : str
        Links of what the page shows before and with the answer.
    ask : str
    kind : str
    choices : tuple of Choice
        None of a number.
    within : float
        By how much a number may be off.
    check : Check
    also : tuple of Check
    explains : tuple of float
        The choice that the text explains, from 1, or the range of a number; empty: any.
    """

    heading: str
    text: str
    explanation: str
    state: str
    then: str
    ask: str
    kind: Kind
    choices: tuple[Choice, ...]
    within: float
    check: Check
    also: tuple[Check, ...]
    explains: tuple[float, ...]

    @property
    def bundle(self) -> str:
        """What its link calls its bundle; '' for the one that is shown by default."""
        return bundle_of(self.state)


@dataclass(frozen=True)
class Lesson:
    """A lesson.

    Parameters
    ----------
    name : str
        What links call it.
    title, about : str
    questions : tuple of Question
    """

    name: str
    title: str
    about: str
    questions: tuple[Question, ...]


def bundle_of(link: str) -> str:
    """Return what a link calls its bundle; '' where it says nothing of it."""
    return parse_qs(link).get("bundle", [""])[-1]


def name_of(stem: str) -> str:
    """Return a lesson's name from that of its file; '' where it cannot be one.

    >>> name_of("02-one-observation"), name_of("Mine")
    ('one-observation', '')
    """
    name = re.sub(r"^\d+[-_]", "", stem)
    return name if _NAME.fullmatch(name) and name not in (LIST, GAME) else ""


def read(text: str, file: str) -> Lesson:
    """Read a lesson.

    Parameters
    ----------
    text : str
        Of the file.
    file : str
        Its name, from which the lesson's follows.

    Raises
    ------
    LessonError
        If anything in it is wrong.
    """
    name = name_of(file.removesuffix(".md"))
    if not name:
        raise LessonError(
            f"The lesson {file[:60]} cannot have that name in links; call it by small letters, "
            f"digits and hyphens, such as 11-my-lesson.md, but neither {LIST} nor {GAME}."
        )
    if len(text) > MOST_CHARACTERS:
        raise LessonError(
            f"The lesson {file} has {len(text):,} characters, and {MOST_CHARACTERS:,} are the "
            "most; make two of it."
        )
    fences = list(_FENCE.finditer(text))
    if len(fences) < 2 or text[: fences[0].start()].strip():
        raise LessonError(
            f"The lesson {file} has no header; begin it with a line '---', the header, and a "
            "second line '---'."
        )
    header, body = text[fences[0].end() : fences[1].start()], text[fences[1].end() :]
    before = text[: fences[0].end()].count("\n") + 1
    try:
        source = load(header, before)
    except SourceError as error:
        raise LessonError(f"The lesson {file}: {error}; correct it.") from None
    return _Reader(file, name, source).lesson(body)


@dataclass(frozen=True)
class _Reader:
    """Checks a header key by key; complaints name the file, the line and the key."""

    file: str
    name: str
    source: Source

    def refuse(self, path: Path, words: str) -> LessonError:
        where = ".".join(
            str(part + 1) if isinstance(part, int) else str(part)[:24] for part in path
        )
        at = f", line {self.source.line(path)}"
        return LessonError(f"The lesson {self.file}{at}{f', {where}' if where else ''}: {words}")

    def mapping(self, value: Any, path: Path, keys: Sequence[str] | None = None) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.refuse(path, "lacks its keys; write 'key: value', one a line.")
        for key in value:
            if keys is not None and key not in keys:
                words = f"there is no such key; choose one of {', '.join(keys)}."
                raise self.refuse((*path, str(key)), words)
        return value

    def text(self, given: dict[str, Any], key: str, path: Path, *, must: bool = True) -> str:
        if key not in given:
            if must:
                raise self.refuse(path, f"lacks '{key}'; add it.")
            return ""
        value = given[key]
        if not isinstance(value, str) or not value.strip():
            raise self.refuse((*path, key), "must be text; put it in quotes.")
        return value.strip()

    def items(self, given: dict[str, Any], key: str, path: Path) -> list[Any]:
        value = given.get(key, [])
        if not isinstance(value, list):
            raise self.refuse((*path, key), "must be a list; begin each of its items with '- '.")
        return value

    def lesson(self, body: str) -> Lesson:
        given = self.mapping(self.source.values, (), tuple(LESSON_KEYS))
        title = self.text(given, "title", ())
        about = self.text(given, "about", (), must=False)
        asked = self.items(given, "questions", ())
        if not 1 <= len(asked) <= MOST_QUESTIONS:
            words = f"needs 1 to {MOST_QUESTIONS} questions and has {len(asked)}; correct them."
            raise self.refuse(("questions",), words)
        parts = self.parts(body, len(asked))
        questions = [
            self.question(item, ("questions", i), part)
            for i, (item, part) in enumerate(zip(asked, parts, strict=True))
        ]
        return Lesson(self.name, title, about, tuple(questions))

    def parts(self, body: str, count: int) -> list[tuple[str, str, str]]:
        """Return heading, text and explanation of each question, as HTML but for the heading."""
        found = split_body(body)
        if len(found) != count:
            raise LessonError(
                f"The lesson {self.file} has {count} questions in its header and {len(found)} "
                "headings '## ' in its text; give each question one."
            )
        for heading, _, explanation in found:
            if not explanation:
                raise LessonError(
                    f"The lesson {self.file} has no '### ' under '## {heading[:40]}'; what follows "
                    "it is shown with the answer, so add it."
                )
        return found

    def question(self, item: Any, path: Path, part: tuple[str, str, str]) -> Question:
        given = self.mapping(item, path, tuple(QUESTION_KEYS))
        kind = self.text(given, "answer", path)
        if kind not in ("choice", "number", "greatest", "least"):
            words = f"cannot be '{kind[:24]}'; write choice, number, greatest or least."
            raise self.refuse((*path, "answer"), words)
        state = self.link(given, "state", path)
        then = self.link(given, "then", path) if "then" in given else ""
        self.same_bundle(state, then, (*path, "then"))
        base = self.mapping(given.get("check"), (*path, "check"))
        own = kind in ("greatest", "least")
        # What each choice says of its own stands beside what all have in common.
        check = None if own else self.check(base, (*path, "check"), then)
        choices = self.choices(given, kind, path, base, state)
        return Question(
            *part,
            state=state,
            then=then,
            ask=self.text(given, "ask", path),
            kind=kind,  # type: ignore[arg-type]
            choices=choices,
            within=self.within(given, kind, path),
            check=check or choices[0].check,  # type: ignore[arg-type]
            also=tuple(
                self.check(self.mapping(more, (*path, "also", i)), (*path, "also", i), then)
                for i, more in enumerate(self.items(given, "also", path))
            ),
            explains=self.explains(given, kind, len(choices), path),
        )

    def link(self, given: dict[str, Any], key: str, path: Path) -> str:
        link = self.text(given, key, path)
        query = link.partition("?")[2] if "?" in link else link
        if "month=" not in query or any(c.isspace() for c in query):
            words = "is no link of the page; copy what Share gives, whole and on one line."
            raise self.refuse((*path, key), words)
        return query

    def same_bundle(self, state: str, then: str, path: Path) -> None:
        if then and bundle_of(then) != bundle_of(state):
            words = "is of another bundle than 'state'; let both be of one."
            raise self.refuse(path, words)

    def check(self, given: dict[str, Any], path: Path, then: str) -> Check:
        rest = {key: value for key, value in given.items() if key not in CHECK_KEYS}
        how = given.get("as", "value")
        if how not in ("value", "change", "ratio"):
            words = f"cannot be '{str(how)[:24]}'; write value, change or ratio."
            raise self.refuse((*path, "as"), words)
        if how != "value" and not then:
            words = f"a {how} is between two states; add 'then' to the question."
            raise self.refuse((*path, "as"), words)
        if "quantity" not in given:
            words = f"lacks 'quantity'; choose one of {', '.join(QUANTITIES)}."
            raise self.refuse(path, words)
        name = given["quantity"]
        try:
            return Check(str(name), read_quantity(name, rest), how)
        except QuantityError as error:
            raise self.refuse(path, str(error)) from None

    def choices(
        self, given: dict[str, Any], kind: str, path: Path, base: dict[str, Any], state: str
    ) -> tuple[Choice, ...]:
        items = self.items(given, "choices", path)
        if kind == "number":
            if items:
                raise self.refuse((*path, "choices"), "a number has none; remove them.")
            return ()
        if not 2 <= len(items) <= 6:
            words = f"needs 2 to 6 choices and has {len(items)}; correct them."
            raise self.refuse((*path, "choices"), words)
        places = [(*path, "choices", i) for i in range(len(items))]
        if kind == "choice":
            made = [
                self.ranged(self.mapping(item, where, tuple(CHOICE_KEYS)), where)
                for item, where in zip(items, places, strict=True)
            ]
            self.whole(made, (*path, "choices"))
            return tuple(made)
        return tuple(
            self.compared(self.mapping(item, where), where, base, state)
            for item, where in zip(items, places, strict=True)
        )

    def ranged(self, given: dict[str, Any], path: Path) -> Choice:
        low, high = (
            self.number(given[key], (*path, key)) if key in given else end
            for key, end in (("from", -math.inf), ("below", math.inf))
        )
        return Choice(self.text(given, "say", path), low, high)

    def whole(self, choices: list[Choice], path: Path) -> None:
        """Check that exactly one choice is right, whatever the number."""
        ordered = sorted(choices, key=lambda choice: choice.low)
        ends = [-math.inf, *(choice.high for choice in ordered)]
        starts = [*(choice.low for choice in ordered), math.inf]
        if ends != starts or any(choice.low >= choice.high for choice in choices):
            raise self.refuse(
                path,
                "their ranges leave a gap or overlap; let each begin 'from' where the one before "
                "it is 'below', the lowest without 'from' and the highest without 'below'.",
            )

    def compared(
        self, given: dict[str, Any], path: Path, base: dict[str, Any], state: str
    ) -> Choice:
        own = {k: v for k, v in given.items() if k not in ("say", "state")}
        link = self.link(given, "state", path) if "state" in given else ""
        self.same_bundle(state, link, (*path, "state"))
        check = self.check({**base, **own}, path, "")
        return Choice(self.text(given, "say", path), state=link, check=check)

    def within(self, given: dict[str, Any], kind: str, path: Path) -> float:
        if kind != "number":
            if "within" in given:
                raise self.refuse((*path, "within"), "is of an answer 'number' alone; remove it.")
            return 0.0
        if "within" not in given:
            raise self.refuse(path, "lacks 'within'; say by how much the number may be off.")
        value = self.number(given["within"], (*path, "within"))
        if not value > 0:
            raise self.refuse((*path, "within"), "must be above 0; correct it.")
        return value

    def explains(
        self, given: dict[str, Any], kind: str, count: int, path: Path
    ) -> tuple[float, ...]:
        if "explains" not in given:
            return ()
        value, where = given["explains"], (*path, "explains")
        if kind != "number":
            if not is_count(value) or not 1 <= value <= count:
                raise self.refuse(where, f"must be the number of a choice, 1 to {count}.")
            return (float(value),)
        if not isinstance(value, list) or len(value) != 2:
            raise self.refuse(where, "must be the range of the number, [from, to].")
        return tuple(self.number(end, where) for end in value)

    def number(self, value: Any, path: Path) -> float:
        try:
            return number("the number", value, -1e6, 1e6)
        except UserError as error:
            raise self.refuse(path, str(error)) from None


def split_body(body: str) -> list[tuple[str, str, str]]:
    r"""Return heading, text and explanation of each part of a lesson's text.

    A heading of the second level begins a part, one of the third its explanation.

    >>> split_body("## One\nLook.\n### So\nThus.")
    [('One', '<p>Look.</p>\n', '<h3>So</h3>\n<p>Thus.</p>\n')]
    """
    # HTML in it is shown as text, links that run scripts are none, and pictures ask the network.
    markdown = MarkdownIt("commonmark", {"html": False}).disable("image")
    tokens = markdown.parse(body)
    starts = [i for i, t in enumerate(tokens) if t.type == "heading_open" and t.tag == "h2"]
    made = []
    for begin, end in zip(starts, [*starts[1:], len(tokens)], strict=True):
        heading = tokens[begin + 1].content
        inner = tokens[begin + 3 : end]
        cut = next(
            (i for i, t in enumerate(inner) if t.type == "heading_open" and t.tag == "h3"),
            len(inner),
        )
        text, explanation = (
            markdown.renderer.render(piece, markdown.options, {})
            for piece in (inner[:cut], inner[cut:])
        )
        made.append((heading, text, explanation))
    return made
