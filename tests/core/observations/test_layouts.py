"""Layouts of observation tables as the world writes them: read rightly, or refused in a sentence.

Every input is made here, with the value that is right stated beside it.
"""

from __future__ import annotations

import datetime as dt

import cftime
import netCDF4
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from mlda_core.bundle.bundle import Bundle, load_bundle
from mlda_core.climate.months import MonthError, month_of
from mlda_core.observations import base_period
from mlda_core.observations.standardised import LEAST_ERROR, standardise
from mlda_core.observations.table import (
    ObservationError,
    TableOptions,
    default_error,
    load,
    read,
    read_months,
)

HEAD = "variable,lat,lon,value"
MONTH = "1997-12"
ROW = {"variable": "tas", "lat": 50.0, "lon": 10.0, "value": 3.0, "error_sd": 0.5}


@pytest.fixture(scope="module")
def bundle(speedy: Bundle) -> Bundle:
    return speedy


@pytest.fixture(scope="module")
def real(repo_root) -> Bundle:
    return load_bundle(repo_root / "assets/bundles/real")


def lines(*rows: str) -> str:
    return "".join(f"{row}\n" for row in rows)


def told(reading, *words: str) -> None:
    for word in words:
        assert any(word in note for note in reading.notes), reading.notes


def refused(reading, row: int, *words: str) -> None:
    found = {bad.row: bad.reason for bad in reading.rejected}
    for word in words:
        assert word in found[row], found


# Text: encodings, separators, numbers, places

# Each is one row of tas at 47.4 N 8.5 W with the anomaly -4.0 K and the error 0.5 K.
LAYOUTS = {
    "commas": lines("variable,lat,lon,value,error_sd", "tas,47.4,-8.5,-4.0,0.5"),
    "semicolons": lines("variable;lat;lon;value;error_sd", "tas;47,4;-8,5;-4,0;0,5"),
    "sep= of Excel": lines("sep=;", "variable;lat;lon;value;error_sd", "tas;47,4;-8,5;-4,0;0,5"),
    "sep= in quotes": lines('"sep=,"', "variable,lat,lon,value,error_sd", "tas,47.4,-8.5,-4,0.5"),
    "tabs, decimal commas": lines(
        "variable\tlat\tlon\tvalue\terror_sd", "tas\t47,4\t-8,5\t-4,0\t0,5"
    ),
    "quotes, decimal commas": lines(
        "variable,lat,lon,value,error_sd", 'tas,"47,4","-8,5","-4,0","0,5"'
    ),
    "bars": lines("variable|lat|lon|value|error_sd", "tas|47.4|-8.5|-4.0|0.5"),
    "blanks": lines("  variable  lat    lon  value error_sd", "  tas   47.4   -8.5  -4.0   0.5"),
    "blanks and tabs": lines("variable lat \t lon value\terror_sd", "tas 47.4\t-8.5 -4.0 0.5"),
    "trailing separators": lines(
        "variable;lat;lon;value;error_sd;;", "tas;47,4;-8,5;-4,0;0,5;;", ";;;;;;"
    ),
    "trailing separators in the rows alone": lines(
        "variable,lat,lon,value,error_sd", "tas,47.4,-8.5,-4.0,0.5,,"
    ),
    "old Macintosh": "variable,lat,lon,value,error_sd\rtas,47.4,-8.5,-4.0,0.5\r",
    "comments": lines(
        "# mine", "% yours", "variable,lat,lon,value,error_sd", "#", "tas,47.4,-8.5,-4,.5"
    ),
    "names in a comment": lines(
        "# variable lat lon value error_sd", "tas 47.4 -8.5 -4.0 0.5", "# the end"
    ),
    "a title above": lines(
        "Stations of Switzerland;;;;", "variable;lat;lon;value;error_sd", "tas;47,4;-8,5;-4;0,5"
    ),
    "Unicode minus": lines("variable,lat,lon,value,error_sd", "tas,47.4,−8.5,–4.0,0.5"),
    "hemispheres": lines("variable,lat,lon,value,error_sd", "tas,47.4N,8.5°W,-4.0,0.5"),
    "hemispheres before": lines("variable,lat,lon,value,error_sd", "tas,N47.4,W 8.5,-4.0,0.5"),
    "minutes": lines("variable,lat,lon,value,error_sd", "tas,47°24'N,8°30′ W,-4.0,0.5"),
    "seconds": lines("variable;lat;lon;value;error_sd", "tas;47 24 0 N;8:30:00 W;-4.0;0.5"),
    "west by a full turn": lines("variable,lat,lon,value,error_sd", "tas,47.4,351.5,-4.0,0.5"),
    "units in the names": lines(
        "variable,lat (deg),lon [degrees_east],value (degC),error_sd [K]", "tas,47.4,-8.5,-4,0.5"
    ),
    "units in the cells": lines("variable,lat,lon,value,error_sd", "tas,47.4,-8.5,-4.0 K,0.5K"),
    "a line of units": lines(
        "variable,lat,lon,value,error_sd", ",degN,degE,K,K", "tas,47.4,-8.5,-4.0,0.5"
    ),
    "degrees Celsius": lines(
        "variable,lat,lon,value,error_sd,units", "tas,47.4,-8.5,-4.0,0.5,degrees Celsius"
    ),
    "degrees Fahrenheit": lines("variable,lat,lon,value,error_sd,unit", "tas,47.4,-8.5,-7.2,.9,°F"),
    "capitals and standard name": lines(
        "VARIABLE,LATITUDE,LONGITUDE,VALUE,ERROR_SD", "air_temperature,47.4,-8.5,-4.0,0.5"
    ),
    "names of a program": lines("Variable,Lat,Lon,Value,ObsErr", "TAS,47.4,-8.5,-4.0,0.5"),
    "a line's end in quotes": lines(
        'variable,"lat\n(deg)",lon,value,error_sd', "tas,47.4,-8.5,-4,0.5"
    ),
}


