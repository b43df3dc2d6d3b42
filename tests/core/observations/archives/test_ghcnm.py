"""GHCN-Monthly."""

from __future__ import annotations

import tarfile

import numpy as np
import pandas as pd
from archive_files import PLACES, lines, put, refused, values
from published import ghcnm_line

from mlda_core.observations.archives.registry import convert
from mlda_core.observations.archives.selection import Wanted


def test_ghcnm_gives_kelvin_by_station_and_month(ghcnm):
    archive, table, tally = convert(ghcnm)
    assert archive.key == "ghcnm"
    assert set(table["variable"]) == {"tas"}
    assert set(table["kind"]) == {"absolute"}
    assert set(table["units"]) == {"K"}
    here = table[table["label"] == "SAVE"]
    assert list(here["time"]) == ["1981-01", "1981-04", "1982-01", "1982-03"]
    # Hundredths of degC: -0.89, -9.99 (no missing code), 0 and 0.02.
    np.testing.assert_allclose(here["value"], [272.26, 263.16, 273.15, 273.17])
    assert set(zip(here["lat"], here["lon"], strict=True)) == {(57.7667, 11.8667)}
    other = table[table["label"] == "SHARJAH_INTER_AIRP"]
    assert other[["lat", "lon", "value"]].to_numpy().tolist() == [[25.333, -155.517, 299.57]]
    assert tally.left_out == {
        "quality flag S": 1,
        "estimated from neighbours (flag E)": 1,
        "TMAX is no variable of the table": 2,
        "the station is not in the inventory": 2,
    }
    assert not tally.damaged


def test_ghcnm_keeps_what_is_flagged_when_asked(ghcnm):
    _, table, tally = convert(ghcnm, wanted=Wanted(keep_flagged=True))
    np.testing.assert_allclose(values(table, time="1981-02"), [275.51])
    np.testing.assert_allclose(values(table, time="1982-02"), [273.16])
    assert "quality flag S" not in tally.left_out


def test_ghcnm_finds_its_inventory_beside_or_in_the_same_package(ghcnm, tmp_path):
    whole = convert(ghcnm).table
    pd.testing.assert_frame_equal(convert(ghcnm[:1]).table, whole)
    packed = tmp_path / "ghcnm.tavg.latest.qcu.tar.gz"
    with tarfile.open(packed, "w:gz") as tar:
        for path in ghcnm:
            tar.add(path, f"./ghcnm.v4/{path.name}")
    pd.testing.assert_frame_equal(convert([packed]).table, whole)
    alone = put(tmp_path, other__dat=ghcnm[0].read_text())
    assert "other.dat has no inventory of stations; give the .inv file" in refused(alone)


def test_ghcnm_refuses_damaged_lines_by_number_and_reads_the_rest(tmp_path):
    good = ghcnm_line("ACW00011604", 1981, [-89])
    data = lines(
        good,
        good[:70],
        good.replace("1981TAVG", "19X1TAVG"),
        "",
        good.replace("  -89", "  -8a"),
        good + "  12",
        good.replace("1981", "1984") + "\r",
    )
    paths = put(
        tmp_path, x__dat=data, x__inv=PLACES + "AGM00060360  3x.8330    7.8170    4.0 ANN\n"
    )
    _, table, tally = convert(paths)
    assert list(table["time"]) == ["1981-01", "1984-01"]
    assert tally.damaged == [
        "x.inv, line 3: its latitude or longitude is no number.",
        "x.dat, line 2: it has 70 characters instead of 115.",
        "x.dat, line 3: its year is '19X1'.",
        "x.dat, line 5: the value of month 1 is '-8a'.",
        "x.dat, line 6: it has 119 characters instead of 115.",
    ]
