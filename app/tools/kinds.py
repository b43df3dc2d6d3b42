"""Kinds of observation as the page offers, lists and marks them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlda_core.observations.kind import KindError
from mlda_core.observations.kinds import KINDS, PLAIN, kind_of
from mlda_core.observations.said import class_words
from mlda_core.page_state.rows import InvalidObservationError

if TYPE_CHECKING:
    import pandas as pd

    from mlda_core.climate.variables import Variable

# Bokeh's marker of each kind, and the sign that stands for it in words; they differ in shape alone.
MARKS: dict[str, tuple[str, str]] = {
    "value": ("circle", "●"),
    "mean": ("square", "■"),
    "difference": ("square_x", "⊠"),
    "lower_bound": ("triangle", "▲"),
    "upper_bound": ("inverted_triangle", "▼"),
    "report": ("diamond", "◆"),
    "student_t": ("hex", "⬢"),
}
# A kind without one of its own.
OTHER = ("star", "★")
# Classes of a report that is placed by hand; the words are of no variable yet.
_CLASSES = (
    (-2, "much below usual"),
    (-1, "below usual"),
    (0, "usual"),
    (1, "above usual"),
    (2, "much above usual"),
)


def offered() -> list[list[str]]:
    """Return what can be placed by hand: code and label, a value first."""
    out = []
    for key, kind in KINDS.items():
        if kind.classes:
            out.append([key, "Report of what was"])
            out += [[f"{key}:{number}", f"Report: {words}"] for number, words in _CLASSES]
        else:
            out.append([key, kind.label])
    return out


def chosen(code: Any) -> tuple[str, float | None]:
    """Return kind and value of a code of `offered`; None for a value that is sampled.

    Raises
    ------
    InvalidObservationError
        If it is none of them.
    """
    if code is None or code == PLAIN:
        return "", None
    if [code] not in [[key] for key, _ in offered()]:
        raise InvalidObservationError(f"Nothing can be observed as '{str(code)[:24]}'.")
    key, _, value = str(code).partition(":")
    return key, float(value) if value else None


def key_of(kind: str) -> str:
    """Return the key of a kind as a table writes it."""
    return kind.partition("(")[0] or PLAIN


def mark_of(kind: str) -> str:
    """Return Bokeh's marker of a kind as a table writes it."""
    return MARKS.get(key_of(kind), OTHER)[0]


def sign_of(kind: str) -> str:
    """Return the sign that stands for a kind's marker in words."""
    return MARKS.get(key_of(kind), OTHER)[1]


def said(row: Mapping[str, Any], variable: Variable) -> str:
    """Return what a row says, other than its value; '' for a value at a place.

    Parameters
    ----------
    row : mapping
        Of an observation table.
    variable : Variable
    """
    text = str(row.get("kind", PLAIN))
    try:
        kind, parameter = kind_of(text)
    except KindError:
        return text
    if kind.classes:
        return class_words(variable, float(row["value"]), int(parameter))
    area = str(row.get("area", ""))
    words = {"lower_bound": "at least", "upper_bound": "at most", "student_t": "heavy tails"}
    found = words.get(kind.key, "" if kind.key == PLAIN else kind.key)
    return f"{found} of {area}" if area and kind.area != "difference" else f"{found} {area}".strip()


def key_words(rows: pd.DataFrame) -> str:
    """Return which marker is which, of the kinds in a table; '' where all are values."""
    if "kind" not in rows:
        return ""
    held = {key_of(kind) for kind in rows["kind"]}
    marks = [
        f"{MARKS.get(key, OTHER)[1]} {kind.label.lower()}"
        for key, kind in KINDS.items()
        if key in held
    ]
    return f"Markers: {', '.join(marks)}."