@pytest.mark.parametrize("text", LAYOUTS.values(), ids=LAYOUTS)
def test_a_layout_is_read(bundle, text):
    table, rejected, _ = read(text, bundle, month=MONTH)
    assert not rejected
    assert table["variable"].tolist() == ["tas"]
    np.testing.assert_allclose(
        table[["lat", "lon", "value", "error_sd"]], [[47.4, 351.5, -4.0, 0.5]], rtol=1e-12
    )


@pytest.mark.parametrize(
    ("encoding", "note"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("utf-16", ""),
        ("utf-16-le", ""),
        ("utf-16-be", ""),
        ("utf-32", ""),
        ("cp1252", "Windows-1252"),
    ],
)
def test_an_encoding_is_read(bundle, tmp_path, encoding, note):
    text = lines(f"{HEAD},label", "tas,47.4,8.5,1.5,Zürich – Süd", "tas,10.0,20.0,2.5,Bogotá")
    path = tmp_path / "mine.csv"
    path.write_bytes(text.encode(encoding))
    found = read(path, bundle, month=MONTH)
    assert found.table["label"].tolist() == ["Zürich – Süd", "Bogotá"]
    assert found.table["value"].tolist() == [1.5, 2.5]
    assert any("Windows-1252" in n for n in found.notes) == bool(note)


# Cells of the column value (psl, absolute, hPa), and the numbers that they are; None is refused.
NUMBERS = {
    "English thousands": (['"1,013.2"', '"1,013"', "998.5"], [1013.2, 1013.0, 998.5]),
    "German thousands": (['"1.013,2"', "1.013", '"998,5"'], [1013.2, 1013.0, 998.5]),
    "French thousands": (['"1 013,2"', '"1\u00a0013,2"', '"1\u202f013"'], [1013.2, 1013.2, 1013.0]),
    "Swiss thousands": (["1'013.2", "1’013", "998.5"], [1013.2, 1013.0, 998.5]),
    "by the column": (['"1013,2"', '"1013,25"', '"998,5"'], [1013.2, 1013.25, 998.5]),
    "a point is a decimal point": (["1013.250", "998.125"], [1013.25, 998.125]),
    "nothing tells": (['"1,013"', '"1,009"'], [None, None]),
    "both ways in one column": (['"1,013"', "1013.2", '"1013,2"'], [None, 1013.2, 1013.2]),
    "powers": (["1.0132e3", "10132E-1"], [1013.2, 1013.2]),
    "no numbers": (["1,01,3", "0x3f5", "1_013", "1013-", "(1013)", "١٠١٣"], [None] * 6),
}


@pytest.mark.parametrize(("cells", "right"), NUMBERS.values(), ids=NUMBERS)
def test_numbers_are_read_by_what_their_column_tells(bundle, cells, right):
    rows = [f"psl,{40 + i},10,{cell},absolute" for i, cell in enumerate(cells)]
    found = read(lines(f"{HEAD},kind", *rows), bundle, month=MONTH)
    expected = {40.0 + i: value for i, value in enumerate(right) if value is not None}
    assert found.table["lat"].tolist() == list(expected)
    assert [bad.row for bad in found.rejected] == [i for i, v in enumerate(right, 1) if v is None]
    places = bundle.operator.locate([0] * len(expected), list(expected), [10.0] * len(expected))
    normal = bundle.operator.apply(places, bundle.climatology(12))
    np.testing.assert_allclose(found.table["value"] + normal, list(expected.values()), atol=1e-3)


def test_a_number_with_two_readings_says_both_and_the_remedy(bundle):
    found = read(lines(HEAD, 'psl,40,10,"1,013"'), bundle, month=MONTH)
    refused(found, 1, "may be 1.013 or 1013", "without a separator of thousands")


def test_another_column_tells_the_decimal_mark(bundle):
    """A comma in a latitude is a decimal comma: no latitude has five digits."""
    found = read(lines("variable;lat;lon;value", "tas;47,375;8,541;1,250"), bundle, month=MONTH)
    assert found.table.loc[0, ["lat", "lon", "value"]].tolist() == [47.375, 8.541, 1.25]


@pytest.mark.parametrize(
    ("lat", "lon", "words"),
    [
        ("-33S", "18", "a sign and a hemisphere"),
        ("8.5W", "18", "no latitude"),
        ("47.4", "8.5N", "no longitude"),
        ("47 24", "8.5", "degrees and minutes"),
        ("47°75'N", "8.5", "no latitude"),
        ("95N", "8.5", "no latitude"),
        ("47.4", "-999.9", "no longitude"),
    ],
)
def test_a_place_that_is_not_clear_is_refused(bundle, lat, lon, words):
    found = read(lines(HEAD, f"tas,{lat},{lon},1.0"), bundle, month=MONTH)
    refused(found, 1, words)


