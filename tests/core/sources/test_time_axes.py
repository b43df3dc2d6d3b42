"""Time axes as days since 1600, in any encoding."""

import numpy as np
import pytest
import xarray as xr

from mlda_core.sources import SourceError
from mlda_core.sources.time_axes import axis_of


def axis(values, **attrs):
    return axis_of(xr.DataArray(np.asarray(values), dims="time", name="time", attrs=attrs), "f.nc")


def days(text):
    return (np.datetime64(text) - np.datetime64("1600-01-01")) / np.timedelta64(1, "D")


@pytest.mark.parametrize(
    ("values", "units", "form"),
    [
        ([10957.0], "days since 1970-01-01", "since"),
        ([262968.0], "hours since 1970-01-01", "since"),
        ([360], "months since 1970-01-01", "months"),
        ([30], "years since 1970-01-01", "years"),
        ([20000101], "day as %Y%m%d.%f", "day"),
        ([20000101], "1", "day"),
        ([2000.0], "year A.D.", "year"),
        ([2000.0], "decimal year", "year"),
    ],
)
def test_every_encoding_names_the_same_day(values, units, form):
    found = axis(values, units=units)
    assert found.form == form
    np.testing.assert_allclose(found.days(values), days("2000-01-01"))
    assert found.coarse == (form in {"years", "year"})
    assert not found.names_months


def test_a_month_written_as_a_number_is_its_middle():
    found = axis([200002], units="")
    assert found.names_months
    np.testing.assert_allclose(found.days([200002]), days("2000-02-01") + 14.5)


def test_days_are_those_of_the_calendar():
    for calendar, length in (("noleap", 365), ("360_day", 360), ("standard", 366), ("360", 360)):
        found = axis([0], units="days since 2000-01-01", calendar=calendar)
        year = axis([0, 1], units="years since 2000-01-01", calendar=calendar)
        np.testing.assert_allclose(np.diff(year.days([0, 1])), length)
        np.testing.assert_allclose(np.diff(found.days([0, length])), length)


def test_times_that_are_none_are_nan_and_the_others_stay():
    found = axis([0.0], units="days since 2000-01-01")
    fill, missing = 9.969209968386869e36, np.iinfo(np.int64).min
    read = found.days(np.array([0.0, np.nan, fill, float(missing), 1.0]))
    assert np.isnan(read).tolist() == [False, True, True, True, False]
    assert read[4] - read[0] == 1


def test_bounds_may_have_units_of_their_own():
    found = axis([0.0], units="days since 2000-01-01")
    np.testing.assert_allclose(found.days([24.0], "hours since 2000-01-01"), days("2000-01-02"))
    # Units without a date are the axis' own.
    np.testing.assert_allclose(found.days([1.0], "days"), days("2000-01-02"))


@pytest.mark.parametrize(
    ("values", "attrs", "words"),
    [
        (["2000-01"], {}, "text or other things than numbers"),
        ([0.5], {}, "no units on its time.*add them"),
        ([1.0], {"units": "days"}, "'days' on its time"),
        ([1.0], {"units": "fortnights since 2000-01-01"}, "fortnights.*correct the attributes"),
        ([1.0], {"units": "days since 2000-01-01", "calendar": "mayan"}, "'mayan'.*CF conventions"),
    ],
)
def test_what_cannot_be_read_is_told_with_the_remedy(values, attrs, words):
    with pytest.raises(SourceError, match=rf"^f\.nc .*{words}"):
        axis(values, **attrs)
