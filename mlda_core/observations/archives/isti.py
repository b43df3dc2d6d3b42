"""International Surface Temperature Initiative: the databank's merged monthly means, stage 3.

The layout is that of the databank's own program, merge_update.f95 (public domain, in NOAA's
sources of GHCN-Monthly 4): ``format(a30,1x,f10.4,1x,f10.4,1x,f8.2,1x,a4,a2,a2,1x,3(i5,1x),...)``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlda_core.observations.archives.documents import Document
from mlda_core.observations.archives.fixed_width import (
    chunks,
    cut,
    decimals,
    integers,
    name,
    years,
)
from mlda_core.observations.archives.selection import ZERO_CELSIUS, Tally, Wanted, rows

_NUMBER = r" *-?\d+\.\d*"
_DATA = re.compile(
    rf"(?=.{{31}}{_NUMBER} )(?=.{{42}}{_NUMBER} )(?=.{{53}}{_NUMBER} )"
    r".{30} .{10} .{10} .{8} \d{6}\S\S [ \d-]{4}\d [ \d-]{4}\d [ \d-]{4}\d"
)
_COLUMNS = {
    "name": (1, 30),
    "lat": (32, 41),
    "lon": (43, 52),
    "year": (63, 66),
    "month": (67, 68),
    "tmax": (72, 76),
    "tmin": (78, 82),
    "tavg": (84, 88),
}
_SHORTEST = 88
_MISSING = -9999


def recognise(head: Sequence[str]) -> bool:
    """Recognise a station's file by its first line."""
    return bool(head and _DATA.match(head[0]))


def read(documents: Iterator[Document], wanted: Wanted, tally: Tally) -> Iterator[pd.DataFrame]:
    """Read station files.

    Parameters
    ----------
    documents : iterator of Document
    wanted : Wanted
    tally : Tally

    Yields
    ------
    DataFrame
        Rows of the observation table.
    """
    tally.note("ISTI's stage 3 has no quality control: the values are those of its sources")
    for document in documents:
        for line_numbers, lines in chunks(document.lines):
            yield _read(document, line_numbers, lines, wanted, tally)


def _read(
    document: Document,
    line_numbers: NDArray[np.int64],
    lines: list[str],
    wanted: Wanted,
    tally: Tally,
) -> pd.DataFrame:
    columns = cut(lines, _COLUMNS)
    wrong = {
        i: f"it ends after {len(line)} characters"
        for i, line in enumerate(lines)
        if len(line) < _SHORTEST
    }
    found = {}
    for key, text in columns.items():
        if key == "name":
            continue
        reader = {"year": years, "lat": decimals, "lon": decimals}.get(key, integers)
        found[key], bad = reader(text)
        for i in np.flatnonzero(bad | (text == "")):
            wrong.setdefault(int(i), f"its {key} is '{text[i]}'")
    for i in np.flatnonzero((found["month"] < 1) | (found["month"] > 12)):
        wrong.setdefault(int(i), f"its month is {columns['month'][i]}")
    sound = tally.damage_lines(document, line_numbers, wrong)
    tally.saw(found["year"][sound])
    sound &= wanted.asks(found["year"], found["month"], found["lat"], found["lon"])
    absent = found["tavg"] == _MISSING
    tally.leave_out("no mean, but a maximum or minimum", int((sound & absent).sum()))
    good = sound & ~absent & wanted.wants("tas")
    return rows(
        "tas",
        {
            "lat": found["lat"][good],
            "lon": found["lon"][good],
            "value": found["tavg"][good] / 100.0 + ZERO_CELSIUS,
            "year": found["year"][good].astype(int),
            "month": found["month"][good].astype(int),
            "label": [name(str(n)) for n in columns["name"][good]],
        },
        tally,
    )