# What is refused as a whole, and the words that say why and what to do.
REFUSED = {
    "a workbook": (b"PK\x03\x04\x14\0", ["save the sheet as CSV"]),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1", ["save the sheet as CSV"]),
    "compressed": (b"\x1f\x8b\x08\0", ["unpack it"]),
    "GRIB": (b"GRIB\0\0\0\1", ["GRIB", "CSV or netCDF"]),
    "a page of the web": (b"<!DOCTYPE html><html>\n</html>", ["page of the web"]),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", ["neither netCDF nor text"]),
    "nothing": (b"", ["is empty"]),
    "radians": (lines("variable,lat (rad),lon,value", "tas,0.8,0.1,1"), ["'rad'", "degrees north"]),
    "degrees west": (
        lines("variable,lat,lon (degW),value", "tas,8,1,1"),
        ["'degW'", "degrees east"],
    ),
    "another's time": (lines(f"{HEAD},start_time", "tas,8,1,1,1997-12"), ["start_time", "'time'"]),
    "dates by their cells": (lines(f"{HEAD},Datum", "tas,8,1,1,31.12.1997"), ["Datum", "'time'"]),
    "a year alone": (lines(f"{HEAD},year", "tas,8,1,1,1997"), ["'year'", "no month"]),
    "a month alone": (lines(f"{HEAD},month", "tas,8,1,1,12"), ["'month'", "no year"]),
    "two errors": (lines(f"{HEAD},sigma,std", "tas,8,1,1,1,1"), ["'sigma'", "'std'", "'error_sd'"]),
    "a variance": (
        lines(f"{HEAD},error_variance", "tas,8,1,1,1"),
        ["error_variance", "'error_sd'"],
    ),
    "percent": (lines(f"{HEAD},error (%)", "tas,8,1,1,1"), ["error (%)", "standard deviation"]),
    "two sigma": (lines(f"{HEAD},error (2 sigma)", "tas,8,1,1,1"), ["standard deviation"]),
    "95 %": (lines(f"{HEAD},uncertainty_95", "tas,8,1,1,1"), ["uncertainty_95", "'error_sd'"]),
    "an error of something": (lines(f"{HEAD},sampling_error", "tas,8,1,1,1"), ["sampling_error"]),
    "base periods at odds": (
        lines("# base period: 1951-1980", "# relative to 1961-1990", HEAD, "tas,8,1,1"),
        ["1951-1980, 1961-1990"],
    ),
}


@pytest.mark.parametrize(("source", "words"), REFUSED.values(), ids=REFUSED)
def test_a_table_that_is_not_clear_is_refused_in_a_sentence(bundle, source, words):
    with pytest.raises(ObservationError) as found:
        read(source, bundle, month=MONTH)
    for word in words:
        assert word in str(found.value)


def test_text_is_never_taken_for_the_name_of_a_file(bundle, tmp_path):
    """What a visitor of the page sends must not open files of the server."""
    path = tmp_path / "secret.csv"
    path.write_text(lines(HEAD, "tas,50,10,1"))
    with pytest.raises(ObservationError, match="one line and no table; give a file by its Path"):
        read(str(path), bundle, month=MONTH)


# Times

TIMES = {
    "time": (["time"], ["1997-12"]),
    "a date": (["date"], ["1997-12-31"]),
    "Date": (["Date"], ["1997-12-31"]),
    "datetime": (["datetime"], ["1997-12-31 12:00"]),
    "valid_time": (["valid_time"], ["1997-12-01T00:00:00"]),
    "GRIB's two times": (["time", "valid_time"], ["1997-11-30", "1997-12-01"]),
    "a zone": (["time"], ["1997-12-15T12:00:00+01:00"]),
    "nanoseconds": (["time"], ["1997-12-15T00:00:00.000000000"]),
    "year and month": (["year", "month"], ["1997", "12"]),
    "YEAR, MONTH, DAY": (["YEAR", "MONTH", "DAY"], ["1997", "12", "31"]),
    "names of months": (["Year", "Month"], ["1997", "December"]),
    "yyyymm": (["yyyymm"], ["199712"]),
    "a float of pandas": (["time"], ["199712.0"]),
    "YearMonth": (["YearMonth"], ["1997-12"]),
    "decimal years": (["decimal_year"], ["1997.958"]),
    "a decimal year": (["year"], ["1997.958"]),
    "a day": (["time"], ["19971231"]),
    "German": (["time"], ["31.12.1997"]),
    "British": (["time"], ["31/12/1997"]),
    "American": (["time"], ["12/31/1997 12:00:00 AM"]),
    "slashes": (["time"], ["1997/12/31"]),
    "words": (["time"], ["31-Dec-1997"]),
    "month and year": (["time"], ["12/1997"]),
    "units behind the name": (["time (UTC)"], ["1997-12-31"]),
    "a clock beside a date": (["date", "time"], ["1997-12-31", "12:00"]),
    "twice the same": (["time", "year", "month"], ["1997-12-15", "1997", "12"]),
}


@pytest.mark.parametrize(("names", "cells"), TIMES.values(), ids=TIMES)
def test_times_under_any_name_keep_months_apart(bundle, names, cells):
    row = ["tas", "50", "10", "3.0", *cells]
    text = lines(",".join([HEAD, *names]), ",".join(f'"{c}"' for c in row))
    cells_of = load(text)
    assert cells_of.has_times
    months = read_months(cells_of, bundle)
    assert list(months) == ["1997-12"]
    assert months["1997-12"].table["value"].tolist() == [3.0]
    # The default error is December's, and no other month is given these rows.
    right = default_error(bundle, "tas", 12, 50.0, 10.0)
    np.testing.assert_allclose(months["1997-12"].table["error_sd"], right)
    with pytest.raises(ObservationError, match="no observation of 1998-01; it holds 1997-12"):
        read(text, bundle, month="1998-01")


def test_forms_of_dates_may_differ_from_row_to_row(bundle):
    times = ["1997-12-31", "31.12.1997", "31/12/1997", "1997/12/31", "199712.0", "", "soon"]
    times += ["1997-12-31T00:00Z", "1998-01-15", "1997-12-31T23:30-05:00", "1997", "31.12.97"]
    rows = [f"tas,{40 + i},10,3,{t}" for i, t in enumerate(times)]
    found = read(lines(f"{HEAD},time", *rows), bundle, month=MONTH)
    assert found.table["lat"].tolist() == [40, 41, 42, 43, 44, 47]
    assert [bad.row for bad in found.rejected] == [6, 7, 10, 11, 12]
    for row, words in (
        (6, "its time is empty"),
        (7, "'soon' is no date"),
        (10, "in another month in UTC"),
        (11, "is a year and no month"),
        (12, "a year of two digits"),
    ):
        refused(found, row, words)


