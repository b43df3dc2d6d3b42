"""GHCN-Monthly: mean temperatures of stations, NOAA NCEI.

Columns, flags and units are those of the readme of version 4 (NCEI,
https://www.ncei.noaa.gov/pub/data/ghcn/v4/readme.txt). Version 3 has the same layout.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlda_core.observations.archives.documents import ArchiveError, Document
from mlda_core.observations.archives.fixed_width import (
    Text,
    chunks,
    cut,
    decimals,
    integers,
    name,
    years,
)
from mlda_core.observations.archives.selection import ZERO_CELSIUS, Tally, Wanted, rows

_DATA = re.compile(r"[A-Z0-9_-]{11}\d{4}[A-Z]{4}[ \d+-]{4}\d")
_INVENTORY = re.compile(r"[A-Z0-9_-]{11} [ \d.-]{8} [ \d.-]{9} [ \d.-]{6}(?: |$)")
_MISSING = -9999
_MONTHS = range(1, 13)
# A value, and its flags: measurement, quality control, source.
_LINE = {"id": (1, 11), "year": (12, 15), "element": (16, 19)} | {
    f"{what}{m}": (19 + 8 * (m - 1) + first, 19 + 8 * (m - 1) + last)
    for m in _MONTHS
    for what, first, last in (("value", 1, 5), ("dm", 6, 6), ("qc", 7, 7))
}
# Shorter lines lack a value; longer ones have additions.
_SHORTEST, _LONGEST = 112, 115
_PLACE = {"id": (1, 11), "lat": (13, 20), "lon": (22, 30), "name": (39, 68)}
# Flag of adjusted data: an alternative adjustment was used; not a failed check.
_NO_FAULT = "A"
# Flag of the gap-filled version: estimated from neighbouring stations.
_ESTIMATED = "E"

# Latitude, longitude and name of each station.
Places = dict[str, tuple[float, float, str]]
_NOWHERE = (np.nan, np.nan, "")


class _Chunk(NamedTuple):
    """Some lines of a data file, with their line numbers."""

    document: Document
    line_numbers: NDArray[np.int64]
    lines: list[str]


def recognise(head: Sequence[str]) -> bool:
    """Recognise a data file by its first line."""
    return bool(head and _DATA.match(head[0]))


def companion(head: Sequence[str]) -> bool:
    """Recognise an inventory of stations."""
    return bool(head and _INVENTORY.match(head[0]))


def read(documents: Iterator[Document], wanted: Wanted, tally: Tally) -> Iterator[pd.DataFrame]:
    """Read data files, with inventories from the input or the same folder.

    Parameters
    ----------
    documents : iterator of Document
        Data files (``.dat``) and inventories (``.inv``), in any order.
    wanted : Wanted
    tally : Tally

    Yields
    ------
    DataFrame
        Rows of the observation table.

    Raises
    ------
    ArchiveError
        If there is no inventory: the data files do not contain the stations' places.
    """
    inventories: dict[Path | str, Document] = {}
    waiting: list[Document] = []
    for document in documents:
        if not recognise(document.head):
            inventories[document.path or document.name] = document
            continue
        waiting.append(document)
        beside = document.path.with_suffix(".inv") if document.path else None
        if beside is not None and beside.exists():
            inventories.setdefault(beside, Document(beside.name, beside.read_bytes(), beside))
    places: Places = {}
    for document in inventories.values():
        places |= _places(document, tally)
    for document in waiting:
        if not places:
            raise ArchiveError(
                f"{document.name} has no inventory of stations; give the .inv file of the same "
                "download too."
            )
        for line_numbers, lines in chunks(document.lines):
            selected = _selected(lines, wanted, tally)
            if selected.any():
                kept = [line for line, keep in zip(lines, selected, strict=True) if keep]
                chunk = _Chunk(document, line_numbers[selected], kept)
                yield from _read(chunk, places, wanted, tally)


def _places(document: Document, tally: Tally) -> Places:
    stations: Places = {}
    for line_numbers, lines in chunks(document.lines):
        columns = cut(lines, _PLACE)
        lat, bad_lat = decimals(columns["lat"])
        lon, bad_lon = decimals(columns["lon"])
        bad = np.flatnonzero(bad_lat | bad_lon)
        wrong = dict.fromkeys(map(int, bad), "its latitude or longitude is no number")
        for i in np.flatnonzero(tally.damage_lines(document, line_numbers, wrong)):
            station = str(columns["id"][i])
            label = name(str(columns["name"][i])) or station
            stations[station] = (float(lat[i]), float(lon[i]), label)
    return stations


def _selected(lines: list[str], wanted: Wanted, tally: Tally) -> NDArray[np.bool_]:
    """Whether lines are of selected years, or of unreadable ones."""
    year, bad = years(cut(lines, {"year": _LINE["year"]})["year"])
    unknown = bad | np.isnan(year)
    tally.saw(year[~unknown])
    if wanted.years is None:
        return np.ones(len(lines), bool)
    return unknown | np.isin(year, list(wanted.years))


def _read(chunk: _Chunk, places: Places, wanted: Wanted, tally: Tally) -> Iterator[pd.DataFrame]:
    columns = cut(chunk.lines, _LINE)
    year, values, sound = _values(chunk, columns, tally)
    # Stations without a known place have NaN, which counts as selected.
    where = np.array([places.get(str(i), _NOWHERE)[:2] for i in columns["id"]])
    asked = wanted.asks(year[:, None], np.array(_MONTHS), where[:, :1], where[:, 1:])
    held = (values != _MISSING) & asked
    for element in np.unique(columns["element"][sound]):
        if element != "TAVG":
            of_it = sound & (columns["element"] == element)
            tally.leave_out(f"{element} is no variable of the table", int(held[of_it].sum()))
    mean = sound & (columns["element"] == "TAVG") & wanted.wants("tas")
    known = np.array([str(i) in places for i in columns["id"]])
    tally.leave_out("the station is not in the inventory", int(held[mean & ~known].sum()))
    line, month = np.nonzero(held & (mean & known)[:, None])
    good = _passes(columns, line, month, wanted, tally)
    line, month = line[good], month[good]
    if line.size:
        yield rows(
            "tas",
            {
                "lat": where[line, 0],
                "lon": where[line, 1],
                "value": values[line, month] / 100.0 + ZERO_CELSIUS,
                "year": year[line].astype(int),
                "month": month + 1,
                "label": [places[str(i)][2] for i in columns["id"][line]],
            },
            tally,
        )


def _values(
    chunk: _Chunk, columns: dict[str, Text], tally: Tally
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return years and values, shape (n, 12), and which lines are valid."""
    year, bad = years(columns["year"])
    values = np.full((len(chunk.lines), 12), np.nan)
    wrong = {
        int(i): f"its year is '{columns['year'][i]}'" for i in np.flatnonzero(bad | np.isnan(year))
    }
    for m in _MONTHS:
        text = columns[f"value{m}"]
        values[:, m - 1], bad = integers(text)
        for i in np.flatnonzero(bad | (text == "")):
            wrong.setdefault(int(i), f"the value of month {m} is '{text[i]}'")
    for k, whole in enumerate(chunk.lines):
        length = len(whole.rstrip())
        if not _SHORTEST <= length <= _LONGEST:
            wrong[k] = f"it has {length} characters instead of {_LONGEST}"
    return year, values, tally.damage_lines(chunk.document, chunk.line_numbers, wrong)


def _passes(
    columns: dict[str, Text],
    line: NDArray[np.intp],
    month: NDArray[np.intp],
    wanted: Wanted,
    tally: Tally,
) -> NDArray[np.bool_]:
    """Whether values pass quality control and are observed; count the others."""
    if wanted.keep_flagged:
        return np.ones(line.shape, bool)
    measurement, quality = (
        np.stack([columns[f"{what}{m}"] for m in _MONTHS], axis=1)[line, month]
        for what in ("dm", "qc")
    )
    fine = (quality == "") | (quality == _NO_FAULT)
    for flag in np.unique(quality[~fine]):
        tally.leave_out(f"quality flag {flag}", int((quality == flag).sum()))
    estimated = fine & (measurement == _ESTIMATED)
    tally.leave_out("estimated from neighbours (flag E)", int(estimated.sum()))
    return np.asarray(fine & ~estimated)
