"""ICOADS: reports of ships and buoys in the International Maritime Meteorological Archive format.

Columns, units and flags are those of Supplement C and D of the format's documentation (IMMA1,
Smith and others 2016, https://icoads.noaa.gov/e-doc/imma/R3.0-imma1.pdf): the core (Table C0) and
the ICOADS attachment (Table C1). IMMA0 of earlier releases has the same two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlda_core.observations.archives.documents import Document
from mlda_core.observations.archives.fixed_width import chunks, cut, integers, name, years
from mlda_core.observations.archives.selection import ZERO_CELSIUS, Tally, Wanted, rows

_HEAD = re.compile(r"(?:1[6-9]|20)\d\d[ 01]\d[ \d]{6}[ \d-]{5}[ \d-]{6} [01][ \dA-Z]")
_CORE = {
    "year": (1, 4),
    "month": (5, 6),
    "lat": (13, 17),
    "lon": (18, 23),
    "version": (24, 25),
    "attachments": (26, 26),
    "id": (35, 43),
    "psl": (60, 64),
    "tas": (70, 73),
    "tos": (86, 89),
}
# The ICOADS attachment comes first: its number 1 and its length 65, then its fields.
_BEGIN = 108
_ATTACHMENT = {
    "which": (_BEGIN + 1, _BEGIN + 4),
    "dups": (_BEGIN + 19, _BEGIN + 20),
    "tos_flag": (_BEGIN + 41, _BEGIN + 41),
    "tas_flag": (_BEGIN + 42, _BEGIN + 42),
    "psl_flag": (_BEGIN + 45, _BEGIN + 45),
    "landlocked": (_BEGIN + 63, _BEGIN + 63),
}
# A line must extend to the last field above.
_SHORTEST = _BEGIN
# Trimming flags: within 2.8, 3.5 and 4.5 standard deviations of the climatology, below and above;
# B: without limits, but accepted by another check. As in ICOADS's enhanced statistics.
_WITHIN = frozenset("12345B")
_REASONS = {
    "6": "more than 4.5 sd below the climatology (trimming flag 6)",
    "7": "more than 4.5 sd above the climatology (trimming flag 7)",
    "C": "not checked: no limits there (trimming flag 12)",
    "D": "landlocked (trimming flag 13)",
    "E": "unusable (trimming flag 14)",
    "F": "not computable (trimming flag 15)",
    "": "not checked: no trimming flag",
}
# From 3 on, the report is the worse of two duplicates.
_DUPLICATE = 3
# Tenths of degC and of hPa.
_SCALE = 0.1


def recognise(head: Sequence[str]) -> bool:
    """Recognise reports by their first line."""
    return bool(head and len(head[0]) >= _CORE["tos"][0] and _HEAD.match(head[0]))


def read(documents: Iterator[Document], wanted: Wanted, tally: Tally) -> Iterator[pd.DataFrame]:
    """Read reports.

    Parameters
    ----------
    documents : iterator of Document
    wanted : Wanted
    tally : Tally

    Yields
    ------
    DataFrame
        Rows of the observation table, one for each value of a report.
    """
    for document in documents:
        for line_numbers, lines in chunks(document.lines):
            yield from _read(document, line_numbers, lines, wanted, tally)


def _read(
    document: Document,
    line_numbers: NDArray[np.int64],
    lines: list[str],
    wanted: Wanted,
    tally: Tally,
) -> Iterator[pd.DataFrame]:
    core, extra = cut(lines, _CORE), cut(lines, _ATTACHMENT)
    wrong: dict[int, str] = {}
    found = {}
    for key in ("year", "month", "lat", "lon", "psl", "tas", "tos"):
        found[key], bad = (years if key == "year" else integers)(core[key])
        needed = (core[key] == "") if key in {"year", "lat", "lon"} else np.zeros(bad.shape, bool)
        for i in np.flatnonzero(bad | needed):
            wrong.setdefault(int(i), f"its {key} is '{core[key][i]}'")
    for i in np.flatnonzero(~np.isin(core["version"], ("0", "1"))):
        wrong.setdefault(int(i), f"its version of IMMA is '{core['version'][i]}', not 0 or 1")
    for i in np.flatnonzero((found["month"] < 1) | (found["month"] > 12)):
        wrong.setdefault(int(i), f"its month is {core['month'][i]}")
    attached = extra["which"] == "165"
    claimed = ~np.isin(core["attachments"], ("", "0"))
    for i in np.flatnonzero(claimed & np.array([len(x) <= _SHORTEST for x in lines])):
        wrong.setdefault(int(i), f"it ends after {len(lines[i])} characters, without attachments")
    sound = tally.damage_lines(document, line_numbers, wrong)
    tally.saw(found["year"][sound])
    lat, lon = found["lat"] / 100.0, found["lon"] / 100.0
    undated = sound & np.isnan(found["month"])
    tally.leave_out("reports without a month", int(undated.sum()))
    sound &= ~undated & wanted.asks(found["year"], found["month"], lat, lon)
    if not wanted.keep_flagged:
        duplicate = sound & attached & (np.nan_to_num(integers(extra["dups"])[0]) >= _DUPLICATE)
        tally.leave_out("reports that are worse duplicates", int(duplicate.sum()))
        landlocked = sound & ~duplicate & attached & (extra["landlocked"] == "1")
        tally.leave_out("reports from landlocked boxes", int(landlocked.sum()))
        sound &= ~duplicate & ~landlocked
    for variable, offset in (("psl", 0.0), ("tas", ZERO_CELSIUS), ("tos", ZERO_CELSIUS)):
        if not wanted.wants(variable):
            continue
        here = sound & ~np.isnan(found[variable])
        if not wanted.keep_flagged:
            flag = np.where(attached, extra[f"{variable}_flag"], "")
            for other in np.unique(flag[here]):
                if str(other) not in _WITHIN:
                    reason = _REASONS.get(str(other), f"trimming flag {other}")
                    tally.leave_out(f"{variable}: {reason}", int((here & (flag == other)).sum()))
            here &= np.isin(flag, list(_WITHIN))
        yield rows(
            variable,
            {
                "lat": lat[here],
                "lon": lon[here],
                "value": found[variable][here] * _SCALE + offset,
                "year": found["year"][here].astype(int),
                "month": found["month"][here].astype(int),
                "label": [name(str(i)) for i in core["id"][here]],
            },
            tally,
        )
