"""Months of rows, from columns of any name and form."""

from __future__ import annotations

import numpy as np
import pytest
from observation_tables import HEAD, MONTH, lines, refused

from mlda_core.observations.table import (
    ObservationError,
    TableOptions,
    default_error,
    load,
    read,
    read_months,
)

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


MONTHS = """time,variable,lat,lon,value
1997-12,tas,51,10,1
1998-01-15,tas,51,10,2
not yet,tas,51,10,3
1997-12-15T00:00:00,tas,51,,4
199801,tas,51,10,5
"""


def test_a_column_of_times_is_split_by_month(bundle):
    found = read_months(MONTHS, bundle)
    assert list(found) == ["", "1997-12", "1998-01"] or list(found) == ["1997-12", "1998-01", ""]
    assert found["1997-12"][0]["value"].tolist() == [1.0]
    assert [r.row for r in found["1997-12"][1]] == [4]
    assert found["1998-01"][0]["value"].tolist() == [2.0, 5.0]
    assert [r.row for r in found[""][1]] == [3]
    assert "'not yet'" in found[""][1][0].reason
    assert load(MONTHS).has_times


def test_one_month_of_many_can_be_read_alone(bundle):
    found, rejected, _ = read(MONTHS, bundle, month="1997-12")
    assert found["value"].tolist() == [1.0]
    # A row whose month is not understood may be of this one.
    assert [r.row for r in rejected] == [3, 4]
    with pytest.raises(ObservationError, match="no observation of 2001-01; it holds 1997-12 to"):
        read(MONTHS, bundle, month="2001-01")


def test_months_without_a_column_of_times_cannot_be_told(bundle):
    with pytest.raises(ObservationError, match="no column 'time'"):
        read_months("variable,lat,lon,value\n", bundle)
