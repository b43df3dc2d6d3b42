"""Archives of observations as they are published, read to the observation table."""

from __future__ import annotations

import contextlib
import gzip
import io
import tarfile
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from published import (
    MISSING,
    ghcnm_line,
    ghcnm_place,
    gsom_table,
    imma,
    isti_line,
    obs_seq,
    obs_seq_binary,
)

from mlda_core.observations.archives.boxes import monthly_means
from mlda_core.observations.archives.documents import ArchiveError
from mlda_core.observations.archives.registry import ARCHIVES, convert
from mlda_core.observations.archives.selection import Region, Wanted


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


# GHCN-M

PLACES = lines(
    ghcnm_place("ACW00011604", 57.7667, 11.8667, "SAVE"),
    ghcnm_place("AE000041196", 25.333, -155.517, "SHARJAH_INTER_AIRP"),
)


@pytest.fixture
def ghcnm(tmp_path):
    data = lines(
        ghcnm_line("ACW00011604", 1981, [-89, (236, " ", "S"), MISSING, (-999, "a", " ")]),
        ghcnm_line("ACW00011604", 1982, [0, (1, "E", " "), (2, " ", "A"), (MISSING, " ", "M")]),
        ghcnm_line("AE000041196", 1981, [2642]),
        ghcnm_line("AE000041196", 1981, [3000, 3100], element="TMAX"),
        ghcnm_line("ZZZ00000000", 1981, [100, 200]),
    )
    return put(tmp_path, v4__qcu__dat=data, v4__qcu__inv=PLACES)


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


def test_years_months_and_region_take_a_part(ghcnm):
    def taken(**wanted):
        return list(convert(ghcnm, wanted=Wanted(**wanted)).table["time"])

    assert taken(years=frozenset({1982})) == ["1982-01", "1982-03"]
    assert taken(months=frozenset({4})) == ["1981-04"]
    assert taken(region=Region(20, 30, 180, 240)) == ["1981-01"]
    # Across Greenwich, and once around.
    assert len(taken(region=Region(50, 60, -20, 20))) == 4
    assert len(taken(region=Region(-90, 90, -180, 180))) == 5
    said = refused(ghcnm, wanted=Wanted(years=frozenset({1850})))
    assert said == "GHCN-Monthly: no observation remains; the files hold 1981 to 1982."


# GSOM

OSLO = ("NOM00001492", "{}", "59.9428", "10.7206", "OSLO - BLINDERN, NO")


def oslo(date, *cells):
    return [c.replace("{}", date) for c in OSLO] + list(cells)


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


# ISTI


def test_isti_gives_the_means_and_counts_what_has_none(tmp_path):
    text = lines(
        isti_line("SAVE", 57.7667, 11.8667, "198101", tmax=120, tmin=-298, tavg=-89),
        isti_line("SAVE", 57.7667, 11.8667, "198102", tmax=120),
        isti_line("SAVE", -999.9, -999.9, "198103", tavg=100),
        isti_line("SAVE", 57.7667, 11.8667, "198113", tavg=100),
        isti_line("SAVE", 57.7667, 11.8667, "198104", tavg=100)[:85],
        isti_line("SAVE", 57.7667, 11.8667, "198105", tavg=100).replace("  100", " 1 00"),
        isti_line("MALM\xc3\x96", 55.6, 13.0, "201512", tavg=741),
    )
    archive, table, tally = convert(put(tmp_path, merge_SWM00002512_stage3=text))
    assert archive.key == "isti"
    np.testing.assert_allclose(values(table), [272.26, 280.56])
    assert list(table["time"]) == ["1981-01", "2015-12"]
    assert list(table["label"]) == ["SAVE", "MALMÖ"]
    assert table[["lat", "lon"]].to_numpy().tolist() == [[57.7667, 11.8667], [55.6, 13.0]]
    assert tally.left_out == {
        "no mean, but a maximum or minimum": 1,
        "the place is unknown": 1,
    }
    assert tally.damaged == [
        "merge_SWM00002512_stage3, line 4: its month is 13.",
        "merge_SWM00002512_stage3, line 5: it ends after 85 characters.",
        "merge_SWM00002512_stage3, line 6: its tavg is '1 00'.",
    ]
    assert "no quality control" in tally.notes[0]


