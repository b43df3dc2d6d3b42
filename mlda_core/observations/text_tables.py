"""Parse text tables: encodings, separators, comments, and the header line."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from mlda_core.climate.interpolation import ObservationError
from mlda_core.observations.cells import Cells, columns_of
from mlda_core.observations.columns import REQUIRED, plain, role_of
from mlda_core.observations.number_cells import DEGREES
from mlda_core.observations.reading import Rejected

# Magic bytes of files that are mistaken for text tables.
_OTHER_FILES = (
    (b"PK\x03\x04", "a workbook of a spreadsheet, or another archive; save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "a workbook of Excel; save the sheet as CSV"),
    (b"\x1f\x8b", "compressed; unpack it first"),
    (b"BZh", "compressed; unpack it first"),
    (b"GRIB", "GRIB; write its observations as CSV or netCDF"),
    (b"BUFR", "BUFR; write its observations as CSV or netCDF"),
    (b"PAR1", "Parquet; write its observations as CSV or netCDF"),
    (b"%PDF", "PDF; write its observations as CSV"),
)
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_SEPARATORS = (",", ";", "\t", "|", " ")
_COMMENTS = ("#", "%", "!", "//")
# The header line must be within this many lines.
_PREAMBLE = 40
_BASE_PERIOD = re.compile(
    r"(?:base[ _-]?period|baseline|reference[ _-]?period|climatology[ _-]?period|relative to|"
    r"with respect to|w\.?r\.?t\.?)\W*(?P<period>[0-9]{4}[^0-9]{1,6}[0-9]{4})",
    re.IGNORECASE,
)


class _Head(NamedTuple):
    separator: str
    line: int
    names: list[str]


def decode(data: bytes, name: str) -> tuple[str, list[str]]:
    """Decode the bytes of a text.

    Parameters
    ----------
    data : bytes
        UTF-8, UTF-16 or UTF-32 by byte-order mark, UTF-16 by its zero bytes, UTF-8 without a
        mark, and otherwise Windows-1252, which spreadsheets write.
    name : str
        Name in messages.

    Returns
    -------
    text : str
    notes : list of str
        A sentence if the encoding was not declared.

    Raises
    ------
    ObservationError
        If it is not text.
    """
    other = next((what for head, what in _OTHER_FILES if data.startswith(head)), "")
    if other:
        raise ObservationError(f"{name} is {other}.")
    encoding = next((e for mark, e in _BOMS if data.startswith(mark)), "")
    if not encoding and b"\0" in data[:4096]:
        halves = data[:4096:2].count(0), data[1:4096:2].count(0)
        encoding = "utf-16-be" if halves[0] > halves[1] else "utf-16-le"
    notes = []
    try:
        text = data.decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        if encoding:
            raise _no_text(name) from error
        try:
            text = data.decode("cp1252")
        except UnicodeDecodeError:
            raise _no_text(name) from error
        notes = ["The text is read as Windows-1252, for it is not UTF-8."]
    # Images and binaries decode without error, but text has no such control characters.
    if re.search("[\0\x01-\x08\x0e-\x1a\x1c-\x1f]", text[:100_000]):
        raise _no_text(name)
    return text, notes


def _no_text(name: str) -> ObservationError:
    return ObservationError(f"{name} is neither netCDF nor text; save it as CSV in UTF-8.")


def parse(text: str, name: str, notes: Sequence[str] = ()) -> Cells:
    """Split a text into cells.

    Parameters
    ----------
    text : str
        Separated by commas, semicolons, tabs, bars or blanks; a first line ``sep=;`` declares
        the separator. Lines that begin with ``#``, ``%``, ``!`` or ``//`` are comments; lines
        before the header are ignored.
    name : str
        Name in messages.
    notes : sequence of str
        Earlier notes.

    Returns
    -------
    Cells

    Raises
    ------
    ObservationError
        If it contains no table.
    """
    lines = re.split("\r\n|\n|\r", text.removeprefix("\ufeff"))
    if re.match(r"\s*(<!doctype|<html|<\?xml)", text, re.IGNORECASE):
        raise ObservationError(f"{name} is a page of the web and no table; save the table as CSV.")
    stated, comments, body = _sorted(lines)
    separators = (stated,) if stated else _SEPARATORS
    try:
        head = _find_head(body, separators)
        if head is None and comments:
            # The header may be in a comment.
            for named in (c.lstrip("#%!/ ") for c in reversed(comments)):
                head = _find_head([named], separators)
                if head is not None:
                    body = [named, *body]
                    break
        head = head or _first_line(body, stated, name)
        records = list(_cut(body, head.separator))[head.line + 1 :]
    except csv.Error as error:
        raise ObservationError(f"{name} cannot be read as CSV ({error}); save it again.") from error
    all_notes = list(notes)
    if head.line:
        all_notes.append(
            f"{head.line} {'line' if head.line == 1 else 'lines'} before the names of the columns "
            "are left out."
        )
    preamble = [*comments, *(" ".join(r) for r in itertools.islice(_cut(body, ","), head.line))]
    periods = {found["period"] for c in preamble for found in _BASE_PERIOD.finditer(c)}
    if len(periods) > 1:
        raise ObservationError(
            f"{name} states several base periods ({', '.join(sorted(periods))}); leave one."
        )
    return _cells(name, head.names, records, all_notes, periods.pop() if periods else "")


def _sorted(lines: Sequence[str]) -> tuple[str, list[str], list[str]]:
    """Return the separator declared in the first line, the comments, and the other lines."""
    stated = ""
    comments: list[str] = []
    body: list[str] = []
    for line in lines:
        found = re.fullmatch(r'"?sep=(.|\\t)"?;*,*', line.strip(" "), re.IGNORECASE)
        if found and not body:
            stated = "\t" if found[1] == "\\t" else found[1]
        elif line.lstrip().startswith(_COMMENTS):
            comments.append(line.strip())
        elif line.strip():
            body.append(line)
    return stated, comments, body


def _cut(lines: Sequence[str], separator: str) -> Iterator[list[str]]:
    if separator == " ":
        lines = [re.sub(r"[ \t\u00a0]+", " ", line.strip()) for line in lines]
    # Keep line ends, as a quoted cell may contain one.
    rows = csv.reader((f"{line}\n" for line in lines), delimiter=separator, skipinitialspace=True)
    return ([cell.strip() for cell in row] for row in rows)


def _find_head(lines: Sequence[str], separators: Sequence[str]) -> _Head | None:
    """Find the header line and its separator."""
    for separator in separators:
        for i, names in enumerate(itertools.islice(_cut(lines, separator), _PREAMBLE)):
            if set(REQUIRED) <= {role_of(plain(n)[0]) for n in names}:
                return _Head(separator, i, names)
    return None


def _first_line(body: Sequence[str], stated: str, name: str) -> _Head:
    """Take the first line as the header, so that its missing columns can be reported."""
    if not body:
        raise ObservationError(f"{name} is empty; begin with a line variable,lat,lon,value.")
    separator = stated or max(",;\t", key=body[0].count)
    return _Head(separator, 0, next(_cut(body, separator)))


def _cells(
    name: str, names: list[str], records: list[list[str]], notes: list[str], base_period: str
) -> Cells:
    filled = [row for row in records if any(row)]
    # Spreadsheets write trailing separators.
    while names and not names[-1] and not any(any(row[len(names) - 1 :]) for row in filled):
        names = names[:-1]
    names = [n or f"column {i}" for i, n in enumerate(names, 1)]
    width, units = len(names), {}
    rows = [row[:width] if not any(row[width:]) else row for row in filled]
    if rows and len(rows[0]) == width:
        units = _units_row(names, rows[0])
    rows = rows[1:] if units else rows
    good = [i for i, row in enumerate(rows) if len(row) == width]
    ragged = tuple(
        Rejected(i + 1, _ragged(len(row), width)) for i, row in enumerate(rows) if len(row) != width
    )
    # Not by zip over rows: without rows there must still be columns.
    columns = columns_of({str(i): [rows[r][i] for r in good] for i in range(width)})[1]
    numbers = np.array(good, np.int64) + 1
    return Cells(name, tuple(names), columns, numbers, ragged, tuple(notes), units, base_period)


def _ragged(found: int, width: int) -> str:
    words = f"it has {found} cells, but the first line names {width} columns"
    return f"{words}; decimal commas need another separator, or quotes" if found > width else words


def _units_row(names: Sequence[str], row: Sequence[str]) -> dict[str, str]:
    """Return the units from a line below the header that has only units; empty otherwise."""
    roles = [role_of(plain(n)[0]) for n in names]
    degrees = [
        bool(DEGREES.fullmatch(cell.strip("[]() ")))
        for role, cell in zip(roles, row, strict=True)
        if role in ("lat", "lon")
    ]
    if not degrees or not all(degrees):
        return {}
    return {n: cell.strip("[]() ") for n, cell in zip(names, row, strict=True) if cell}