def test_a_date_with_two_readings_is_read_by_its_column_or_the_option(bundle):
    def months(*times, **options):
        rows = [f"tas,{40 + i},10,3,{t}" for i, t in enumerate(times)]
        text = lines(f"{HEAD},time", *rows)
        found = read_months(text, bundle, options=TableOptions(**options))
        return {m: r.table["lat"].tolist() or [b.row for b in r.rejected] for m, r in found.items()}

    assert months("05/04/1997") == {"": [1]}
    assert months("05/04/1997", "15/04/1997") == {"1997-04": [40, 41]}
    assert months("05/04/1997", "04/15/1997") == {"1997-05": [40], "1997-04": [41]}
    assert months("05/04/1997", "04/15/1997", "15/04/1997") == {"1997-04": [41, 42], "": [1]}
    assert months("05/04/1997", day_first=True) == {"1997-04": [40]}
    assert months("05/04/1997", day_first=False) == {"1997-05": [40]}
    # Whichever way it is read, it is May.
    assert months("05/05/1997") == {"1997-05": [40]}


@pytest.mark.parametrize(
    ("years", "right"),
    [
        # The middle of each month, to three decimals, as many records have it.
        ([f"{1997 + (m + 0.5) / 12:.3f}" for m in range(12)], list(range(1, 13))),
        # Its beginning, as a time series of R has it.
        ([f"{1997 + m / 12:.3f}" for m in range(12)], list(range(1, 13))),
        # Where the two are mixed, the border of two months is none.
        (["1997.042", "1997.083"], [1, None]),
        # A year, a point and a month, or a decimal year?
        (["1997.01", "1997.12"], [None, None]),
    ],
)
def test_decimal_years(bundle, years, right):
    rows = [f"tas,{40 + i},10,3,{y}" for i, y in enumerate(years)]
    found = read_months(lines(f"{HEAD},decimal_year", *rows), bundle)
    months = {lat: m for m, r in found.items() for lat in r.table["lat"]}
    expected = {40.0 + i: f"1997-{m:02d}" for i, m in enumerate(right) if m}
    assert months == expected
    begins = any("beginning" in note for r in found.values() for note in r.notes)
    assert begins == (years[0] == "1997.000")


def test_times_that_disagree_are_refused_by_row(bundle):
    text = lines(
        f"{HEAD},time,year,month", "tas,50,10,3,1997-12,1997,12", "tas,51,10,3,1997-12,1997,11"
    )
    found = read(text, bundle, month=MONTH)
    assert found.table["lat"].tolist() == [50.0]
    refused(found, 2, "times disagree", "1997-12", "1997-11")


@pytest.mark.parametrize(
    "value",
    [
        *("1997-12", "199712", 199712, "1997/12", "Dec 1997", "1997-12-31T10:00Z", "19971231"),
        *(
            dt.date(1997, 12, 31),
            dt.datetime(1997, 12, 31, 10, tzinfo=dt.UTC),
            pd.Timestamp("1997-12-31"),
        ),
        *(np.datetime64("1997-12"), np.datetime64("1997-12-31T10:00", "ns"), pd.Period("1997-12")),
        *(cftime.DatetimeNoLeap(1997, 12, 31), cftime.Datetime360Day(1997, 12, 30)),
        xr.DataArray(np.datetime64("1997-12-31", "ns")),
    ],
)
def test_a_month_is_asked_for_in_any_usual_form(bundle, value):
    assert month_of(value) == MONTH
    found = read(lines(f"{HEAD},time", "tas,50,10,3,1997-12"), bundle, month=value)
    assert found.table["value"].tolist() == [3.0]


@pytest.mark.parametrize(
    "value",
    [
        *("1997", "97-12", "1997-13", "soon", "", "05/04/1997", True, None, 1997, 13.5, [1, 2]),
        *(np.datetime64("NaT"), pd.NaT, np.datetime64("1997"), pd.Period("1997Q4"), object()),
        pd.Timestamp("1998-01-01", tz="Europe/Zurich"),
    ],
)
def test_what_is_no_month_is_refused_in_a_sentence(value):
    with pytest.raises(MonthError, match=r"^'.*' .*\.$"):
        month_of(value)


# Errors


@pytest.mark.parametrize(
    "name",
    [
        *("sigma", "obs_err", "obs_error", "error", "err", "std", "sd", "stdev", "uncertainty"),
        *(
            "error (1 sigma)",
            "unc",
            "stderr",
            "Std Dev",
            "OBS_ERR",
            "Obs. error",
            "uncertainty (K)",
            "error_sd",
        ),
    ],
)
def test_an_error_under_any_name_is_taken_and_told(bundle, name):
    found = read(lines(f"{HEAD},{name}", "tas,50,10,3,0.75"), bundle, month=MONTH)
    assert found.table["error_sd"].tolist() == [0.75]
    if name != "error_sd":
        told(found, f"'{name}' is taken as error_sd")


def test_the_error_that_is_named_so_wins_and_the_other_is_told(bundle):
    found = read(lines(f"{HEAD},std,error_sd", "tas,50,10,3,9,0.75"), bundle, month=MONTH)
    assert found.table["error_sd"].tolist() == [0.75]
    told(found, "left out: 'std'")


def test_errors_have_units_of_their_own(bundle):
    """In its name, in its cell, or those of the value."""
    for names, cells, right in (
        ("value [Pa],error_sd [hPa]", "200,0.75", 0.75),
        ("value [Pa],error_sd", "200,75", 0.75),
        ("value,error_sd", "200 Pa,0.75 hPa", 0.75),
    ):
        text = lines(f"variable,lat,lon,{names}", f"psl,50,10,{cells}")
        found = read(text, bundle, month=MONTH)
        assert found.table["value"].tolist() == [2.0]
        assert found.table["error_sd"].tolist() == pytest.approx([right])
    found = read(lines(f"{HEAD},error_sd", "psl,50,10,2,5%"), bundle, month=MONTH)
    refused(found, 1, "its error: '%'")


