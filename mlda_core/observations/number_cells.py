"""Parse numbers in common notations: decimal commas, thousands separators, units, degrees."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlda_core.observations.cells import shown

Float = NDArray[np.float64]
_PLAIN = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
# Typographic signs and blanks, and their ASCII equivalents.
_TYPED = str.maketrans(
    {
        **dict.fromkeys("\u2212\u2012\u2013\u2010\u2011\ufe63\uff0d", "-"),
        **dict.fromkeys("\u00a0\u2007\u2009\u202f", " "),
        **dict.fromkeys("\u2019\u02bc", "'"),
    }
)
_CELL = re.compile(
    r"(?P<sign>[+-]?) ?(?P<body>[0-9](?:[0-9.,]|[ '](?=[0-9]{3}(?![0-9])))*|[.,][0-9]+)"
    r"(?P<power>[eE][+-]?[0-9]+)? ?(?P<units>[^0-9+\-., ].*|)"
)
_TWO_WAYS = re.compile(r"[1-9][0-9]{0,2}([.,])[0-9]{3}")
# Units in the name of a latitude or longitude column.
DEGREES = re.compile(
    r"(?=.)(?:decimal[ _])?(?:°|º|deg(?:ree)?s?\.?)?[ _]?(?P<side>north|south|east|west|[nsew])?",
    re.IGNORECASE,
)
_HEMISPHERES = {"north": 1.0, "n": 1.0, "south": -1.0, "s": -1.0}
_HEMISPHERES_EAST = {"east": 1.0, "e": 1.0, "west": -1.0, "w": -1.0}
_LETTER = "north|south|east|west|[nsew]"
_PLACE = re.compile(
    rf"(?P<before>{_LETTER})? ?(?P<sign>[+-]?) ?(?P<degrees>[0-9]+(?:[.,][0-9]*)?)"
    r"(?P<mark> ?(?:°|º|˚|degrees?|deg\.?|d|:))?"
    r"(?: ?(?P<minutes>[0-9]+(?:[.,][0-9]*)?)(?P<prime> ?(?:'|′|min|m|:))?"
    r"(?: ?(?P<seconds>[0-9]+(?:[.,][0-9]*)?)(?: ?(?:\"|″|”|''|sec|s(?![a-z])))?)?)?"
    rf" ?(?P<after>{_LETTER})?",
    re.IGNORECASE,
)


class Numbers(NamedTuple):
    """A column of numbers.

    Parameters
    ----------
    values : ndarray, shape (n,)
        NaN if invalid or missing.
    units : ndarray of str, shape (n,)
        Units after the number in its cell, '' if there are none.
    reasons : dict of int to str
        Why a non-empty cell is not a number, to follow the cell in a message; '' if there is no
        further explanation.
    """

    values: Float
    units: NDArray[Any]
    reasons: dict[int, str]


def read_numbers(
    columns: Mapping[str, NDArray[Any]], places: Mapping[str, NDArray[Any]]
) -> dict[str, Numbers]:
    """Parse the numeric columns of a table.

    A comma or a point followed by three digits, as in 1,013, is a decimal mark or a thousands
    separator depending on the other cells of its column or, failing that, on the other columns;
    if it remains ambiguous, a comma is refused.

    Parameters
    ----------
    columns : mapping of str to ndarray of object, shape (n,)
    places : mapping of str to ndarray of object, shape (n,)
        ``lat`` and ``lon``, which may have hemispheres, minutes and seconds.

    Returns
    -------
    dict of str to Numbers
        The numbers of both mappings.
    """
    texts = {name: _texts(cells) for name, cells in {**columns, **places}.items()}
    marks = {name: _marks(texts[name]) for name in columns}
    # Degrees have at most three digits before the mark, so a comma is a decimal mark.
    marks |= {
        name: {
            c
            for text in texts[name].values()
            for c in ".,"
            if text.count(c) == 1 and not text.replace(".", ",").count(",") > 1
        }
        for name in places
    }
    everywhere = set().union(*marks.values())
    out = {}
    for name, cells in columns.items():
        own, others = _only(marks[name]), "" if marks[name] else _only(everywhere)
        out[name] = _column(cells, texts[name], own, others, mixed=len(marks[name]) > 1)
    for name, cells in places.items():
        out[name] = _places(cells, texts[name], name)
    return out


def _texts(cells: NDArray[Any]) -> dict[int, str]:
    """Return the cells that contain text other than plain numbers."""
    found = {i: shown(c) for i, c in enumerate(cells) if isinstance(c, str)}
    plain = re.compile(_PLAIN)
    out = {}
    for i, text in found.items():
        if not text:
            continue
        # A plain number shows the decimal mark only if it has a point.
        if plain.fullmatch(text) and "." not in text:
            continue
        out[i] = text.translate(_TYPED)
    return out


def _only(marks: set[str]) -> str:
    return next(iter(marks)) if len(marks) == 1 else ""


def _marks(texts: Mapping[int, str]) -> set[str]:
    """Return the unambiguous decimal marks in a column."""
    found = set()
    for text in set(texts.values()):
        cell = _CELL.fullmatch(text)
        if cell:
            found.add(_mark(cell["body"], power=bool(cell["power"])))
    return found - {""}


def _mark(body: str, *, power: bool) -> str:
    """Return the decimal mark of a number, '' if it has none or is ambiguous."""
    body, spaced = re.sub(r"[ ']", "", body), bool(re.search(r"[ ']", body))
    if body.count(".") + body.count(",") == 1:
        mark = "." if "." in body else ","
        return "" if _TWO_WAYS.fullmatch(body) and not power and not spaced else mark
    if re.fullmatch(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?", body):
        return "."
    return "," if re.fullmatch(r"[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]*)?", body) else ""


def _column(
    cells: NDArray[Any], texts: Mapping[int, str], own: str, others: str, *, mixed: bool
) -> Numbers:
    values, units = _plain_numbers(cells), np.full(len(cells), "", object)
    reasons: dict[int, str] = {}
    known: dict[str, tuple[float, str, str]] = {}
    for i, text in texts.items():
        if text not in known:
            known[text] = _cell(text, own, others, mixed=mixed)
        values[i], units[i], why = known[text]
        if not np.isfinite(values[i]):
            reasons[i] = why
    return Numbers(values, units, reasons)


def _cell(text: str, own: str, others: str, *, mixed: bool) -> tuple[float, str, str]:
    """Parse one cell: its number or NaN, its units, and why it is invalid."""
    found = _CELL.fullmatch(text)
    if not found:
        return np.nan, "", ""
    sign, units = (-1.0 if found["sign"] == "-" else 1.0), found["units"].strip()
    power = found["power"] or ""
    spaced = re.fullmatch(r"[0-9]{1,3}(?:[ '][0-9]{3})+(?:[.,][0-9]*)?", found["body"])
    body = re.sub(r"[ ']", "", found["body"]) if spaced else found["body"]
    two = _TWO_WAYS.fullmatch(body) if not power and not spaced else None
    if two:
        mark = own or others
        if mixed or (two[1] == "," and not mark) or (two[1] == "." and not own and others == ","):
            a, b = re.sub("[.,]", ".", body), re.sub("[.,]", "", body)
            remedy = "write it without a separator of thousands and with a decimal point"
            return np.nan, "", f"may be {a} or {b}; {remedy}"
        body = body.replace(two[1], "." if two[1] == (mark or ".") else "")
    elif re.fullmatch(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?", body) and "," in body:
        body = body.replace(",", "")
    elif re.fullmatch(r"[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]*", body) or re.fullmatch(
        r"[0-9]{1,3}(?:\.[0-9]{3}){2,}", body
    ):
        body = body.replace(".", "").replace(",", ".")
    else:
        body = body.replace(",", ".")
    if not re.fullmatch(_PLAIN, body + power):
        return np.nan, "", ""
    return sign * float(body + power), units, ""


def _plain_numbers(cells: NDArray[Any]) -> Float:
    """Parse plain numbers; NaN elsewhere."""
    out = np.full(len(cells), np.nan)
    plain = re.compile(_PLAIN)
    for i, cell in enumerate(cells):
        if isinstance(cell, str):
            text = cell.strip()
            out[i] = float(text) if plain.fullmatch(text) else np.nan
        elif isinstance(cell, int | float | np.number) and not isinstance(
            cell, bool | np.bool_ | np.timedelta64 | complex | np.complexfloating
        ):
            out[i] = float(cell)
    return out


def _places(cells: NDArray[Any], texts: Mapping[int, str], name: str) -> Numbers:
    values, reasons = _plain_numbers(cells), {}
    known: dict[str, tuple[float, str]] = {}
    for i, text in texts.items():
        if text not in known:
            known[text] = _place(text, name)
        values[i], why = known[text]
        if not np.isfinite(values[i]):
            reasons[i] = why
    return Numbers(values, np.full(len(cells), "", object), reasons)


def _place(text: str, name: str) -> tuple[float, str]:
    """Parse a latitude or longitude: degrees or NaN, and why it is invalid."""
    found = _PLACE.fullmatch(text)
    if not found:
        return np.nan, ""
    letters = [h for h in (found["before"], found["after"]) if h]
    sides = _HEMISPHERES if name == "lat" else _HEMISPHERES_EAST
    if len(letters) > 1 or any(h.lower() not in sides for h in letters):
        return np.nan, ""
    if letters and found["sign"]:
        return np.nan, "has a sign and a hemisphere; leave one out"
    whole = found["degrees"]
    parts = [float(p.replace(",", ".")) for p in found.group("degrees", "minutes", "seconds") if p]
    if len(parts) > 1:
        if not (found["mark"] or found["prime"] or letters):
            return np.nan, "may be degrees and minutes; write decimal degrees"
        if not whole.isdigit() or any(p >= 60.0 for p in parts[1:]):
            return np.nan, ""
        if len(parts) > 2 and not found["minutes"].isdigit():
            return np.nan, ""
    degrees = sum(p / 60.0**k for k, p in enumerate(parts))
    side = sides[letters[0].lower()] if letters else -1.0 if found["sign"] == "-" else 1.0
    return side * degrees, ""
