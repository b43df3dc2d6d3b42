"""A measured series by months, from the files that people have of it."""

from __future__ import annotations

import numpy as np
import pytest

from mlda_core.impact.series import SeriesFileError, read_series

# The layout of a file of the National River Flow Archive, with its line ends, its quoted commas and
# the spreadsheet's change of dates.
NRFA = """file,timestamp,2022-11-08T11:02:23
database,id,nrfa-public-24
database,name,UK National River Flow Archive
station,id,39001
station,name,Thames at Kingston
station,descriptionSummary,"The Thames at Kingston, dating from 1883, is long. Naturalised."
dataType,id,gdf
dataType,name,Gauged Daily Flow
dataType,parameter,Flow
dataType,units,m3/s
dataType,period,day (P1D)
data,first,1899-12-01
data,last,31/01/1900
"""


def written(tmp_path, text, name="series.csv", encoding="utf-8"):
    file = tmp_path / name
    file.write_bytes(text.encode(encoding))
    return file


def test_a_river_archive_file_whose_dates_change_half_way(tmp_path):
    days = [f"1899-12-{d:02d},{d}," for d in range(1, 32)]
    days += [f"{d:02d}/01/1900,{100 + d},E" for d in range(1, 32)]
    file = written(tmp_path, (NRFA + "\n".join(days) + "\n").replace("\n", "\r\n"))
    series = read_series(file)
    assert (series.name, series.units) == ("Thames at Kingston", "m3/s")
    assert series.source == "UK National River Flow Archive, station 39001"
    assert series.months == ("1899-12", "1900-01")
    np.testing.assert_allclose(series.values, [16.0, 116.0])


def test_a_month_with_too_few_days_is_left_out(tmp_path):
    days = [f"2001-01-{d:02d},1" for d in range(1, 29)]
    days += [f"2001-02-{d:02d},2" for d in range(1, 25)]
    days += [f"2001-03-{d:02d},{'' if d < 3 else 3}" for d in range(1, 32)]
    file = written(tmp_path, "\n".join(days))
    series = read_series(file)
    assert series.months == ("2001-01", "2001-03")
    assert series.left_out == ("2001-02",)
    assert read_series(file, min_share=0.5).months == ("2001-01", "2001-02", "2001-03")


def test_a_sum_counts_the_days_of_the_month(tmp_path):
    days = [f"2001-01-{d:02d},2" for d in range(1, 32) if d != 7]
    file = written(tmp_path, "\n".join(days))
    assert read_series(file, how="sum").values == pytest.approx([62.0])


@pytest.mark.parametrize(
    ("text", "name", "units", "months", "values"),
    [
        ("date,flow (m3/s)\n1990-01,1.5\n1990-02,2.5\n", "flow", "m3/s", 2, [1.5, 2.5]),
        ("1990-01,1.5\n1990-02,2.5\n", "series", "", 2, [1.5, 2.5]),
        ("Monat;Abfluss [l/s]\n15.01.1990;1,5\n15.02.1990;2,5\n", "Abfluss", "l/s", 2, [1.5, 2.5]),
        ("month\tyield\n199001\t1.5\n199002\tNA\n199003\t2\n", "yield", "", 2, [1.5, 2.0]),
        ("# by hand\n\n01/02/1990,1\n01/03/1990,2\n", "series", "", 2, [1.0, 2.0]),
        ("02/01/1990,1\n03/01/1990,2\n", "series", "", 2, [1.0, 2.0]),
        ("1990-01-15T12:00,1\n1990-02-15T12:00,2\n", "series", "", 2, [1.0, 2.0]),
        ("# from A; B\n1990-01,1.5\n1990-02,2.5\n", "series", "", 2, [1.5, 2.5]),
        ("flow of;Thames\n1990-01,1.5\n1990-02,2.5\n", "series", "", 2, [1.5, 2.5]),
        ("date,flow,flag\n1990-01,1.5,3\n1990-02,2.5,\n", "flow", "", 2, [1.5, 2.5]),
        ("date,change\n1990-01,-9\n1990-02,-8\n1990-03,-9\n", "change", "", 3, [-9, -8, -9]),
    ],
)
def test_the_csv_files_that_people_have(tmp_path, text, name, units, months, values):
    series = read_series(written(tmp_path, text))
    assert (series.name, series.units, len(series.months)) == (name, units, months)
    np.testing.assert_allclose(series.values, values)


def test_dates_with_the_month_first_are_told_by_their_days(tmp_path):
    text = "\n".join(f"{m:02d}/28/1990,{m}" for m in range(1, 13))
    series = read_series(written(tmp_path, text))
    assert series.months[-1] == "1990-12"
    np.testing.assert_allclose(series.values, np.arange(1, 13))


def test_what_the_user_says_goes_before_what_the_file_says(tmp_path):
    file = written(tmp_path, "date,flow (m3/s)\n1990-01,-999\n1990-02,2\n")
    series = read_series(file, name="Elbe", units="m³/s", missing=[-999])
    assert (series.name, series.units, series.months) == ("Elbe", "m³/s", ("1990-02",))
    np.testing.assert_allclose(series.at(["1990-02", "1990-01"]), [2.0, np.nan])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("date,flow\n1990-01,1\n1990-02,much\n", "Line 3 .* 'much' where a number"),
        ("date,flow\n1990-01,1\nFebruary,2\n", "Line 3 .* 'February' where a date"),
        ("1990-01,1\n1990-13,2\n", "'1990-13' where a date"),
        ("1990-01,1\n1990-01,2\n", "Lines 1 and 2 .* same date"),
        ("1990-01-01,1\n1990-01-02,1\n", "no month with 90 % of its days; lower --min-days"),
        ("date,flow\n1990-01,3,5\n", "Line 2 .* 3 columns, not 2; write decimals with a point"),
        ("1990-01 3.5\n1990-02 4\n", "Line 1 .* one column; part date and value with a comma"),
        ("1990-01,3\n1990-02,-99.9\n1990-03,-99.9\n", "give --missing -99.9"),
        ('"date,flow\n' + 9000 * "1990-01-01,123456\n", "quotation mark that is not closed"),
        ("1990-01,\n1990-02,nan\n", "no month with a value"),
        ("01/02/1990,1\n02/03/1990,2\n", "do not tell the day from the month"),
    ],
)
def test_bad_files_get_one_sentence(tmp_path, text, words):
    with pytest.raises(SeriesFileError, match=words):
        read_series(written(tmp_path, text))


def test_a_file_that_is_not_there_or_no_text(tmp_path):
    with pytest.raises(SeriesFileError, match=r"nowhere\.csv cannot be read"):
        read_series(tmp_path / "nowhere.csv")
    (tmp_path / "book.xlsx").write_bytes(b"PK\x03\x04\x00\x00")
    with pytest.raises(SeriesFileError, match="not a text file"):
        read_series(tmp_path / "book.xlsx")
    latin = written(tmp_path, "Datum,Abfluß (m³/s)\n1990-01,1\n", encoding="latin-1")
    assert read_series(latin).name == "Abfluß"
