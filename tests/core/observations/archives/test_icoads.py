"""ICOADS' reports in IMMA."""

from __future__ import annotations

import numpy as np
import pytest
from archive_files import REPORT, lines, put, values
from published import imma

from mlda_core.observations.archives.registry import convert
from mlda_core.observations.archives.selection import Wanted


def test_icoads_gives_a_row_for_each_value_of_a_report(tmp_path):
    text = lines(
        imma(**REPORT, SLP=10113, AT=-39, SST=167),
        imma(**REPORT | {"LAT": -3650, "LON": -1150, "MO": 2}, SST=-9, IM=0),
    )
    archive, table, tally = convert(put(tmp_path, IMMA1_R3=text))
    assert archive.key == "icoads"
    assert table[["variable", "time", "lat", "lon", "units"]].to_numpy().tolist() == [
        ["psl", "1899-01", 42.5, 318.5, "hPa"],
        ["tas", "1899-01", 42.5, 318.5, "K"],
        ["tos", "1899-01", 42.5, 318.5, "K"],
        ["tos", "1899-02", -36.5, -11.5, "K"],
    ]
    np.testing.assert_allclose(table["value"], [1011.3, 269.25, 289.85, 272.25])
    assert set(table["label"]) == {"10358"}
    assert not tally.left_out
    assert "--monthly" in tally.notes[0]


FLAGGED = {
    "tas: more than 4.5 sd below the climatology (trimming flag 6)": {"AF": "6"},
    "tas: more than 4.5 sd above the climatology (trimming flag 7)": {"AF": "7"},
    "tas: not checked: no limits there (trimming flag 12)": {"AF": "C"},
    "tas: landlocked (trimming flag 13)": {"AF": "D"},
    "tas: unusable (trimming flag 14)": {"AF": "E"},
    "tas: not checked: no trimming flag": {"AF": " "},
    "reports that are worse duplicates": {"DUPS": 3},
    "reports from landlocked boxes": {"LZ": "1"},
}


@pytest.mark.parametrize(("reason", "fields"), FLAGGED.items())
def test_icoads_leaves_out_what_fails_its_quality_control(tmp_path, reason, fields):
    good = imma(**REPORT, AT=-39, SLP=10113, AF="5")
    paths = put(tmp_path, x=lines(good, imma(**REPORT, AT=500, **fields)))
    _, table, tally = convert(paths)
    np.testing.assert_allclose(values(table, variable="tas"), [269.25])
    assert tally.left_out == {reason: 1}
    kept = convert(paths, wanted=Wanted(keep_flagged=True)).table
    np.testing.assert_allclose(values(kept, variable="tas"), [269.25, 323.15])


def test_icoads_refuses_damaged_lines_by_number_and_reads_the_rest(tmp_path):
    good = imma(**REPORT, AT=-39)
    text = lines(
        good,
        good.replace(" -39", " -3x"),
        imma(**REPORT | {"MO": 13}, AT=-39),
        good[:95],
        imma(**REPORT, AT=-39, IM=7),
        imma(**REPORT | {"LAT": "     "}, AT=-39),
        imma(**REPORT | {"MO": "  "}, AT=-39),
        imma(108, **REPORT, AT=-49, ATTC=0),
    )
    _, table, tally = convert(put(tmp_path, x=text))
    np.testing.assert_allclose(values(table), [269.25])
    assert tally.damaged == [
        "x, line 2: its tas is '-3x'.",
        "x, line 3: its month is 13.",
        "x, line 4: it ends after 95 characters, without attachments.",
        "x, line 5: its version of IMMA is '7', not 0 or 1.",
        "x, line 6: its lat is ''.",
    ]
    assert tally.left_out == {"reports without a month": 1, "tas: not checked: no trimming flag": 1}