# ICOADS

REPORT = {"YR": 1899, "MO": 1, "DY": 2, "HR": 2300, "LAT": 4250, "LON": 31850, "ID": "10358"}


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


def test_values_that_cannot_be_are_left_out(tmp_path):
    text = lines(
        imma(**REPORT, AT=139, SLP=10113),
        imma(**REPORT, AT=999, SLP=8000, SST=999),
    )
    _, table, tally = convert(put(tmp_path, x=text))
    assert list(table["variable"]) == ["psl", "tas"]
    assert tally.left_out == {
        "psl outside 850 to 1095 hPa cannot be": 1,
        "tas outside 180 to 333 K cannot be": 1,
        "tos outside 269 to 313 K cannot be": 1,
    }


def test_monthly_means_of_boxes_have_the_standard_error_of_their_reports():
    rng = np.random.default_rng(0)
    many, few = 290 + rng.standard_normal(25), 280 + rng.standard_normal(4)
    table = pd.DataFrame(
        {
            "variable": "tos",
            "lat": [41.0] * 25 + [43.5] * 3 + [-90.0],
            "lon": [-0.5] * 25 + [359.0, 358.5, -1.0, 0.0],
            "value": [*many, *few],
            "kind": "absolute",
            "units": "K",
            "time": "1899-01",
            "label": "ship",
        }
    )
    means, unknown = monthly_means(table, 2.0)
    assert unknown == 0
    assert list(means["reports"]) == [1, 25, 3]
    np.testing.assert_allclose(means["value"], [few[3], many.mean(), few[:3].mean()])
    np.testing.assert_allclose(means["lat"], [-90.0, 41.0, 43.5])
    np.testing.assert_allclose(means["lon"], [0.0, 359.5, (359.0 + 358.5 + 359.0) / 3])
    pooled = np.sqrt((24 * many.var(ddof=1) + 2 * few[:3].var(ddof=1)) / 26)
    expected = [pooled, many.std(ddof=1) / 5, pooled / np.sqrt(3)]
    np.testing.assert_allclose(means["error_sd"], expected)
    assert list(means["label"])[1] == "40 to 42N, 358 to 360E"
    # Of months, variables and boxes by themselves; and a single report knows no error.
    alone, unknown = monthly_means(table.iloc[-1:].assign(time="1899-02"), 2.0)
    assert (unknown, len(alone), alone["error_sd"].isna().all()) == (1, 1, True)


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


# DART

NOW = "1997-12-31T18:00:00"
SURFACE = -1


def dart(tmp_path, observations, **options):
    return put(tmp_path, obs_seq__final=obs_seq(observations, **options))


def test_dart_types_become_variables_with_the_root_of_their_variance(tmp_path):
    paths = dart(
        tmp_path,
        [
            ("METAR_ALTIMETER", 51.5, -0.1, 25.0, SURFACE, (1013.2, 0), NOW, 1.0),
            ("METAR_ALTIMETER", 47.0, 8.0, 450.0, SURFACE, (1020.0, 0), NOW, 1.0),
            ("MARINE_SFC_PRESSURE", -36.5, 200.0, 0.0, SURFACE, (99870.0, 0), NOW, 10000.0),
            ("LAND_SFC_TEMPERATURE", 51.5, -0.1, 25.0, SURFACE, (285.2, 0), NOW, 6.25),
            ("SATELLITE_INFRARED_SST", 0.0, 200.0, 0.0, -2, (28.5, 0), NOW, 0.25),
            ("SATELLITE_BLENDED_SST", 0.0, 200.0, 0.0, -2, (301.0, 0), NOW, 0.0),
            ("MARINE_SFC_ALTIMETER", 0.0, 200.0, 0.0, -2, (1010.0, 0), NOW, 1.0),
            ("RADIOSONDE_TEMPERATURE", 51.5, -0.1, 85000.0, 2, (275.0, 0), NOW, 1.0),
            ("LAND_SFC_TEMPERATURE", 51.5, -0.1, 25.0, SURFACE, (-888888.0, 0), NOW, 6.25),
        ],
    )
    archive, table, tally = convert(paths)
    assert archive.key == "dart"
    assert set(table["time"]) == {"1997-12"}
    shown = table[["variable", "label", "units"]].to_numpy().tolist()
    assert shown == [
        ["psl", "MARINE_SFC_PRESSURE", "hPa"],
        ["psl", "METAR_ALTIMETER", "hPa"],
        ["tas", "LAND_SFC_TEMPERATURE", "K"],
        ["tos", "SATELLITE_BLENDED_SST", "K"],
        ["tos", "SATELLITE_INFRARED_SST", "K"],
    ]
    np.testing.assert_allclose(table["value"], [998.7, 1013.2, 285.2, 301.0, 301.65])
    np.testing.assert_allclose(table["error_sd"], [1.0, 1.0, 2.5, np.nan, 0.5])
    np.testing.assert_allclose(table["lat"], [-36.5, 51.5, 51.5, 0.0, 0.0], atol=1e-9)
    np.testing.assert_allclose(table["lon"], [200.0, 359.9, 359.9, 200.0, 200.0])
    assert tally.left_out == {
        "pressure higher than the sea, or at no stated height": 2,
        "RADIOSONDE_TEMPERATURE has no counterpart in the table": 1,
        "missing values": 1,
    }


