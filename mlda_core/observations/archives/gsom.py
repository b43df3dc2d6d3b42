"""Global Summary of the Month: monthly summaries of GHCN-Daily's stations, NOAA NCEI.

Columns, flags and units are those of NCEI's documentation of the data files (GSOM_documentation,
https://www.ncei.noaa.gov/data/global-summary-of-the-month/doc/). A table does not say whether it
is in metric or in standard (US) units; the published files are metric, orders may be either.
"""

from __future__ import annotations

import calendar
import csv
import re
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from mlda_core.observations.archives.documents import ArchiveError, Document
from mlda_core.observations.archives.selection import ZERO_CELSIUS, Tally, Wanted, rows

_NEEDED = ("STATION", "DATE")
_ELEMENTS = {"TAVG": "tas", "PRCP": "pr"}
_MISSING = {"", "-9999", "-9999.0", "9999"}
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_MONTH = re.compile(r"((?:1[6-9]|20)\d\d)-(0[1-9]|1[0-2])")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
# Upper bound of monthly mean temperatures, degC.
_HOTTEST_MEAN = 45.0
_MM_PER_INCH = 25.4


def recognise(head: Sequence[str]) -> bool:
    """Recognise a table by its column names."""
    names = _header(head)
    return all(n in names for n in _NEEDED) and any(e in names for e in _ELEMENTS)


def read(documents: Iterator[Document], wanted: Wanted, tally: Tally) -> Iterator[pd.DataFrame]:
    """Read tables of one or of many stations.

    Parameters
    ----------
    documents : iterator of Document
    wanted : Wanted
    tally : Tally

    Yields
    ------
    DataFrame
        Rows of the observation table: tas, and pr as the monthly total divided by its days.

    Raises
    ------
    ArchiveError
        If a table has no places, is daily, or its units look wrong and are not specified.
    """
    for document in documents:
        found: dict[str, list[dict[str, Any]]] = {v: [] for v in _ELEMENTS.values()}
        for line, row in _rows(document, tally):
            _read_row(document, line, row, found, wanted, tally)
        for variable, cells in found.items():
            if cells:
                columns = {key: [cell[key] for cell in cells] for key in cells[0]}
                yield rows(variable, columns, tally)


def _header(head: Sequence[str]) -> list[str]:
    return _cells(head[0].removeprefix("\xef\xbb\xbf")) or [] if head else []


def _cells(line: str) -> list[str] | None:
    """Return the cells of one line, None if its quotes are damaged.

    Cells of these tables contain no line breaks, so an unclosed quote must not consume the
    following lines.
    """
    try:
        return [c.strip() for c in next(csv.reader([line.rstrip("\r")], strict=True), [])]
    except csv.Error:
        return None


def _rows(document: Document, tally: Tally) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line numbers and lines as dictionaries by column name."""
    try:
        text = document.data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = document.data.decode("latin-1")
    first, *lines = text.split("\n")
    names = _cells(first) or []
    absent = [n for n in (*_NEEDED, "LATITUDE", "LONGITUDE") if n not in names]
    if absent:
        raise ArchiveError(
            f"{document.name} has no column {absent[0]}; order it again with the stations' "
            "geographic location."
        )
    elements = [e for e in _ELEMENTS if e in names]
    if "PRCP" in elements and "PRCP_ATTRIBUTES" not in names:
        tally.note(
            f"{document.name} has no column PRCP_ATTRIBUTES: what failed quality control, and "
            "totals with days missing, cannot be told"
        )
    for number, line in enumerate(lines, 2):
        cells = _cells(line)
        if cells is None:
            tally.damage(document, number, "its quotes are not closed")
            continue
        if not any(cells):
            continue
        if len(cells) != len(names):
            reason = f"it has {len(cells)} cells, but the first line names {len(names)} columns"
            tally.damage(document, number, reason)
            continue
        row = dict(zip(names, cells, strict=True))
        if _DAY.match(row["DATE"]):
            raise ArchiveError(
                f"{document.name} is of days ({row['DATE']}); take NCEI's Global Summary of the "
                "Month instead."
            )
        yield number, row


def _read_row(
    document: Document,
    line: int,
    row: dict[str, str],
    found: dict[str, list[dict[str, Any]]],
    wanted: Wanted,
    tally: Tally,
) -> None:
    date = _MONTH.fullmatch(row["DATE"])
    if date is None:
        tally.damage(document, line, f"its date '{row['DATE'][:20]}' is no month such as 1997-12")
        return
    places = [row["LATITUDE"], row["LONGITUDE"]]
    if any(p and not _NUMBER.fullmatch(p) for p in places):
        tally.damage(document, line, "its latitude or longitude is no number")
        return
    lat, lon = (float(p) if p else float("nan") for p in places)
    year, month = int(date[1]), int(date[2])
    tally.saw(year)
    if not wanted.asks(year, month, lat, lon):
        return
    for element, variable in _ELEMENTS.items():
        text = row.get(element, "")
        if text in _MISSING or not wanted.wants(variable):
            continue
        if not _NUMBER.fullmatch(text):
            tally.damage(document, line, f"its {element} '{text[:20]}' is no number")
            continue
        _suspect(document, line, element, text, wanted)
        if element == "PRCP" and not _is_whole(document, line, row, wanted, tally):
            continue
        found[variable].append(
            {
                "lat": lat,
                "lon": lon,
                "value": _value(element, float(text), year, month, wanted),
                "year": year,
                "month": month,
                "label": row.get("NAME") or row["STATION"],
            }
        )


def _value(element: str, value: float, year: int, month: int, wanted: Wanted) -> float:
    """Return a temperature in K, or a monthly total as mm/day."""
    if element == "TAVG":
        celsius = (value - 32.0) / 1.8 if wanted.standard_units else value
        return celsius + ZERO_CELSIUS
    total = value * _MM_PER_INCH if wanted.standard_units else value
    return total / calendar.monthrange(year, month)[1]


def _suspect(document: Document, line: int, element: str, text: str, wanted: Wanted) -> None:
    """Refuse a table that appears to be in degF and inches, unless the user specified the units."""
    if wanted.standard_units is not None:
        return
    # Metric totals have tenths of a millimetre, US ones hundredths of an inch.
    decimals = len(text.partition(".")[2].rstrip("0"))
    if element == "TAVG" and float(text) > _HOTTEST_MEAN:
        why = f"a mean of {text} can only be degF"
    elif element == "PRCP" and decimals > 1:
        why = f"a total of {text} looks like inches"
    else:
        return
    raise ArchiveError(
        f"{document.name}, line {line}: {why}; say --standard-units if the table was ordered so, "
        "or else --metric-units."
    )


def _is_whole(
    document: Document, line: int, row: dict[str, str], wanted: Wanted, tally: Tally
) -> bool:
    """Whether a total passed quality control and is complete."""
    attributes = row.get("PRCP_ATTRIBUTES", "")
    if not attributes or wanted.keep_flagged:
        return True
    flags = [f.strip() for f in attributes.split(",")]
    if len(flags) != 4:
        tally.damage(
            document,
            line,
            f"PRCP_ATTRIBUTES '{attributes[:20]}' are not the four of days missing, measurement, "
            "quality and source",
        )
        return False
    missing, measurement, quality, _ = flags
    if quality:
        tally.leave_out(f"PRCP with quality flag {quality}")
    elif missing not in {"", "0"} or measurement == "a":
        tally.leave_out("PRCP with days missing")
    else:
        return True
    return False
