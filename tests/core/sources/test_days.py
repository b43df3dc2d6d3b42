"""Which day a gridded file means: bounds, stamps, states, calendars, and what is asked."""

import re

import cftime
import numpy as np
import pytest
import xarray as xr
from refusals import one_sentence

from mlda_core.sources import SourceError
from mlda_core.sources.days import days_of

SINCE = "days since 1984-02-27"
FOUR = ["1984-02-27", "1984-02-28", "1984-02-29", "1984-03-01"]
NEXT = ["1984-02-28", "1984-02-29", "1984-03-01", "1984-03-02"]
DAYS = np.arange(4.0)


def axis(values, *, bounds=None, **attrs):
    """A time axis that is not decoded, with bounds beside it."""
    data = xr.Dataset(coords={"time": ("time", np.asarray(values), {"units": SINCE, **attrs})})
    if bounds is not None:
        data["time_bnds"] = (("time", "bnds"), np.stack([np.asarray(b, float) for b in bounds], 1))
    return data


def read(data, **how):
    return [str(day) for day in days_of(data, "time", "f.nc", **how).names]


@pytest.mark.parametrize(
    ("data", "how", "days"),
    [
        # Within the day nothing is left open.
        (axis(DAYS + 0.5), {}, FOUR),
        (axis(DAYS + 23.5 / 24), {}, FOUR),
        # Bounds win over stamps: CESM stamps days at their end.
        (axis(DAYS + 1, bounds=(DAYS, DAYS + 1)), {}, FOUR),
        (axis(DAYS, bounds=(DAYS, DAYS + 1)), {"stamp": "end"}, FOUR),
        # cdo daymean of hourly and of six-hourly data.
        (axis(DAYS, bounds=(DAYS, DAYS + 23 / 24)), {}, FOUR),
        (axis(DAYS, bounds=(DAYS, DAYS + 18 / 24)), {}, FOUR),
        # Rain from 9 to 9 is of the day that has most of it.
        (axis(DAYS, bounds=(DAYS + 9 / 24, DAYS + 33 / 24)), {}, FOUR),
        # What the axis, its provider or the user says.
        (axis(DAYS), {"stamp": "start"}, FOUR),
        (axis(DAYS + 1), {"stamp": "end"}, FOUR),
        (axis(DAYS + 0.5), {"stamp": "middle"}, FOUR),
        (axis(DAYS), {"begins": "era5"}, FOUR),
        (axis(DAYS + 1, long_name="time at end of period"), {}, FOUR),
        (axis(DAYS, delta_t="0000-00-01 00:00:00", avg_period="0000-00-01 00:00:00"), {}, FOUR),
        (axis([19840227, 19840228, 19840229, 19840301], units=""), {}, FOUR),
        # A state is of the day that it begins, whatever bounds are beside it.
        (axis(DAYS), {"cell": "point"}, FOUR),
        (axis(DAYS, bounds=(DAYS - 1, DAYS)), {"cell": "point"}, FOUR),
        (axis(DAYS * 24, units="hours since 1984-02-27"), {"cell": "point"}, FOUR),
        # A year without 29 February.
        (axis(DAYS + 0.5, units="days since 1983-02-27"), {}, ["1983-02-27", "1983-02-28",
                                                               "1983-03-01", "1983-03-02"]),
        (axis(DAYS + 0.5, calendar="noleap"), {}, [*FOUR[:2], "1984-03-01", "1984-03-02"]),
        (axis(DAYS + 0.5, calendar="365_day"), {}, [*FOUR[:2], "1984-03-01", "1984-03-02"]),
        (axis(DAYS + 0.5, calendar="proleptic_gregorian"), {}, FOUR),
    ],
)  # fmt: skip
def test_the_days_are_found(data, how, days):
    assert read(data, **how) == days