def test_dart_keeps_what_its_quality_control_used(tmp_path):
    def air(*values):
        return ("LAND_SFC_TEMPERATURE", 51.5, 0.0, 25.0, SURFACE, values, NOW, 1.0)

    many = [air(280.0 + qc, 0, qc) for qc in (0, 1, 2, 4, 7)]
    qcs = ("Data QC", "DART quality control")
    _, table, tally = convert(dart(tmp_path, many, qcs=qcs))
    assert list(table["value"]) == [280.0, 281.0]
    assert tally.left_out == {f"DART quality control {qc}": 1 for qc in (2, 4, 7)}
    kept = convert(dart(tmp_path, many, qcs=qcs), wanted=Wanted(keep_flagged=True)).table
    assert len(kept) == 5
    # Without it the incoming quality control counts, up to DART's threshold.
    incoming = [air(280.0 + qc, qc) for qc in (0, 3, 4)]
    _, table, tally = convert(
        dart(tmp_path, incoming, copies=("NCEP BUFR observation",), qcs=("NCEP QC index",))
    )
    assert list(table["value"]) == [280.0, 283.0]
    assert tally.left_out == {"NCEP_QC_index above 3": 1}


def test_dart_refuses_damaged_observations_by_line_and_reads_the_rest(tmp_path):
    def air(value):
        return ("LAND_SFC_TEMPERATURE", 51.5, 0.0, 25.0, SURFACE, (value, 0), NOW, 1.0)

    text = obs_seq([air(280.0), air(281.5), air(282.0)])
    begin = text.splitlines().index(" OBS            2") + 1
    packed = tmp_path / "obs_seq.final.gz"
    packed.write_bytes(gzip.compress(text.replace("281.5", "28x.5").encode()))
    _, table, tally = convert([packed])
    assert list(table["value"]) == [280.0, 282.0]
    (line,) = tally.damaged
    assert line.startswith(f"obs_seq.final.gz, line {begin}: OBS 2 cannot be read (")
    assert "28x.5" in line


def test_dart_reads_binary_sequences_as_those_in_ascii(tmp_path):
    many = [
        ("METAR_ALTIMETER", 51.5, 359.9, 25.0, SURFACE, (1013.2, 0), NOW, 1.0),
        ("LAND_SFC_TEMPERATURE", 51.5, 359.9, 25.0, SURFACE, (285.2, 0), NOW, 6.25),
        ("LAND_SFC_TEMPERATURE", 51.5, 359.9, 25.0, SURFACE, (285.2, 9), NOW, 6.25),
    ]
    packed = tmp_path / "obs_seq.2019-12-31.gz"
    packed.write_bytes(gzip.compress(obs_seq_binary(many)))
    archive, table, tally = convert([packed])
    assert archive.key == "dart"
    pd.testing.assert_frame_equal(table, convert(dart(tmp_path, many)).table)
    assert tally.left_out == {"Data_QC above 3": 1}
    packed.write_bytes(gzip.compress(obs_seq_binary(many)[:-30]))
    assert "obs_seq.2019-12-31.gz cannot be read as an observation sequence" in refused([packed])


