"""Splits by time: nothing held out is trained on, nor is what touches it."""

import itertools
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlda_core.climate.splits import Splits, month_name
from mlda_core.climate.time_step import MONTH

DESIGN = Splits(
    test=(1989, 1997, 1998, 2010, 2011), validation=(1984, 2004), calibration=(1986, 1993, 2001)
)
MONTHS = np.arange("1979-01", "2014-01", dtype="datetime64[M]")


def test_counts_of_the_designs_splits():
    found = [DESIGN.of(month_name(month)) for month in MONTHS]
    assert {name: found.count(name) for name in set(found)} == {
        "test": 60,
        "validation": 24,
        "calibration": 36,
        # One either side of each block of years: 1997-1998 and 2010-2011 are one block each.
        "gap": 16,
        "train": 420 - 60 - 24 - 36 - 16,
    }


@pytest.mark.parametrize(
    ("month", "split"),
    [
        ("1996-11", "train"),
        ("1996-12", "gap"),
        ("1997-01", "test"),
        ("1997-12", "test"),
        ("1998-01", "test"),
        ("1998-12", "test"),
        ("1999-01", "gap"),
        ("1999-02", "train"),
        ("1985-01", "gap"),
        ("1985-12", "gap"),
        ("2004-06", "validation"),
        ("1993-06", "calibration"),
        ("1850-06", "train"),
    ],
)
def test_months_of_the_design(month, split):
    assert DESIGN.of(month) == split


@given(st.lists(st.integers(1900, 2000), min_size=1, max_size=9, unique=True), st.data())
def test_train_never_touches_a_month_held_out(years, data):
    split_of = [data.draw(st.sampled_from(["test", "validation", "calibration"])) for _ in years]
    splits = Splits(
        **{
            name: tuple(y for y, s in zip(years, split_of, strict=True) if s == name)
            for name in ("test", "validation", "calibration")
        }
    )
    months = np.arange("1899-01", "2002-01", dtype="datetime64[M]")
    found = [splits.of(month_name(month)) for month in months]
    for before, after in itertools.pairwise(found):
        if "train" in (before, after):
            assert {before, after} <= {"train", "gap"}
    for year, split in zip(years, split_of, strict=True):
        assert found[12 * (year - 1899) : 12 * (year - 1899) + 12] == [split] * 12
    assert found.count("gap") <= 2 * len(years), "no month is wasted"


def test_select_masks_time_stamps():
    time = MONTHS.astype("datetime64[ns]") + np.timedelta64(14, "D")
    mask = DESIGN.select(time, ["test"])
    assert mask.dtype == bool
    assert {str(t)[:4] for t in time[mask]} == {"1989", "1997", "1998", "2010", "2011"}
    assert np.array_equal(
        DESIGN.select(time, ["train", "gap"]),
        ~DESIGN.select(time, ["test", "validation", "calibration"]),
    )


def test_no_held_out_years_is_all_train():
    assert Splits().select(MONTHS, ["train"]).all()


def test_a_year_in_two_splits_is_refused_by_name():
    with pytest.raises(ValueError, match="1997"):
        Splits(test=(1989, 1997), validation=(1997,))


def test_json_round_trip():
    assert Splits.from_dict(json.loads(json.dumps(DESIGN.to_dict()))) == DESIGN


def test_calendar_months_of_any_resolution_and_before_1970():
    days = np.array(["1969-12-31", "1970-01-01", "1900-02-15", "2013-12-15"], dtype="datetime64[D]")
    assert MONTH.calendar_months(days).tolist() == [12, 1, 2, 12]
    assert MONTH.calendar_months(days.astype("datetime64[ns]")).tolist() == [12, 1, 2, 12]
    assert month_name(days[0]) == "1969-12"
