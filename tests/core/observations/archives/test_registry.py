"""Archives known by their files, and converted."""

from __future__ import annotations

import numpy as np
import pandas as pd
from archive_files import REPORT, lines, oslo, put, refused
from published import gsom_table, imma

from mlda_core.observations.archives.registry import ARCHIVES, convert
from mlda_core.observations.archives.selection import Wanted


def test_only_single_reports_are_averaged_and_boxes_divide_the_globe(ghcnm, tmp_path):
    assert "GHCN-Monthly holds monthly means already; leave out --monthly." in (
        refused(ghcnm, monthly=2.0)
    )
    paths = put(tmp_path, x=lines(imma(**REPORT, AT=139), imma(**REPORT, AT=141)))
    _, table, tally = convert(paths, monthly=5.0)
    np.testing.assert_allclose(table["value"], [287.15])
    np.testing.assert_allclose(table["error_sd"], [np.sqrt(0.02) / np.sqrt(2)])
    assert list(table["reports"]) == [2]
    assert not tally.notes
    for size in (7.0, 0.0, -2.0):
        assert "do not divide 180" in refused(paths, monthly=size)
    assert (
        "2 means are of single reports"
        in (
            convert(
                put(tmp_path, y=lines(imma(**REPORT, AT=139, SLP=10113))), monthly=5.0
            ).tally.notes[0]
        )
    )


def test_files_of_no_format_are_refused_with_the_formats_that_are_known(tmp_path):
    said = refused(put(tmp_path, a__csv="variable,lat,lon,value\ntas,0,0,1\n"))
    assert said.startswith("a.csv is of no known format; say --format, which knows ")
    assert all(key in said for key in ARCHIVES)
    assert "no format 'ghcnd'; --format knows ghcnm, gsom, isti, icoads, dart." in (
        refused([tmp_path], archive="ghcnd")
    )
    assert "a.csv does not look like ICOADS in IMMA; check --format." in (
        refused([tmp_path / "a.csv"], archive="icoads")
    )
    assert "no variable 'slp'; --variables knows" in (
        refused([tmp_path], wanted=Wanted(variables=frozenset({"slp"})))
    )
    (tmp_path / "none").mkdir()
    assert "is an empty folder" in refused([tmp_path / "none"])
    assert "nowhere cannot be read (No such file" in refused([tmp_path / "nowhere"])


def test_folders_are_of_one_archive_and_their_other_files_are_told(ghcnm, tmp_path):
    put(tmp_path, readme__txt="GHCN-M v4\n", __hidden="x", ___x__dat="\0\5\26\7")
    archive, table, tally = convert([tmp_path])
    assert archive.key == "ghcnm"
    assert len(table) == 5
    assert tally.skipped == ["readme.txt"]
    put(tmp_path, z__csv=gsom_table([oslo("1997-01", "3.1", "", "", "")]))
    assert "z.csv is Global Summary of the Month, but others are GHCN-Monthly" in (
        refused([tmp_path])
    )
    stated = convert([tmp_path], archive="ghcnm")
    assert stated.tally.skipped == ["readme.txt", "z.csv"]
    pd.testing.assert_frame_equal(stated.table, table)
