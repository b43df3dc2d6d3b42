"""The tool Learn of one session: lessons that set the state, and answers that are computed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from app.components import Message
from app.context import Action, SessionContext
from app.jobs.worker import ANALYSES, Latest
from app.learn import sheets
from app.learn.checking import Found, find, state_of
from app.learn.component import Learn
from app.learn.lesson import GAME, LIST, Lesson, Question
from app.learn.shelf import key_of, link_to, shelf
from app.text import counted
from mlda_core.bundle.shipped import BundleInfo, default_key, offers
from mlda_core.climate.errors import UserError
from mlda_core.page_state.quantities import unit_of
from mlda_core.page_state.serialize import from_query
from mlda_core.page_state.settings import InvalidStateError

if TYPE_CHECKING:
    from app.state import State


def check_lesson(key: str) -> None:
    """Check that there is a lesson.

    Raises
    ------
    InvalidStateError
        If there is none of that name, or it has no such question.
    """
    if key and key not in (LIST, GAME) and shelf().find(key) is None:
        raise InvalidStateError(f"There is no lesson '{key[:40]}' here; choose one under Learn.")


class LearnTool:
    """State and actions of the tool Learn.

    Parameters
    ----------
    context : SessionContext
    key : str
        Of the bundle shown.
    take : callable
        Takes over the state of a link.
    go : callable
        Opens the page of another bundle, by its key, at a link.
    game : str
        Why the game cannot be played on this bundle; '' where it can.
    """

    def __init__(
        self,
        context: SessionContext,
        key: str,
        *,
        take: Callable[[str], None],
        go: Callable[[str, str], None],
        game: str = "",
    ) -> None:
        self._state: State = context.state
        self._key, self._take, self._go, self._say = key, take, go, context.say
        self._redraw = context.redraw
        self._work = Latest(context.schedule, self._failed, pool=ANALYSES)
        self._sheet = Latest(context.schedule, self._no_sheet, pool=ANALYSES)
        self._shelf = shelf()
        self._last = LIST
        self._shown = ""
        self._outcomes: dict[str, dict[str, Any]] = {}
        # Which of a question's states was set last, and what of the page's state it made.
        self._set: tuple[str, str, Any] = ("", "", None)
        self.panel = Learn(context.on_messages, no_game=game, sizing_mode="stretch_width", margin=0)

    def actions(self) -> Mapping[str, Action]:
        """Return what each message of the tool does."""
        return {
            "learn": self.open,
            "lesson": self.choose,
            "lesson-show": self.show_state,
            "lesson-answer": self.answer,
            "lesson-sheet": self.print_sheet,
        }

    # -- what a visitor does ---------------------------------------------------------------------

    def open(self, _: Message) -> str:
        """Open the tool where it was left; the state stays."""
        self._shelf = shelf()
        there = self._last == GAME or self._shelf.find(self._last)
        self._state.lesson = self._last if there else LIST
        return ""

    def choose(self, message: Message) -> str | None:
        """Open the list, or a lesson's question with its state; of another bundle on its page."""
        key = str(message.get("value", ""))
        self._shelf = shelf()
        if key == LIST:
            self._state.lesson = LIST
            return ""
        lesson, index = self._found(key)
        question = lesson.questions[index]
        wanted = _bundle_key(question)
        if wanted != self._key:
            self._go(wanted, link_to(lesson, index))
            return None
        self._outcomes.pop(key_of(lesson, index), None)
        self._set_state(lesson, index, "before")
        return f"{lesson.title}. Undo brings back what was here."

    def show_state(self, message: Message) -> str:
        """Set the state of the question or of its answer."""
        lesson, index = self._found(self._state.lesson)
        which = message.get("value")
        if which not in ("before", "after"):
            raise InvalidStateError("A lesson shows what was before or after; reload the page.")
        if which == "after" and key_of(lesson, index) not in self._outcomes:
            raise InvalidStateError("Answer first; then the lesson shows what happens.")
        self._set_state(lesson, index, which)
        return ""

    def answer(self, message: Message) -> str:
        """Take an answer, show what happens, and compute which was right."""
        lesson, index = self._found(self._state.lesson)
        question, given = lesson.questions[index], message.get("value")
        key = key_of(lesson, index)
        _check_answer(question, given)
        self._outcomes[key] = {"busy": True}
        if question.then:
            self._set_state(lesson, index, "after")

        def deliver(found: Found) -> None:
            self._outcomes[key] = _outcome(question, found, given)
            self._redraw()

        self._work.submit(lambda _: find(question), deliver)
        return ""

    def _found(self, key: str) -> tuple[Lesson, int]:
        found = self._shelf.find(key)
        if found is None:
            check_lesson(key or "?")
            raise InvalidStateError("The lessons have changed; open the list again.")
        return found

    def _set_state(self, lesson: Lesson, index: int, which: str) -> None:
        question = lesson.questions[index]
        key = key_of(lesson, index)
        try:
            self._take(question.then if which == "after" and question.then else question.state)
        except UserError as error:
            raise InvalidStateError(
                f"The lesson {lesson.name}, question {index + 1}, "
                f"{'then' if which == 'after' else 'state'}: {error}"
            ) from error
        self._state.lesson = key
        self._set = (key, which, self._state.snapshot().work)

    # -- what it shows ---------------------------------------------------------------------------

    def show(self) -> None:
        """Update the panel; the caller holds the document."""
        key = str(self._state.lesson)
        if not key:
            return
        self._last = key
        self.panel.put(away=key == GAME)
        if key == GAME:
            self._shown = key
            return
        if key != self._shown or key == LIST:
            self._shelf = shelf()
        found = self._shelf.find(key)
        if found and key not in (self._shown, self._set[0]):
            self._opened_by_link(*found)
        here = {offer.key: offer for offer in offers()}
        self.panel.put(
            lessons=[_entry(lesson, here) for lesson in self._shelf.lessons.values()],
            refused=list(self._shelf.refused),
            lesson=found[0].name if found else "",
            step=found[1] + 1 if found else 0,
            card=self._card(*found) if found else {},
            outcome=self._outcomes.get(key, {}),
            shows=self._shows(key),
        )
        self._shown = key

    def _opened_by_link(self, lesson: Lesson, index: int) -> None:
        """Know the question's state where a link, not a click, has set it."""
        # A state that cannot be set is told of when it is asked for.
        with contextlib.suppress(UserError):
            wanted = from_query(lesson.questions[index].state, self._state.limits).work
            now = self._state.snapshot().work
            # What a link leaves open, such as the code of its month, the page fills in.
            if all(value in (None, now[name]) for name, value in wanted.items()):
                self._set = (key_of(lesson, index), "before", now)

    def _shows(self, key: str) -> str:
        """Return which of the question's states the page shows; '' where it is another by now."""
        at, which, work = self._set
        return which if at == key and self._state.snapshot().work == work else ""

    def _card(self, lesson: Lesson, index: int) -> dict[str, Any]:
        question = lesson.questions[index]
        unit = ""
        if question.kind == "number" and _bundle_key(question) == self._key:
            check = question.check
            # What is wrong with it is said with the answer.
            with contextlib.suppress(UserError):
                if check.how != "ratio":
                    state = state_of(question.state, question.bundle)
                    unit = unit_of(check.quantity, check.asked, state)
        return {
            "title": lesson.title,
            "count": len(lesson.questions),
            "heading": question.heading,
            "html": question.text,
            "ask": question.ask,
            "choices": [choice.say for choice in question.choices],
            "unit": unit,
            "then": bool(question.then),
            "next": _after(lesson, index, list(self._shelf.lessons.values())),
        }

    # -- sheets ----------------------------------------------------------------------------------

    def print_sheet(self, message: Message) -> None:
        """Give the browser a sheet to print: of one lesson or of all, with answers or without."""
        self._shelf = shelf()
        name, with_answers = str(message.get("lesson", "")), bool(message.get("answers"))
        lessons = [self._found(name)[0]] if name else list(self._shelf.lessons.values())
        total = sum(len(lesson.questions) for lesson in lessons)
        if not with_answers:
            self._print(sheets.worksheet(lessons))
            return

        def make() -> Iterator[tuple[int, str]]:
            found: dict[Question, Found | str] = {}
            for lesson in lessons:
                for question in lesson.questions:
                    yield len(found), ""
                    try:
                        found[question] = find(question)
                    except UserError as error:
                        found[question] = str(error)
            yield total, sheets.answers(lessons, found)

        def deliver(made: tuple[int, str]) -> None:
            done, html = made
            if html:
                self._say(f"{counted(total, 'answer')} computed.")
                self._print(html)
            else:
                self._say(f"Computing the answers: {done} of {total} …")

        self._sheet.stream(make, deliver)

    def _print(self, html: str) -> None:
        self.panel._send_msg({"type": "sheet", "html": html})  # noqa: SLF001 - Panel's own way

    def _failed(self, error: Exception) -> None:
        self._outcomes.pop(str(self._state.lesson), None)
        known = isinstance(error, UserError)
        words = str(error) if known else f"the answer could not be computed: {error}"
        self._say(f"The lesson {self._state.lesson}: {words}", failed=True)
        self._redraw()

    def _no_sheet(self, error: Exception) -> None:
        self._say(f"The sheet could not be made: {error}", failed=True)

    def close(self) -> None:
        """Let go of everything, when the visitor has left."""
        self._work.cancel()
        self._sheet.cancel()
        self.panel.listen(None)