def test_dart_says_what_a_sequence_lacks(tmp_path):
    air = ("LAND_SFC_TEMPERATURE", 51.5, 0.0, 25.0, SURFACE, (280.0, 0), NOW, 1.0)
    perfect = dart(tmp_path, [air], copies=("truth",))
    assert "has no copy 'observation' but truth" in refused(perfect)
    text = obs_seq([air])
    at = text.splitlines().index("loc3d")
    flat = text.splitlines()
    flat[at : at + 2] = ["loc1d", "   0.0976"]
    assert "no latitudes and longitudes" in refused(put(tmp_path, flat=lines(*flat)))
    cut = put(tmp_path, cut=lines(*text.splitlines()[:4]))
    assert "cut cannot be read as an observation sequence" in refused(cut)


# All of them


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


def test_packed_files_are_unpacked_and_damaged_ones_refused(tmp_path):
    text = gsom_table([oslo("1997-01", "3.1", ",,,E", "1.0", ",E")])
    whole = convert(put(tmp_path, o__csv=text)).table
    (tmp_path / "o.csv.gz").write_bytes(gzip.compress(text.encode()))
    with zipfile.ZipFile(tmp_path / "o.zip", "w") as packed:
        packed.writestr("readme.txt", "GSOM")
        packed.writestr("in/o.csv", text)
    for name in ("o.csv.gz", "o.zip"):
        pd.testing.assert_frame_equal(convert([tmp_path / name]).table, whole)
    damaged = {
        "cut.csv.gz": gzip.compress(text.encode())[:-12],
        "no.csv.gz": text.encode(),
        "no.tar.gz": b"<html>",
        "no.zip": b"<html>",
    }
    for name, data in damaged.items():
        (tmp_path / name).write_bytes(data)
        said = refused([tmp_path / name])
        assert name in said
        assert "download it again" in said


def valid():
    """A small file of each archive, and what is needed beside it."""
    rows = [oslo("1997-01", "3.1", ",,,E", "1.0", ",E"), oslo("1997-02", "3.1", "", "", "")]
    air = ("LAND_SFC_TEMPERATURE", 51.5, 0.0, 25.0, SURFACE, (280.0, 0), NOW, 1.0)
    return {
        "ghcnm": lines(*[ghcnm_line("ACW00011604", 1981 + i, [-89, 12]) for i in range(3)]),
        "gsom": gsom_table(rows),
        "isti": lines(*[isti_line("SAVE", 57.8, 11.9, f"19810{m}", tavg=m) for m in (1, 2, 3)]),
        "icoads": lines(*[imma(**REPORT, AT=13 + i, SLP=10113) for i in range(3)]),
        "dart": obs_seq([air, air, air]),
        "dart, binary": obs_seq_binary([air, air, air]).decode("latin-1"),
    }


@pytest.mark.parametrize("key", sorted(valid()))
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_damaged_files_give_a_table_or_a_sentence(tmp_path_factory, key, data):
    folder = tmp_path_factory.mktemp("damaged")
    text = valid()[key].encode("latin-1")
    (folder / "x.inv").write_text(PLACES)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        length = data.draw(st.sampled_from([0, 1, 2, 5, 40, 400]))
        put_in = data.draw(st.one_of(st.binary(max_size=6), st.sampled_from([b"\n", b" ", b"-9"])))
        text = text[:at] + put_in + text[at + length :]
    (folder / "x.dat").write_bytes(text)
    with contextlib.suppress(ArchiveError):
        table = convert([folder / "x.dat"], archive=key.partition(",")[0]).table
        assert np.isfinite(table[["lat", "lon", "value"]].to_numpy(float)).all()
        assert table["time"].str.fullmatch(r"\d{4}-(0[1-9]|1[0-2])").all()


def test_a_tar_gives_nothing_to_the_disk(tmp_path):
    packed = tmp_path / "evil.tar"
    text = gsom_table([oslo("1997-01", "3.1", ",,,E", "1.0", ",E")]).encode()
    with tarfile.open(packed, "w") as tar:
        info = tarfile.TarInfo("../../outside.csv")
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text))
    assert len(convert([packed]).table) == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["evil.tar"]
