"""Months and days: their names, seasons and order."""

import datetime as dt

import cftime
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from mlda_core.climate.errors import UserError
from mlda_core.climate.months import MonthError
from mlda_core.climate.time_step import DAY, MONTH, STEPS, time_step


def test_a_step_is_known_by_its_name():
    assert [time_step(name) for name in ("month", "day")] == [MONTH, DAY]
    assert [f"{step} {step.plural} {step.frequency}" for step in STEPS.values()] == [
        "month months mon",
        "day days day",
    ]
    for step in STEPS.values():
        assert step.parse(step.example) == step.example
    with pytest.raises(UserError, match=r"^'hour' is no time step; write month or day\.$"):
        time_step("hour")


def test_labels_are_those_of_times_and_stamps():
    stamps = np.array(["1984-02-29T00", "1997-12-05T23:59"], "datetime64[ns]")
    assert MONTH.labels(stamps) == ["1984-02", "1997-12"]
    assert DAY.labels(stamps) == ["1984-02-29", "1997-12-05"]
    assert DAY.label(stamps[1]) == "1997-12-05"
    assert MONTH.label(np.datetime64("1997-12-31")) == "1997-12"
    for step in STEPS.values():
        times = step.times(step.labels(stamps))
        assert times.dtype == f"datetime64[{step.unit}]"
        assert step.labels(times) == step.labels(stamps)


@pytest.mark.parametrize(
    ("step", "times", "said"),
    [
        (DAY, ["1997-12"], "'1997-12' is not a day; write it as YYYY-MM-DD, such as 1997-12-05."),
        (MONTH, ["1997-12-05"], "'1997-12-05' is not a month; write it as YYYY-MM, "),
        (DAY, ["1997-02-29"], "There is no such date"),
        (DAY, np.array(["1997-12"], "datetime64[M]"), "1997-12 is longer than a day; "),
        (MONTH, np.array(["1997"], "datetime64[Y]"), "1997 is longer than a month; "),
    ],
)
def test_nothing_is_guessed_of_a_time_of_another_step(step, times, said):
    with pytest.raises(UserError) as caught:
        step.times(times)
    assert str(caught.value).startswith(said)
    assert str(caught.value).endswith(f"such as {step.example}.")


@pytest.mark.parametrize(
    "value",
    [
        *("1997-12-05", "19971205", 19971205, 19971205.0, "1997/12/05", "05.12.1997", "1997120500"),
        *("5 Dec 1997", "December 5, 1997", "1997-12-05T10:00Z", "1997-12-05T23:00:00+05:00"),
        *(dt.date(1997, 12, 5), dt.datetime(1997, 12, 5, 10, tzinfo=dt.UTC), "1997 Dec 5"),
        *(pd.Timestamp("1997-12-05T23:59"), pd.Period("1997-12-05"), pd.Period("1997-12-05 10h")),
        *(np.datetime64("1997-12-05"), np.datetime64("1997-12-05T23:59", "ns")),
        *(cftime.DatetimeNoLeap(1997, 12, 5), cftime.DatetimeProlepticGregorian(1997, 12, 5, 12)),
        xr.DataArray(np.datetime64("1997-12-05T12", "ns")),
    ],
)
def test_a_day_is_read_in_any_usual_form(value):
    assert DAY.parse(value) == "1997-12-05"
    assert MONTH.parse(value) == "1997-12"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("1997-12", "is a month and no day; write it as YYYY-MM-DD"),
        (199712, "is a month and no day"),
        ("Dec 1997", "is a month and no day"),
        (np.datetime64("1997-12"), "is a month and no day"),
        ("1997", "is a year and no day"),
        (np.datetime64("1997"), "is a year and no day"),
        (pd.Period("1997-12"), "is longer than a day"),
        ("1997-02-29", "is a day that is in no calendar"),
        ("31.04.1997", "is a day that is in no calendar"),
        ("1997-12-32", "has a day that no month has"),
        ("1997-13-05", "is not a day"),
        ("soon", "is not a day"),
        (pd.NaT, "is not a day"),
        (None, "is not a day"),
        ([1, 2], "is not a day"),
        ("05/04/1997", "may have the day or the month first"),
        ("05-12-97", "has a year of two digits"),
        ("1997-12-05T23:00-05:00", "is in another day in UTC"),
        (pd.Timestamp("1997-12-05", tz="Europe/Zurich"), "is in another day in UTC"),
        (cftime.Datetime360Day(1997, 12, 5), "is of the calendar 360_day"),
        (cftime.DatetimeJulian(1997, 12, 5), "is of the calendar julian"),
        (cftime.DatetimeAllLeap(1997, 2, 29), "is a day that is in no calendar"),
    ],
)
def test_what_is_no_day_is_refused_in_a_sentence(value, said):
    with pytest.raises(MonthError, match=r"^'.*' .*\.$") as caught:
        DAY.parse(value)
    assert said in str(caught.value)


def test_the_order_of_day_and_month_can_be_said():
    assert DAY.parse("05/04/1997", day_first=True) == "1997-04-05"
    assert DAY.parse("05/04/1997", day_first=False) == "1997-05-04"
    assert DAY.parse("31/12/1997") == DAY.parse("12/31/1997") == "1997-12-31"


def test_seasons_run_through_the_year_once():
    months = MONTH.between("1983-01", "1984-12")
    np.testing.assert_allclose(MONTH.phase(months), np.tile((np.arange(12) + 0.5) / 12, 2))
    for year, length in ((1983, 365), (1984, 366), (1900, 365), (2000, 366)):
        days = DAY.between(f"{year}-01-01", f"{year}-12-31")
        season = DAY.phase(days)
        np.testing.assert_allclose(season, (np.arange(length) + 0.5) / length)
        # The season of a day and of its month agree to half a month.
        assert np.abs(season - MONTH.phase(days)).max() < 0.05
        assert season.min() >= 0
        assert season.max() < 1
    # Of stamps before 1970 as well, and whatever the hour.
    np.testing.assert_allclose(
        DAY.phase(np.array(["1969-12-31T23"], "datetime64[ns]")), 364.5 / 365
    )


def test_calendar_months_of_both_steps():
    days = DAY.between("1967-12-30", "1968-03-02")
    assert set(DAY.calendar_months(days).tolist()) == {12, 1, 2, 3}
    assert DAY.calendar_months(days).tolist().count(2) == 29
    assert MONTH.calendar_months(["1967-12", "1968-01"]).tolist() == [12, 1]


def test_consecutive_times_and_those_between():
    days = DAY.between("1984-02-28", np.datetime64("1984-03-01T00", "ns"))
    assert DAY.labels(days) == ["1984-02-28", "1984-02-29", "1984-03-01"]
    assert DAY.consecutive(days).tolist() == [True, True]
    assert DAY.consecutive(["1983-02-28", "1983-03-01", "1983-03-03", "1983-03-03"]).tolist() == [
        True,
        False,
        False,
    ]
    assert MONTH.consecutive(["1983-12", "1984-01", "1984-03"]).tolist() == [True, False]
    assert DAY.between("1984-03-01", "1984-02-28").size == 0


def test_bounds_are_the_beginnings_of_a_step_and_of_the_next():
    assert MONTH.bounds(["1984-02"]).astype(str).tolist() == [
        ["1984-02-01T00:00:00.000000000", "1984-03-01T00:00:00.000000000"]
    ]
    bounds = DAY.bounds(["1984-02-29", "1984-12-31"]).astype("datetime64[h]").astype(str)
    assert bounds.tolist() == [
        ["1984-02-29T00", "1984-03-01T00"],
        ["1984-12-31T00", "1985-01-01T00"],
    ]