def _bundle_key(question: Question) -> str:
    return question.bundle or default_key()


def _entry(lesson: Lesson, here: Mapping[str, BundleInfo]) -> dict[str, Any]:
    lacking = [q.bundle for q in lesson.questions if q.bundle and q.bundle not in here]
    return {
        "name": lesson.name,
        "title": lesson.title,
        "about": lesson.about,
        "count": len(lesson.questions),
        "lacking": f"Needs the bundle '{lacking[0][:40]}', which is not here." if lacking else "",
    }


def _after(lesson: Lesson, index: int, lessons: list[Lesson]) -> str:
    """Return the key of the question after one, that of the next lesson after the last, or ''."""
    if index + 1 < len(lesson.questions):
        return key_of(lesson, index + 1)
    names = [other.name for other in lessons]
    at = names.index(lesson.name) + 1
    return names[at] if at < len(names) else ""


def _check_answer(question: Question, given: Any) -> None:
    """Refuse what is no answer before anything is shown."""
    fake = Found(0.0, "", "", None if question.kind == "number" else 0, (), True)
    fake.agrees(question, given)


def _outcome(question: Question, found: Found, given: Any) -> dict[str, Any]:
    right = found.agrees(question, given)
    return {
        "busy": False,
        "right": right,
        "given": given,
        "choice": found.right,
        "value": found.words,
        "rows": [list(row) for row in found.rows],
        "html": question.explanation,
        "stands": found.stands,
    }