def test_units_that_contradict_each_other_are_refused(bundle):
    found = read(lines("variable,lat,lon,value [hPa],units", "psl,50,10,2,Pa"), bundle, month=MONTH)
    refused(found, 1, "'Pa' and 'hPa'")


def test_an_amount_a_month_is_divided_by_the_days_of_that_month(bundle):
    text = lines(f"{HEAD},units,time", "pr,0,10,28,mm/month,1997-02", "pr,0,10,29,mm/month,1996-02")
    for found in read_months(text, bundle).values():
        assert found.table["value"].tolist() == pytest.approx([1.0])
    text = lines(f"{HEAD},units", "pr,0,10,31,mm/month")
    assert read(text, bundle, month=12).table["value"].tolist() == pytest.approx([1.0])
    refused(read(text, bundle, month=2), 1, "needs the month")


def test_an_error_that_is_raised_is_told_with_what_it_becomes(bundle):
    rows = [
        "psl,50,10,2,0.1",
        "psl,10,100,2,0.02",
        "psl,60,20,2,3",
        "psl,30,20,2,",
        "tas,50,10,2,1",
    ]
    found = read(lines(f"{HEAD},error_sd", *rows), bundle, month=MONTH)
    # The standardised error is the stated one over the local spread.
    tiny = found.table.assign(error_sd=1.0)
    spread = 1.0 / np.sqrt(standardise(tiny, bundle, 12).variance)
    change = LEAST_ERROR * spread - found.table["error_sd"]
    assert (change[:2] > 0).all()
    at = int(np.argmax(change))
    told(
        found,
        "2 stated errors of psl are raised to the least that the model can use",
        f"{LEAST_ERROR:g} of the local spread: at most from {rows[at].split(',')[-1]} to "
        f"{LEAST_ERROR * spread[at]:.3g} hPa.",
    )
    assert found.table["error_sd"][0] == 0.1


def test_an_error_of_rain_is_raised_through_its_transform(bundle):
    found = read(lines(f"{HEAD},error_sd", "pr,0,10,0.5,0.001"), bundle, month=MONTH)
    told(found, "1 stated error of pr is raised")
    used = float(next(n for n in found.notes if "raised" in n).split(" to ")[-1].split()[0])
    made = standardise(found.table.assign(error_sd=used), bundle, 12)
    assert np.sqrt(made.variance[0]) == pytest.approx(LEAST_ERROR, rel=0.01)


# Missing codes


@pytest.mark.parametrize(
    "code",
    [
        *("-9.99", "-99.9", "-99.99", "-999", "-999.9", "-999.99", "-9999", "-9999.9", "-99999"),
        *("9999", "9999.9", "99999", "1e20", "9.96921e36", "-1e30", "-32768", "99.9", "999.9"),
    ],
)
def test_a_code_for_a_missing_value_is_refused_by_row(bundle, code):
    text = lines(HEAD, "psl,51.5,0,2.0", f"psl,53.3,-6.3,{code}", "psl,55.9,-3.2,1.5")
    found = read(text, bundle, month=MONTH)
    assert found.table["value"].tolist() == [2.0, 1.5]
    refused(found, 2, "a code for a missing value", "keep_codes")


def test_a_real_value_like_a_code_is_kept_on_request(bundle):
    text = lines(HEAD, "psl,51.5,0,-9.99", "psl,53.3,-6.3,-9999")
    found = read(text, bundle, month=MONTH, options=TableOptions(keep_codes=True))
    assert found.table["value"].tolist() == [-9.99]
    refused(found, 2, "none that sea-level pressure can have")


def test_a_code_that_the_variable_can_have_is_a_value(bundle):
    """999.9 hPa is a pressure; 99.9 degrees Fahrenheit a temperature."""
    rows = ["psl,60,-20,999.9,absolute,hPa", "tas,20,40,99.9,absolute,degF"]
    found = read(lines(f"{HEAD},kind,units", *rows), bundle, month=7)
    assert not found.rejected


def test_an_extreme_that_many_places_share_is_refused(bundle):
    rows = [f"psl,{40 + i},10,{v}" for i, v in enumerate([1, -2, -88.8, 3, -88.8, -88.8, 0.5])]
    found = read(lines(HEAD, *rows), bundle, month=MONTH)
    assert found.table["value"].tolist() == [1, -2, 3, 0.5]
    refused(found, 3, "-88.8 stands at 3 places", "keep_codes")
    # Zero rain stands at many places too, and is no code.
    dry = [f"pr,{20 + i / 10},{10 + i},0,absolute" for i in range(5)]
    assert not read(lines(f"{HEAD},kind", *dry), bundle, month=MONTH).rejected


def test_a_code_in_the_error_is_refused(bundle):
    for code in ("-999", "9999", "1e20"):
        found = read(lines(f"{HEAD},error_sd", f"psl,50,10,2,{code}"), bundle, month=MONTH)
        refused(found, 1, "error_sd", "code for a missing value", "default error")


# NetCDF


def netcdf(path, **columns):
    """Write columns along one dimension: values, or values and attributes."""
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("obs", None)
        for name, given in columns.items():
            values, attributes = given if isinstance(given, tuple) else (given, {})
            kind = str if isinstance(values[0], str) else attributes.pop("dtype", "f8")
            fill = attributes.pop("_FillValue", False if kind is not str else None)
            made = file.createVariable(name, kind, ("obs",), fill_value=fill)
            if kind is str:
                made[:] = np.array(values, object)
                continue
            made.set_auto_maskandscale(False)
            made[:] = np.array(values, kind)
            made.setncatts(attributes)
    return path


