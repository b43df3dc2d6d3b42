"""Which month a gridded file means: bounds, stamps, conventions, and what is asked."""

import re

import cftime
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from mlda_core.sources import SourceError
from mlda_core.sources.calendars import months_of

BEGINS = [0, 31, 60, 91]  # of January to April 2020, and of May
ENDS = [31, 60, 91, 121]
MIDDLES = [15.5, 45.5, 75.5, 106]
SINCE = "days since 2020-01-01"
JAN = ["2020-01", "2020-02", "2020-03", "2020-04"]
FEB = ["2020-02", "2020-03", "2020-04", "2020-05"]


def axis(values, *, name="time", bounds=None, bounds_name="time_bnds", bounds_attrs=None, **attrs):
    """A time axis that is not decoded, with bounds beside it."""
    values = np.asarray(values)
    data = xr.Dataset(coords={name: (name, values, {"units": SINCE, **attrs})})
    if bounds is not None:
        pairs = np.asarray(bounds)
        data[bounds_name] = ((name, "two"), pairs, bounds_attrs or {})
    return data


def pairs(low, high):
    return np.stack([np.asarray(low, float), np.asarray(high, float)], 1)


MONTHS = pairs(BEGINS, ENDS)
THREE = np.where([[1, 1]] * 3 + [[0, 0]], MONTHS, np.nan)
NANOSECONDS = (np.array(MIDDLES) * 86400e9).astype("i8")
NOON = MONTHS + np.array([0.5, -0.5])


def read(data, name="time", **how):
    return [str(month) for month in months_of(data, name, "f.nc", **how).names]


def refusal(data, name="time", **how):
    with pytest.raises(SourceError) as caught:
        months_of(data, name, "f.nc", **how)
    message = str(caught.value)
    assert message.startswith("f.nc ")
    assert message.endswith(".")
    assert "\n" not in message
    assert ". " not in message.replace("A.D. ", ""), "one sentence"
    return message


@pytest.mark.parametrize(
    ("data", "how"),
    [
        # What lies within its month needs nothing.
        (axis(MIDDLES), {}),
        (axis([0.25, 31.25, 60.25, 91.25]), {}),
        (axis([30, 59, 90, 120]), {}),
        # CESM: the end of the interval, bounds that the axis names.
        (axis(ENDS, bounds=MONTHS), {}),
        (axis(ENDS, bounds=MONTHS, bounds_name="time_bound"), {}),
        (axis(ENDS, bounds=MONTHS, bounds_name="time_bounds"), {}),
        (axis(ENDS, bounds=MONTHS, bounds_name="Time_Bounds"), {}),
        (axis(ENDS, bounds=MONTHS, bounds_name="bounds_time"), {}),
        (axis(ENDS, bounds=MONTHS, bounds_name="climatology_bounds"), {}),
        # An unusual name, found by shape and units.
        (axis(ENDS, bounds=MONTHS, bounds_name="cells", bounds_attrs={"units": SINCE}), {}),
        # GFDL writes 'days' alone there, others another date.
        (axis(ENDS, bounds=MONTHS, bounds_attrs={"units": "days"}), {}),
        (axis(ENDS, bounds=MONTHS + 365, bounds_attrs={"units": "days since 2019-01-01"}), {}),
        # cdo's of daily means: from noon of the first day to noon of the last.
        (axis(MIDDLES, bounds=NOON), {}),
        (axis(ENDS, bounds=NOON), {}),
        # Bounds win over a convention and over what the user says of stamps.
        (axis(ENDS, bounds=MONTHS), {"begins": "ncep"}),
        (axis(ENDS, bounds=MONTHS), {"stamp": "start"}),
        # Without any: the provider's convention, the axis' own words, the user's.
        (axis(BEGINS), {"begins": "ncep"}),
        (axis(BEGINS), {"stamp": "start"}),
        (axis(ENDS), {"stamp": "end"}),
        (axis([30, 59, 90, 120]), {"stamp": "end"}),
        (axis([-0.25, 30.75, 59.75, 90.75]), {"stamp": "start"}),
        (axis(MIDDLES), {"stamp": "middle"}),
        (axis(ENDS, long_name="time at end of interval"), {}),
        (axis(ENDS, long_name="end of the averaging period"), {"begins": "ncep"}),
        (axis(BEGINS, long_name="beginning of month"), {}),
        (axis(BEGINS, delta_t="0000-01-00 00:00:00", avg_period="0000-01-00 00:00:00"), {}),
        # A rounding before midnight is that midnight.
        (axis(np.array(BEGINS) - 1e-6), {"begins": "ncep"}),
        # Bounds that were never filled tell nothing.
        (axis(BEGINS, bounds=np.full((4, 2), 9.969209968386869e36)), {"begins": "ersst"}),
        (axis(MIDDLES, bounds=np.zeros((4, 2))), {}),
        (axis(BEGINS, bounds=THREE), {"stamp": "start"}),
        # Units of other kinds.
        (axis([0, 1, 2, 3], units="months since 2020-01-15"), {}),
        (axis([0.5, 1.5, 2.5, 3.5], units="months since 2020-01-01"), {}),
        (axis([720.5, 721.5, 722.5, 723.5], units="months since 1960-01-01", calendar="360"), {}),
        (axis([0, 1, 2, 3], units="months since 2020-01-01"), {"stamp": "start"}),
        (axis([1, 2, 3, 4], units="months since 2020-01-01"), {"stamp": "end"}),
        (axis([202001, 202002, 202003, 202004], units="1"), {}),
        (axis([202001, 202002, 202003, 202004], units="month as %Y%m.%f"), {}),
        (axis([20200115, 20200215, 20200315, 20200415], units=""), {}),
        (axis([20200101, 20200201, 20200301, 20200401], units="YYYYMMDD"), {"stamp": "start"}),
        (axis([20200201, 20200301, 20200401, 20200501], units="yyyymmdd"), {"stamp": "end"}),
        (axis([20200131.75, 20200229.75, 20200331.75, 20200430.75], units="day as %Y%m%d.%f"), {}),
        (
            axis(
                [20200201, 20200301, 20200401, 20200501],
                units="day as %Y%m%d.%f",
                bounds=[[20200101, 20200201], [20200201, 20200301], [20200301, 20200401],
                        [20200401, 20200501]],
            ),
            {},
        ),
        (axis(2020 + (np.arange(4) + 0.5) / 12, units="year A.D."), {}),
        (axis(2020 + (np.arange(4) + 0.5) / 12, units="decimal year"), {}),
        (axis(20 + (np.arange(4) + 0.5) / 12, units="years since 2000-01-01"), {}),
        (axis(2020 + np.arange(4) / 12, units="years"), {"stamp": "start"}),
        (axis(2020 + np.arange(1, 5) / 12, units="year"), {"stamp": "end"}),
        (axis(NANOSECONDS, units="nanoseconds since 2020-01-01"), {}),
    ],
)  # fmt: skip
def test_months_from_january(data, how):
    assert read(data, **how) == JAN


