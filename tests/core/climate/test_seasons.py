"""Seasons of months and of days."""

import numpy as np
import pytest

from mlda_core.climate.errors import StateError
from mlda_core.climate.seasons import DAILY, MONTHLY, seasons_of, seasons_of_label


def test_a_date_is_the_same_season_in_every_year():
    for day in ("01-01", "02-28", "03-01", "12-31"):
        found = {DAILY.of(f"{year}-{day}") for year in (1996, 1997, 1900, 2000)}
        assert len(found) == 1
    assert (DAILY.of("1997-01-01"), DAILY.of("1996-02-29"), DAILY.of("1997-12-31")) == (1, 60, 366)
    assert MONTHLY.of("1997-12") == 12


def test_seasons_of_stamps_are_those_of_their_labels():
    times = np.arange("1995-12-30", "1997-03-02", dtype="datetime64[D]")
    assert DAILY.of_times(times).tolist() == [DAILY.of(str(t)) for t in times]
    assert MONTHLY.of_times(times).tolist() == [int(str(t)[5:7]) for t in times]
    # Without the 29th of February one season is left out, and no other.
    year = DAILY.of_times(times[(times >= np.datetime64("1997-01-01"))])
    assert sorted({*range(1, 62)} - set(year.tolist())) == [60]


def test_a_day_is_in_its_calendar_month():
    times = np.arange("1996-01-01", "1997-01-01", dtype="datetime64[D]")
    months = times.astype("datetime64[M]").astype(int) % 12 + 1
    assert DAILY.calendar_months(DAILY.of_times(times)).tolist() == months.tolist()
    assert MONTHLY.calendar_month(7) == 7


def test_the_30th_of_february_counts_as_the_29th():
    months, days = np.array([2, 2, 2, 3]), np.array([28, 29, 30, 1])
    assert DAILY.of_dates(months, days).tolist() == [59, 60, 60, 61]


def test_the_middle_of_a_season_is_a_fraction_of_the_year():
    assert MONTHLY.phase(np.array([1]))[0] == pytest.approx(0.5 / 12)
    assert DAILY.phase(DAILY.all).max() == pytest.approx(365.5 / 366)


@pytest.mark.parametrize(
    ("seasons", "given", "words"),
    [
        (MONTHLY, "1997-12-05", "'1997-12-05' is not a month; write it as YYYY-MM"),
        (DAILY, "1997-12", "'1997-12' is not a day; write it as YYYY-MM-DD"),
        (DAILY, "1997-02-30", "'1997-02-30' is not a day; write it as YYYY-MM-DD"),
        (DAILY, "0997-02-03", "is not within 1678 to 2261"),
    ],
)
def test_what_is_no_time_is_refused(seasons, given, words):
    with pytest.raises(StateError, match=words):
        seasons.of(given)
    assert not seasons.holds(given)


@pytest.mark.parametrize("given", [0, 367, 1.5, "x", None, float("nan")])
def test_what_is_no_season_is_refused(given):
    with pytest.raises(StateError, match=r"Day .* of the year is not within 1 to 366"):
        DAILY.checked(given)
    with pytest.raises(StateError, match=r"Calendar month .* is not within 1 to 12"):
        MONTHLY.checked(13)
    assert (DAILY.checked(366.0), MONTHLY.checked(np.int64(12))) == (366, 12)


def test_a_number_of_seasons_tells_the_step():
    assert seasons_of(12) is MONTHLY
    assert seasons_of(366) is DAILY
    with pytest.raises(ValueError, match="it has 4 seasons"):
        seasons_of(4)


def test_a_label_tells_its_seasons():
    assert seasons_of_label("1997-12") is MONTHLY
    assert seasons_of_label("1996-02-29") is DAILY
    assert [seasons_of_label(bad) for bad in ("1997-02-29", "1997", "", "1600-01")] == [None] * 4


def test_dates_are_labels_without_their_year():
    assert MONTHLY.dates == [f"{month:02d}" for month in range(1, 13)]
    assert len(DAILY.dates) == 366
    assert DAILY.dates.index("02-29") == DAILY.of("1996-02-29") - 1


def test_the_middles_are_one_season_a_month():
    assert MONTHLY.middles.tolist() == list(range(1, 13))
    assert DAILY.calendar_months(DAILY.middles).tolist() == list(range(1, 13))
    assert DAILY.middles[:2].tolist() == [15, 46]