def columns(n=3, **more):
    made = {"variable": ["psl"] * n, "lat": [50.0 + i for i in range(n)], "lon": [10.0] * n}
    return made | {"value": [2.0] * n} | more


def test_netcdf_errors_have_units_of_their_own(bundle, tmp_path):
    path = netcdf(
        tmp_path / "mine.nc",
        **columns(
            value=([200.0, 300.0, 400.0], {"units": "Pa"}),
            error_sd=([1.0, 1.0, 2.0], {"units": "hPa"}),
        ),
    )
    found = read(path, bundle, month=MONTH)
    assert found.table["value"].tolist() == pytest.approx([2.0, 3.0, 4.0])
    assert found.table["error_sd"].tolist() == pytest.approx([1.0, 1.0, 2.0])


NAT = np.iinfo(np.int64).min


@pytest.mark.parametrize(
    ("times", "attributes"),
    [
        # As xarray writes NaT, with and without saying so.
        ([14, NAT, 45], {"dtype": "i8", "units": "days since 1997-12-01", "_FillValue": NAT}),
        ([14, NAT, 45], {"dtype": "i8", "units": "days since 1997-12-01"}),
        ([14, np.nan, 45], {"units": "days since 1997-12-01"}),
        ([14, -999, 45], {"dtype": "i4", "units": "days since 1997-12-01", "_FillValue": -999}),
        (
            [14, -999, 45],
            {"dtype": "i4", "units": "days since 1997-12-01", "missing_value": "-999"},
        ),
        ([14, 9.969209968386869e36, 45], {"units": "days since 1997-12-01"}),
        ([0, 1e30, 1], {"units": "months since 1997-12-01"}),
        ([14, 1e15, 45], {"units": "days since 1997-12-01", "calendar": "noleap"}),
    ],
)
def test_a_netcdf_row_without_a_time_is_refused_alone(bundle, tmp_path, times, attributes):
    path = netcdf(tmp_path / "mine.nc", **columns(time=(times, dict(attributes))))
    found = read_months(path, bundle)
    assert list(found) == ["1997-12", "1998-01", ""] or sorted(found) == ["", "1997-12", "1998-01"]
    assert found["1997-12"].table["lat"].tolist() == [50.0]
    assert found["1998-01"].table["lat"].tolist() == [52.0]
    refused(found[""], 2, "its time is empty")


@pytest.mark.parametrize(
    ("values", "attributes", "right"),
    [
        ([2, -9999, 4], {"missing_value": -9999.0}, [2, 4]),
        ([2, -9999, 4], {"missing_value": "-9999"}, [2, 4]),
        ([2, 1e20, 4], {"dtype": "f4", "missing_value": np.float64(1e20)}, [2, 4]),
        ([2, -888, 4], {"dtype": "f4", "_FillValue": np.float32(-888)}, [2, 4]),
        ([2, 9.969209968386869e36, 4], {"dtype": "f4"}, [2, 4]),
        # Missing in packed terms, and in unpacked ones.
        ([200, -999, 400], {"dtype": "i2", "scale_factor": 0.01, "missing_value": -999}, [2, 4]),
        ([200, -999, 400], {"dtype": "i2", "scale_factor": 0.01, "missing_value": -9.99}, [2, 4]),
        ([2, 55, 4], {"valid_range": [-50.0, 50.0]}, [2, 4]),
        ([20, 30, 40], {"dtype": "i2", "scale_factor": "0.1"}, [2, 3, 4]),
    ],
)
def test_netcdf_values_are_missing_however_it_is_said(bundle, tmp_path, values, attributes, right):
    path = netcdf(tmp_path / "mine.nc", **columns(value=(values, dict(attributes))))
    found = read(path, bundle, month=MONTH)
    assert found.table["value"].tolist() == pytest.approx(right)
    assert [bad.row for bad in found.rejected] == ([2] if len(right) == 2 else [])


def test_a_single_time_is_of_all_rows_and_others_are_refused(bundle, tmp_path):
    for size, right in ((1, ["1997-12"]), (2, None)):
        path = tmp_path / f"{size}.nc"
        netcdf(path, **columns())
        with netCDF4.Dataset(path, "a") as file:
            file.createDimension("time", size)
            time = file.createVariable("time", "f8", ("time",))
            time.units = "days since 1997-12-01"
            time[:] = np.arange(size)
        if right:
            assert list(read_months(path, bundle)) == right
        else:
            with pytest.raises(ObservationError, match="'time' along another dimension"):
                read(path, bundle, month=MONTH)


# Python's own tables


def python_tables(rows):
    """One table in every form that Python has."""
    frame = pd.DataFrame(rows)
    held = {k: [r[k] for r in rows] for k in rows[0]}
    yield "frame", frame
    yield "records", rows
    yield "columns", held
    yield "arrays", {k: np.array(v) for k, v in held.items()}
    yield "shuffled index", {k: pd.Series(v, index=range(len(v), 0, -1)) for k, v in held.items()}
    yield "dataset", xr.Dataset({k: ("obs", v) for k, v in held.items()})
    yield "csv", frame.to_csv(index=False)
    yield "bytes", frame.to_csv(index=False).encode()