@pytest.mark.parametrize(
    ("data", "how", "words"),
    [
        (axis(DAYS), {}, "1984-02-27, and nothing tells.*--stamp start or --stamp end"),
        (axis(DAYS + 0.5), {"stamp": "start"}, "1984-02-27 12:00, which is not the start of a day"),
        (axis(DAYS), {"stamp": "middle"}, "is not the middle of a day"),
        (axis(DAYS / 4), {}, "1984-02-27 4 times; give one field a day"),
        (axis(DAYS / 4 + 0.1), {}, "1984-02-27 4 times"),
        (axis(DAYS / 4), {"cell": "point"}, "the state of 1984-02-27 06:00.*cdo selhour,0"),
        (axis(DAYS + 0.5), {"cell": "point"}, "cdo selhour,0"),
        (axis([0.5, 1.5, 1.5]), {}, "1984-02-28 2 times"),
        (axis([0.0, 1.0, 1.0]), {"cell": "point"}, "1984-02-28 2 times"),
        (axis(DAYS, bounds=(DAYS + 0.5, DAYS + 1.5)), {}, "half in one day and half in the next"),
        (axis(DAYS, bounds=(DAYS, DAYS + 0.25)), {}, "over 0.25 d, not over days; give daily"),
        (axis([2.0], bounds=([-26.0], [3.0])), {}, "over 29 d.*leave out --step day"),
        # Monthly files.
        (axis([0.0, 29, 60]), {"begins": "era5"}, "as monthly files have; leave out --step day"),
        (axis([0, 1, 2], units="months since 1984-01-15"), {}, "leave out --step day"),
        (axis([198401, 198402], units=""), {}, "leave out --step day"),
        (axis([1984.1, 1984.2], units="year A.D."), {}, "leave out --step day"),
        # Days that are not those of the standard calendar.
        (axis(DAYS, calendar="360_day"), {}, "calendar 360_day, whose days.*convert_calendar"),
        (axis(DAYS, calendar="julian"), {}, "calendar julian"),
        (axis(DAYS, calendar="all_leap"), {}, "calendar all_leap"),
        (axis([0.5, np.nan]), {}, "position 2 of 2.*take these days out"),
        (axis([]), {}, "no time; give a file with days|text"),
    ],
)  # fmt: skip
def test_what_is_refused(data, how, words):
    with pytest.raises(SourceError) as caught:
        days_of(data, "time", "f.nc", **how)
    assert re.search(words, one_sentence(caught.value))


@pytest.mark.parametrize(
    ("calendar", "year", "count"),
    [
        ("standard", 1984, 366),
        ("standard", 1900, 365),
        ("noleap", 1984, 365),
        ("standard", 2000, 366),
    ],
)
def test_a_year_has_all_its_days_once_and_in_order(calendar, year, count):
    units = "days since 1850-01-01"
    first = cftime.date2num(cftime.datetime(year, 1, 1, calendar=calendar), units, calendar)
    data = axis(first + np.arange(count) + 0.5, units=units, calendar=calendar)
    found = days_of(data, "time", "f.nc")
    assert found.names[0] == np.datetime64(f"{year}-01-01")
    assert found.names[-1] == np.datetime64(f"{year}-12-31")
    expected = np.arange(f"{year}-01-01", f"{year + 1}-01-01", dtype="datetime64[D]")
    np.testing.assert_array_equal(found.names, [day for day in expected if found.has(day)])
    # Amounts a month are divided by the calendar's own months.
    february = found.days[found.names.astype("datetime64[M]") == np.datetime64(f"{year}-02")]
    assert set(february) == {29.0 if count == 366 else 28.0}


def test_how_the_days_were_found_is_told():
    for data, how, told in (
        (axis(DAYS), {"cell": "point"}, "by the times of the states"),
        (axis(DAYS), {"begins": "era5"},
         "by era5's convention, at their start (else give --stamp end)"),
        (axis(DAYS, bounds=(DAYS, DAYS + 1)), {}, "by the bounds 'time_bnds'"),
        (axis(DAYS + 0.5), {}, "by stamps within the days"),
    ):  # fmt: skip
        assert days_of(data, "time", "f.nc", **how).told_by == told