def test_a_named_bounds_variable_of_any_name():
    data = axis(ENDS, bounds=MONTHS, bounds_name="edges_of_it")
    data["time"].attrs["bounds"] = "edges_of_it"
    assert read(data) == JAN
    assert months_of(data, "time", "f.nc").told_by == "by the bounds 'edges_of_it'"


def test_two_variables_of_gfdl_are_bounds():
    data = axis(ENDS)
    data["average_T1"], data["average_T2"] = ("time", MONTHS[:, 0]), ("time", MONTHS[:, 1])
    assert read(data) == JAN


def test_what_told_is_said():
    assert "ncep's convention" in months_of(axis(BEGINS), "time", "f", begins="ncep").told_by
    assert "--stamp end" in months_of(axis(ENDS), "time", "f", stamp="end").told_by
    assert "within" in months_of(axis(MIDDLES), "time", "f").told_by


def test_lengths_are_those_of_the_calendar():
    for calendar, february in (("standard", 29), ("noleap", 28), ("360_day", 30), ("all_leap", 29)):
        data = axis([15, 44], calendar=calendar)
        np.testing.assert_array_equal(
            months_of(data, "time", "f").days, [30 if calendar == "360_day" else 31, february]
        )


@pytest.mark.parametrize(
    ("data", "how", "words"),
    [
        # Never guessed.
        (axis(BEGINS), {}, "2020-01-01, and nothing tells.*--stamp start or --stamp end"),
        (axis(ENDS), {}, "--stamp start or --stamp end"),
        (axis([15, 31, 75, 106]), {}, "2020-02-01, and nothing tells"),
        (axis([20200201, 20200301], units="1"), {}, "--stamp start or --stamp end"),
        (axis([0, 1, 2], units="months since 2020-01-01"), {}, "--stamp start or --stamp end"),
        (axis(2020 + np.arange(4) / 12, units="year A.D."), {}, "--stamp start or --stamp end"),
        (axis(2020 + (np.arange(4) + 0.8) / 12, units="year A.D."), {}, "nothing tells"),
        # What is said has to be so.
        (axis(MIDDLES), {"stamp": "start"}, "which is not the start of a month"),
        (axis(MIDDLES), {"stamp": "end"}, "which is not the end of a month"),
        (axis(BEGINS), {"stamp": "middle"}, "which is not the middle of a month"),
        # The reference time of a forecast of the month.
        (axis([-0.25, 30.75, 59.75]), {"begins": "era5"}, "2019-12-31 18:00.*valid_time"),
        # Bounds of no month.
        (axis(MIDDLES, bounds=pairs([0, 1, 2, 3], [1, 2, 3, 4])), {}, "over 1 d"),
        (axis(MIDDLES, bounds=pairs(BEGINS, [91, 121, 152, 182])), {}, "over 91 d"),
        (axis(MIDDLES, bounds=pairs([-11000] * 4, ENDS)), {}, "climatologies"),
        (axis(BEGINS, bounds=pairs(BEGINS, ENDS) - 15), {}, "no calendar month"),
        (axis(np.array(ENDS) + 4000, bounds=MONTHS), {}, "correct one of them"),
        # Times that are none, each by its position.
        (axis([15.5, np.nan, 75.5]), {}, "no readable time at position 2 of 3"),
        (axis([0, -(2**63), 31]), {}, "position 2 of 3"),
        (axis([15.5, 9.969209968386869e36, 1e20]), {}, "position 2 of 3 and at 1 others"),
        (axis(np.array([15, 45, -2147483647], "i4")), {}, "position 3 of 3"),
        (axis([202001, 202013], units="yyyymm"), {}, "position 2 of 2"),
        (axis([20200115, 20200231], units="yyyymmdd"), {}, "position 2 of 2"),
        (axis([15.5, 45.5], calendar="no such"), {}, "'no such'"),
        (axis([15.5, 45.5], units="fortnights since 2020-01-01"), {}, "fortnights"),
        (axis([15.5, 45.5], units="days"), {}, "'days' on its time"),
        (axis([15.5, 45.5], units=""), {}, "no units on its time"),
        (axis(["2020-01", "2020-02"]), {}, "text"),
        (axis(MIDDLES, units="days since 0001-01-01"), {}, "climatologies"),
        (axis([15.5, 15.6, 45.5]), {}, "2020-01 2 times"),
        (axis([]), {}, "no time|text"),
    ],
)  # fmt: skip
def test_what_is_refused(data, how, words):
    assert re.search(words, refusal(data, **how))