def test_every_form_of_a_table_is_checked_by_the_same_code(bundle, tmp_path):
    rows = [
        {**ROW, "withheld": "no", "kind": "anomaly", "units": "degC", "time": "1997-12"},
        {**ROW, "lat": 51.0, "withheld": "false", "kind": "", "units": "K", "time": "199712"},
        {**ROW, "lat": 52.0, "withheld": "yes", "kind": "", "units": "", "time": "1997-12-31"},
        {
            **ROW,
            "lat": 53.0,
            "value": 288.0,
            "withheld": "",
            "kind": "",
            "units": "K",
            "time": MONTH,
        },
        {**ROW, "lat": 54.0, "value": 280.0, "withheld": "", "kind": "absolute", "units": "K"}
        | {"time": MONTH},
        {**ROW, "lat": 55.0, "withheld": "", "kind": "", "units": "", "time": "1998-01"},
        {**ROW, "lat": 56.0, "withheld": "perhaps", "kind": "", "units": "", "time": MONTH},
    ]
    path = tmp_path / "mine.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    for name, source in [*python_tables(rows), ("path", path)]:
        found = read(source, bundle, month=MONTH)
        assert found.table["lat"].tolist() == [50, 51, 52, 54], name
        assert found.table["withheld"].tolist() == [False, False, True, False], name
        assert found.table["value"].tolist()[:3] == [3.0, 3.0, 3.0], name
        assert abs(found.table["value"][3]) < 20, name
        assert [bad.row for bad in found.rejected] == [4, 7], name
        refused(found, 4, "anomaly of 288 K", "kind or units")
        refused(found, 7, "neither true nor false")


def test_python_tables_take_the_usual_names_and_types(bundle):
    times = [pd.Timestamp("1997-12-15"), dt.date(1997, 12, 1), cftime.DatetimeNoLeap(1997, 12, 3)]
    rows = [
        {
            "variable": "tas",
            "latitude": 50.0 + i,
            "longitude": -10,
            "value": 3,
            "withheld": w,
            "date": t,
        }
        for i, (w, t) in enumerate(zip([True, np.False_, 0], times, strict=True))
    ]
    found = read(rows, bundle, month=dt.date(1997, 12, 1))
    assert found.table["lat"].tolist() == [50, 51, 52]
    assert found.table["withheld"].tolist() == [True, False, False]
    assert not found.rejected


def test_an_index_of_dates_is_a_column_of_times(bundle):
    index = pd.to_datetime(["1997-11-30", "1997-12-31", None])
    for made in (index, index.to_period("M"), index.rename("date")):
        frame = pd.DataFrame([ROW] * 3, index=made)
        found = read(frame, bundle, month=MONTH)
        assert len(found.table) == 1
        refused(found, 3, "time is empty")


def test_datasets_have_units_and_missing_times(bundle):
    data = xr.Dataset(
        {
            "variable": ("obs", ["psl"] * 3),
            "value": ("obs", [200.0, 300.0, np.nan], {"units": "Pa"}),
            "error_sd": ("obs", [1.0, 1.0, 1.0], {"units": "hPa"}),
            "time": ("obs", np.array(["1997-12-05", "NaT", "1997-12-31"], "datetime64[ns]")),
        },
        coords={"latitude": ("obs", [50.0, 51.0, 52.0]), "longitude": ("obs", [10.0] * 3)},
    )
    found = read(data, bundle, month=MONTH)
    assert found.table["value"].tolist() == [2.0]
    assert found.table["error_sd"].tolist() == [1.0]
    assert [bad.row for bad in found.rejected] == [2, 3]
    for name in ("sigma", "time"):
        with pytest.raises(ObservationError, match=f"'{name}' along another dimension"):
            read(data.drop_vars(["error_sd", "time"]).assign({name: ("x", [1.0])}), bundle, month=1)
    with pytest.raises(ObservationError, match="2 dimensions"):
        read(data.expand_dims(two=2), bundle, month=MONTH)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (3, "int"),
        ([1, 2], "is a int; give each as a dict"),
        ({"variable": ["tas"], "lat": [1, 2], "lon": [1], "value": [1]}, "give them one length"),
        (pd.DataFrame({"variable": ["tas"]}), "no column 'lat'"),
        (xr.Dataset({"variable": ("obs", ["tas"])}), "no variable 'value'"),
    ],
)
def test_python_objects_that_are_no_table_are_refused_in_a_sentence(bundle, source, words):
    with pytest.raises(ObservationError, match=words):
        read(source, bundle, month=MONTH)


