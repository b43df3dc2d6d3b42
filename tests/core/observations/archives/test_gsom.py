"""Global Summary of the Month."""

from __future__ import annotations

import numpy as np
from archive_files import OSLO, oslo, put, refused, values
from published import gsom_table

from mlda_core.observations.archives.registry import convert
from mlda_core.observations.archives.selection import Wanted


def test_gsom_gives_kelvin_and_rain_by_the_days_of_the_month(tmp_path):
    rows = [
        oslo("1996-02", "29.0", ",,,E", "-9.99", ",E"),
        oslo("1997-02", "28.0", ",T,,E", "", ""),
        oslo("1997-03", "0.0", ",,,E", "25.4", "3,E"),
        oslo("1997-04", "10.0", "2,,,E", "1.0", ",E"),
        oslo("1997-05", "10.0", ",a,,E", "", ""),
        oslo("1997-06", "10.0", ",,D,E", "-9999", ""),
    ]
    archive, table, tally = convert(put(tmp_path, oslo__csv=gsom_table(rows)))
    assert archive.key == "gsom"
    rain, warmth = table[table["variable"] == "pr"], table[table["variable"] == "tas"]
    assert list(rain["time"]) == ["1996-02", "1997-02", "1997-03"]
    np.testing.assert_allclose(rain["value"], [1.0, 1.0, 0.0])
    assert set(rain["units"]) == {"mm/day"}
    np.testing.assert_allclose(warmth["value"], [263.16, 298.55, 274.15])
    assert set(table["label"]) == {"OSLO - BLINDERN, NO"}
    assert tally.left_out == {"PRCP with days missing": 2, "PRCP with quality flag D": 1}
    kept = convert(put(tmp_path, o__csv=gsom_table(rows)), wanted=Wanted(keep_flagged=True)).table
    np.testing.assert_allclose(values(kept, variable="pr", time="1997-06"), [1 / 3])


def test_gsom_in_standard_units_is_converted_when_it_is_said(tmp_path):
    paths = put(tmp_path, o__csv=gsom_table([oslo("1997-04", "1.25", ",,,W", "41.0", ",W")]))
    assert "o.csv, line 2: a total of 1.25 looks like inches; say --standard-units" in (
        refused(paths)
    )
    table = convert(paths, wanted=Wanted(standard_units=True)).table
    np.testing.assert_allclose(values(table, variable="pr"), [1.25 * 25.4 / 30])
    np.testing.assert_allclose(values(table, variable="tas"), [278.15])
    table = convert(paths, wanted=Wanted(standard_units=False)).table
    np.testing.assert_allclose(values(table, variable="pr"), [1.25 / 30])
    hot = put(tmp_path, o__csv=gsom_table([oslo("1997-07", "", "", "88.2", ",W")]))
    assert "a mean of 88.2 can only be degF" in refused(hot)


def test_gsom_refuses_damaged_lines_by_number_and_reads_the_rest(tmp_path):
    text = gsom_table(
        [
            oslo("1997-01", "10.0", ",,,E", "x", ",E"),
            oslo("1997-13", "10.0", ",,,E", "1.0", ",E"),
            oslo("1997-02", "10.0", "1,0", "1.0", ",E"),
            [*OSLO[:1], "1997-03", "59N", "10.7", "OSLO", "10.0", ",,,E", "1.0", ",E"],
            [*OSLO[:1], "1997-04", "", "", "OSLO", "30.0", ",,,E", "", ""],
        ]
    )
    _, table, tally = convert(
        put(tmp_path, o__csv=text + '"NOM00001492","1997-05"\n"NOM00001492,"1997-06\n')
    )
    assert table[["variable", "time"]].to_numpy().tolist() == [
        ["pr", "1997-01"],
        ["tas", "1997-02"],
    ]
    assert tally.damaged == [
        "o.csv, line 2: its TAVG 'x' is no number.",
        "o.csv, line 3: its date '1997-13' is no month such as 1997-12.",
        (
            "o.csv, line 4: PRCP_ATTRIBUTES '1,0' are not the four of days missing, measurement, "
            "quality and source."
        ),
        "o.csv, line 5: its latitude or longitude is no number.",
        "o.csv, line 7: it has 2 cells, but the first line names 10 columns.",
        "o.csv, line 8: its quotes are not closed.",
    ]
    assert tally.left_out == {"the place is unknown": 1}


def test_gsom_says_what_a_table_lacks(tmp_path):
    daily = put(tmp_path, d__csv=gsom_table([oslo("1997-01-31", "10.0", ",,,E", "1.0", ",E")]))
    assert "d.csv is of days (1997-01-31); take NCEI's Global Summary of the Month" in (
        refused(daily)
    )
    text = gsom_table([oslo("1997-01", "3.1")], columns=("PRCP",))
    _, table, tally = convert(put(tmp_path, n__csv=text))
    np.testing.assert_allclose(table["value"], [0.1])
    assert "no column PRCP_ATTRIBUTES" in tally.notes[0]
    nowhere = put(tmp_path, w__csv=text.replace("LATITUDE", "HEIGHT"))
    assert "has no column LATITUDE; order it again" in refused(nowhere)