# Random calendars


CALENDARS = ["standard", "proleptic_gregorian", "noleap", "all_leap", "360_day", "julian"]
NAMES = ["time_bnds", "time_bounds", "time_bnd", "time_bound", "bounds_time", "odd"]
UNITS = ["days", "hours", "minutes", "seconds"]


@st.composite
def files(draw):
    """A file with months, and what it means: places of stamps, bounds, units."""
    calendar = draw(st.sampled_from(CALENDARS))
    first = 12 * draw(st.integers(1700, 2200)) + draw(st.integers(0, 11))
    count = draw(st.integers(1, 30))
    reference = cftime.datetime(draw(st.integers(1650, 2100)), 1, 1, calendar=calendar)
    word = draw(st.sampled_from(UNITS))
    units = f"{word} since {reference.year:04d}-01-01"

    def number(month):
        date = cftime.datetime(month // 12, month % 12 + 1, 1, calendar=calendar)
        return cftime.date2num(date, units, calendar)

    edges = np.array([number(first + i) for i in range(count + 1)], dtype=float)
    low, high = edges[:-1], edges[1:]
    place = draw(st.sampled_from(["start", "middle", "end"]))
    stamps = {"start": low, "middle": (low + high) / 2, "end": high}[place]
    bounds = np.stack([low, high], 1) if draw(st.booleans()) else None
    half = {"days": 0.5, "hours": 12, "minutes": 720, "seconds": 43200}[word]
    if bounds is not None and draw(st.booleans()):
        bounds = bounds + np.array([half, -half])
    name = draw(st.sampled_from(NAMES))
    data = axis(
        stamps,
        bounds=bounds,
        bounds_name=name,
        bounds_attrs={"units": units} if name == "odd" else {},
        units=units,
        calendar=calendar,
    )
    if bounds is not None and draw(st.booleans()):
        data["time"].attrs["bounds"] = name
    months = [f"{m // 12:04d}-{m % 12 + 1:02d}" for m in range(first, first + count)]
    return data, place, bounds is not None, months


@settings(max_examples=100, deadline=None)
@given(file=files(), stamp=st.sampled_from(["", "start", "end", "middle"]))
def test_the_month_is_right_or_the_file_is_refused(file, stamp):
    data, place, bounded, months = file
    how = {"stamp": stamp}
    if bounded or stamp == place or (not stamp and place == "middle"):
        assert read(data, **how) == months
    elif {stamp, place} == {"start", "end"}:
        # What nothing in the file contradicts is the user's to know.
        step = 1 if stamp == "start" else -1
        moved = (np.array(months, dtype="datetime64[M]") + step).astype(str).tolist()
        assert read(data, **how) == moved
    else:
        assert "--stamp" in refusal(data, **how), "never guessed, and no month beside it"


@settings(max_examples=100, deadline=None)
@given(
    values=st.lists(
        st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(), st.integers(-3000, 60000)),
        max_size=6,
    ),
    units=st.one_of(
        st.sampled_from([
            "days since 1900-01-01", "month as %Y%m.%f", "day as %Y%m%d.%f", "year A.D.",
            "months since 1900-01-01", "years since 1900-06-15", "", "1",
            "seconds since 1970-01-01",
        ]),
        st.text(st.characters(exclude_characters="."), max_size=20),
    ),
    calendar=st.one_of(
        st.sampled_from(CALENDARS), st.text(st.characters(exclude_characters="."), max_size=8)
    ),
)  # fmt: skip
def test_any_numbers_are_months_or_a_sentence(values, units, calendar):
    data = axis(np.array(values, dtype=float), units=units, calendar=calendar)
    try:
        found = months_of(data, "time", "f.nc")
    except SourceError:
        refusal(data)
    else:
        assert found.names.size == len(values)
        assert ((found.days >= 28) & (found.days <= 31)).all()