def test_a_file_is_parsed_once(bundle, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(lines(f"{HEAD},time", "tas,50,10,3,1997-12"))
    cells = load(path)
    path.unlink()
    assert cells.has_times
    assert read(cells, bundle, month=MONTH).table["value"].tolist() == [3.0]
    assert list(read_months(cells, bundle)) == [MONTH]


# Repeated rows


def test_repeated_rows_are_told_and_merged_on_request(bundle):
    rows = ["tas,50,10,3.0,1.0,A"] * 9 + [
        "tas,50,10,5.0,2.0,A",
        "psl,50,10,1.0,1.0,A",
        "tas,51,10,1.0,1,B",
    ]
    text = lines(f"{HEAD},error_sd,label", *rows)
    found = read(text, bundle, month=MONTH)
    assert len(found.table) == 12
    told(
        found, "8 rows repeat another's", "1 row has another value", "at 1 place", "merge_repeated"
    )
    merged = read(text, bundle, month=MONTH, options=TableOptions(merge_repeated=True))
    assert merged.table["variable"].tolist() == ["tas", "psl", "tas"]
    # Nine copies count once; 3 and 5 are averaged, with the root mean square of 1 and 2.
    assert merged.table["value"].tolist() == [4.0, 1.0, 1.0]
    assert merged.table["error_sd"].tolist() == pytest.approx([np.sqrt(2.5), 1.0, 1.0])
    told(merged, "9 rows are merged", "stays that of one observation")


def test_copies_merge_to_one_row_with_one_error(bundle):
    text = lines(f"{HEAD},error_sd", *["tas,50,10,3.0,1.0"] * 9)
    merged = read(text, bundle, month=MONTH, options=TableOptions(merge_repeated=True)).table
    once = read(lines(f"{HEAD},error_sd", "tas,50,10,3.0,1.0"), bundle, month=MONTH).table
    pd.testing.assert_frame_equal(merged, once)


def test_what_differs_in_time_is_no_copy_but_one_place(bundle):
    """Two days with one value are averaged like any; a withheld row is never merged into others."""
    rows = [
        "tas,50,10,3,1,no,1997-12-01",
        "tas,50,10,3,1,no,1997-12-02",
        "tas,50,10,6,1,no,1997-12-03",
    ]
    rows += ["tas,50,10,9,1,yes,1997-12-04"]
    text = lines(f"{HEAD},error_sd,withheld,date", *rows)
    merged = read(text, bundle, month=MONTH, options=TableOptions(merge_repeated=True)).table
    assert merged["value"].tolist() == [4.0, 9.0]
    assert merged["withheld"].tolist() == [False, True]
    told(read(text, bundle, month=MONTH), "both assimilated and withheld")


# Base periods


def test_the_base_period_of_the_model_itself_moves_nothing(bundle):
    for period in (bundle.base_period, "1979-2013", "1979 to 2013", "1979–2013"):
        options = TableOptions(base_period=period)
        found = read(lines(HEAD, "tas,50,10,3"), bundle, month=MONTH, options=options)
        assert found.table["value"].tolist() == [3.0]
        assert not found.notes


def test_gistemp_anomalies_are_moved_from_1951_1980(real):
    """Of which the bundle holds the truth: its full temperatures are anomalies from 1951-1980."""
    period, january = base_period.Period(1951, 1980), 1
    step = base_period.offset(real, january, period)
    row = [v.name for v in real.variables].index("tasa")
    within = [f"{y}-01" for y in range(1951, 1981)]
    whole = np.isfinite([real.target(m)[row] for m in within]).all(axis=0)
    assert whole.sum() > 2000
    # Months are packed in steps of 0.04 of the spread.
    np.testing.assert_allclose(step[row][whole], -real.climatology(january)[row][whole], atol=0.1)
    assert np.abs(step[row][whole]).mean() > 0.1
    place = real.operator.locate([row], [50.0], [10.0])
    right = 1.0 + real.operator.apply(place, step)[0]
    for text, options in (
        (lines("# base_period: 1951-1980", HEAD, "tasa,50,10,1.0"), TableOptions()),
        (lines(f"{HEAD},base_period", "tasa,50,10,1.0,1951-1980"), TableOptions()),
        (lines(HEAD, "tasa,50,10,1.0"), TableOptions(base_period="1951-1980")),
    ):
        found = read(text, real, month="1963-01", options=options)
        assert found.table["value"].tolist() == pytest.approx([right])
        told(found, "Anomalies of tasa from 1951-1980 are moved")


def test_a_base_period_of_netcdf_and_dataframe(real, tmp_path):
    made = {"variable": ["tasa"], "lat": [50.0], "lon": [10.0], "value": [1.0]}
    path = netcdf(tmp_path / "mine.nc", **made)
    with netCDF4.Dataset(path, "a") as file:
        file.setncattr("base_period", "1951-1980")
    frame = pd.DataFrame(made)
    frame.attrs["base_period"] = "1951-1980"
    text = lines(f"{HEAD},base_period", "tasa,50,10,1.0,1951-1980")
    values = [read(s, real, month=1).table["value"][0] for s in (path, frame, text)]
    assert values[0] == values[1] == values[2] != 1.0


def test_each_variable_has_the_base_period_that_the_model_names_for_it(real):
    """In words: 1880-2015, but pressure 1948-2013."""
    pressure, temperature = real.variables
    assert base_period.period_of_bundle(real, pressure) == (1948, 2013)
    assert base_period.period_of_bundle(real, temperature) == (1880, 2015)
    rows = ["psl,50,10,2,1948-2013", "tasa,50,10,1,1880-2015", "psl,51,10,2,1880-2015"]
    found = read(lines(f"{HEAD},base_period", *rows), real, month=1)
    assert found.table["value"].tolist() == [2.0, 1.0]
    # Of pressure, the years before 1948 are not there.
    refused(found, 3, "1880-2015", "too few")


def test_a_base_period_that_cannot_be_moved_is_refused(bundle, real):
    for period, words in (
        ("1850-1879", "too few"),
        ("1980-1951", "ends before it begins"),
        ("recent", "is no base period"),
        ("1951-1980 and 1961-1990", "is no base period"),
    ):
        text = lines(f"{HEAD},base_period,kind", f"tasa,50,10,1,{period},", "tasa,50,10,1,,")
        found = read(text, real, month=1)
        assert len(found.table) == 1
        refused(found, 1, words)
    text = lines(f"{HEAD},base_period", "tas,50,10,1,1991-2010")
    refused(read(text, bundle), 1, "needs a month")
    # A full value has no base period.
    text = lines(f"{HEAD},base_period,kind", "tas,50,10,1,1850-1879,absolute")
    assert not read(text, bundle, month=1).rejected
    with pytest.raises(ObservationError, match="leave one"):
        read(
            lines("# base period: 1951-1980", HEAD, "tasa,50,10,1"),
            real,
            month=1,
            options=TableOptions(base_period="1961-1990"),
        )


def test_two_halves_of_the_base_period_lie_either_side_of_it(bundle):
    """Of all members' climatology, one member's months give the difference without its own bias."""
    whole = base_period.offset(bundle, 7, base_period.Period(1979, 2013))
    assert np.nanmean(np.abs(whole[2])) < 0.1
    first, last = (
        base_period.offset(bundle, 7, base_period.Period(*years))
        for years in ((1979, 1995), (1997, 2013))
    )
    assert np.nanmean(first[2]) < 0 < np.nanmean(last[2])
