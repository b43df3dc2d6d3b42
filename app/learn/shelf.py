"""The lessons that there are: those that ship with the page, and those of a folder of one's own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode

from app.learn.lesson import GAME, Lesson, LessonError, Question, name_of, read
from mlda_core.climate.errors import UserError
from mlda_core.evaluation.ten_stations import practice_month

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle

SHIPPED = Path(__file__).resolve().parent.parent / "lessons"
OWN = "MLDA_LESSONS"
# What a link may say beside its lesson without saying a state.
LOOKS = ("bundle", "theme", "projection", "present")


@dataclass(frozen=True)
class Shelf:
    """What was found.

    Parameters
    ----------
    lessons : mapping of str to Lesson
        By name, in the order of their files.
    refused : tuple of str
        One sentence for each file that is no lesson.
    """

    lessons: Mapping[str, Lesson]
    refused: tuple[str, ...]

    def find(self, key: str) -> tuple[Lesson, int] | None:
        """Return a lesson and the index of its question from what a link says, or None.

        Parameters
        ----------
        key : str
            ``name`` or ``name.2``, for its second question.
        """
        name, dot, at = key.partition(".")
        lesson = self.lessons.get(name)
        # The first has no number; Python itself refuses to read one of over 4,300 digits.
        index = int(at[:9]) - 1 if at.isdecimal() else -1 if dot else 0
        if lesson is None or not 0 <= index < len(lesson.questions):
            return None
        return lesson, index


def shelf() -> Shelf:
    """Return the lessons; a file that changed is read anew, one of `OWN` replaces its namesake."""
    refused: list[str] = []
    files = _files(SHIPPED)
    own = os.environ.get(OWN, "")
    if own:
        folder = Path(own)
        if not folder.is_dir():
            refused.append(f"{OWN} names {own[:80]}, which is no folder; correct it, or unset it.")
        elif not (found := _files(folder)):
            refused.append(f"{OWN} names {own[:80]}, which holds no .md file; put lessons there.")
        else:
            names = {name_of(path.stem) for path in found} - {""}
            files = [path for path in files if name_of(path.stem) not in names] + found
    lessons: dict[str, Lesson] = {}
    for path in sorted(files, key=lambda path: path.name):
        try:
            made = _read(path, path.stat().st_mtime_ns)
        except OSError as error:
            refused.append(f"The lesson {path.name} cannot be read ({error.strerror}).")
        except LessonError as error:
            refused.append(str(error))
        else:
            if made.name in lessons:
                refused.append(
                    f"The lesson {path.name} has the name '{made.name}' of another file; rename it."
                )
            else:
                lessons[made.name] = made
    return Shelf(lessons, tuple(refused))


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("*.md")) if path.name.lower() != "readme.md"]


@lru_cache(maxsize=256)
def _read(path: Path, _: int) -> Lesson:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise LessonError(f"The lesson {path.name} is no UTF-8 text; save it as UTF-8.") from None
    return read(text, path.name)


def key_of(lesson: Lesson, index: int) -> str:
    """Return what a link calls a question of a lesson."""
    return lesson.name if index == 0 else f"{lesson.name}.{index + 1}"


def link_to(lesson: Lesson, index: int) -> str:
    """Return the query of a question's state, with the lesson open beside it."""
    question: Question = lesson.questions[index]
    return f"{question.state}&{urlencode({'lesson': key_of(lesson, index)})}"


def game_link(bundle: Bundle) -> str:
    """Return the query of the game's first state: a month to practise on, nothing observed.

    Raises
    ------
    PlacesError
        If it cannot be played on the bundle.
    """
    return urlencode({"month": practice_month(bundle), "network": "none", "lesson": GAME})


def full_link(query: str, bundle: Bundle | None = None) -> str:
    """Return a query with the state of its lesson, where it says a lesson and no state.

    Parameters
    ----------
    query : str
        What follows the question mark of an address.
    bundle : Bundle, optional
        Whose page is opened: of it the game takes its month.
    """
    try:
        given = parse_qs(query.lstrip("?"), keep_blank_values=True, max_num_fields=50)
    except ValueError:
        return query
    if "lesson" not in given or not set(given) <= {"lesson", *LOOKS}:
        return query
    looks = {key: given[key][-1] for key in LOOKS if key in given and key != "bundle"}
    beside = f"&{urlencode(looks)}" if looks else ""
    if given["lesson"][-1] == GAME and bundle is not None:
        # Where it cannot be played the page says so beside its first view.
        with suppress(UserError):
            return game_link(bundle) + beside
    found = shelf().find(given["lesson"][-1])
    return query if found is None else link_to(*found) + beside
