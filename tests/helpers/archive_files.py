"""Small archives of observations, and what tests ask of their conversion."""

from __future__ import annotations

import pytest
from published import ghcnm_place

from mlda_core.observations.archives.documents import ArchiveError
from mlda_core.observations.archives.registry import convert


def put(folder, **texts):
    """Write files, a double underscore for the dot, and return their paths."""
    paths = []
    for name, text in texts.items():
        path = folder / name.replace("__", ".")
        path.write_bytes(text.encode("latin-1"))
        paths.append(path)
    return paths


def lines(*texts):
    return "".join(f"{t}\n" for t in texts)


def values(table, **where):
    """Return the values of the rows that match, in the order of the table."""
    for key, value in where.items():
        table = table[table[key] == value]
    return table["value"].to_numpy(float)


def refused(paths, **options):
    with pytest.raises(ArchiveError) as caught:
        convert(paths, **options)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    return sentence


PLACES = lines(
    ghcnm_place("ACW00011604", 57.7667, 11.8667, "SAVE"),
    ghcnm_place("AE000041196", 25.333, -155.517, "SHARJAH_INTER_AIRP"),
)


OSLO = ("NOM00001492", "{}", "59.9428", "10.7206", "OSLO - BLINDERN, NO")


def oslo(date, *cells):
    return [c.replace("{}", date) for c in OSLO] + list(cells)


REPORT = {"YR": 1899, "MO": 1, "DY": 2, "HR": 2300, "LAT": 4250, "LON": 31850, "ID": "10358"}
NOW = "1997-12-31T18:00:00"
SURFACE = -1
