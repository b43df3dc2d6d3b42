"""The seasons of a time step: what a model's statistics depend on besides the place.

A season is a whole number from 1: of months the calendar month, of days the day of a leap year,
so that a date is the same season in every year.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.errors import StateError, UserError
from mlda_core.climate.splits import YEARS
from mlda_core.climate.time_step import DAY, MONTH, TimeStep

# Days of a leap year, as dates.
_LEAP = np.arange("2000-01-01", "2001-01-01", dtype="datetime64[D]")
_OF_LEAP = _LEAP.astype("datetime64[M]").astype(np.int64) % 12 + 1
_MONTHS = np.arange(1, 13)


@dataclass(frozen=True)
class Seasons:
    """The seasons of a time step.

    Parameters
    ----------
    step : TimeStep
    """

    step: TimeStep

    @property
    def count(self) -> int:
        """Number of seasons: 12, or 366."""
        return 12 if self.step is MONTH else _LEAP.size

    @property
    def all(self) -> NDArray[np.int64]:
        """Every season, ascending."""
        return np.arange(1, self.count + 1)

    @property
    def middles(self) -> NDArray[np.int64]:
        """A season in the middle of each calendar month, shape (12,)."""
        return self.of_dates(_MONTHS, np.full(12, 15))

    @property
    def dates(self) -> list[str]:
        """What follows the year in the label of each season's time: 01 to 12, 01-01 to 12-31."""
        return [label[5:] for label in self.step.labels(np.unique(self.step.times(_LEAP)))]

    def name(self, season: Any) -> str:
        """Return what a season is called in messages: calendar month 7, day 182 of the year."""
        return f"calendar month {season}" if self.step is MONTH else f"day {season} of the year"

    def holds(self, label: str) -> bool:
        """Whether a text is a time of this step that :meth:`of` takes."""
        try:
            self.of(label)
        except StateError:
            return False
        return True

    def of(self, label: str) -> int:
        """Return the season of a time, ``YYYY-MM`` or ``YYYY-MM-DD``.

        Raises
        ------
        StateError
            If it is no time of this step, or its year is outside the range of time stamps.
        """
        season = self.of_any_year(label)
        if not YEARS[0] <= int(str(label)[:4]) <= YEARS[1]:
            raise StateError(f"'{label}' is not within {YEARS[0]} to {YEARS[1]}; choose another.")
        return season

    def of_any_year(self, label: str) -> int:
        """Return the season of a time of any year, as a table of observations may have it.

        Raises
        ------
        StateError
            If it is no time of this step.
        """
        try:
            time = self.step.times([str(label)])
        except UserError as error:
            raise StateError(
                f"'{label}' is not a {self.step.name}; write it as {self.step.form}, such as "
                f"{self.step.example}."
            ) from error
        return int(self.of_times(time)[0])

    def of_times(self, times: NDArray[np.datetime64]) -> NDArray[np.int64]:
        """Return the seasons of time stamps, same shape."""
        days = (times.astype("datetime64[D]") - times.astype("datetime64[M]")).astype(np.int64) + 1
        return self.of_dates(MONTH.calendar_months(times), days)

    def of_time(self, time: Any) -> NDArray[np.int64]:
        """Return the season of one time, a label or a time stamp, shape (1,)."""
        return self.of_times(np.asarray([time], f"datetime64[{self.step.unit}]"))

    def of_dates(self, months: NDArray[np.int64], days: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the seasons of calendar months 1..12 and days of the month, same shape.

        Of a calendar with 30 days in February the last two count as the 29th.
        """
        if self.step is MONTH:
            return np.asarray(months)
        first = _OF_LEAP.searchsorted(months)
        after = np.append(_OF_LEAP.searchsorted(np.arange(2, 13)), _LEAP.size)[months - 1]
        return np.asarray(np.minimum(first + days, after))

    def calendar_months(self, seasons: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the calendar months 1..12 of seasons, same shape."""
        known = _MONTHS if self.step is MONTH else _OF_LEAP
        return np.asarray(known[np.asarray(seasons) - 1])

    def calendar_month(self, season: int) -> int:
        """Return the calendar month 1..12 of a season."""
        return int(self.calendar_months(np.array(season)))

    def calendar_month_of_time(self, time: Any) -> int:
        """Return the calendar month 1..12 of one time, a label or a time stamp."""
        return self.calendar_month(int(self.of_time(time)[0]))

    def phase(self, seasons: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the middle of seasons as fractions of the year, in (0, 1), same shape."""
        return np.asarray((np.asarray(seasons) - 0.5) / self.count)

    def checked(self, season: Any) -> int:
        """Validate a season: index -1 would silently mean December.

        Raises
        ------
        StateError
            If it is not within 1 to the number of seasons.
        """
        try:
            number = int(season)
            if number == season and 1 <= number <= self.count:
                return number
        except (TypeError, ValueError, OverflowError):
            pass
        raise StateError(
            f"{_capital(self.name(season))} is not within 1 to {self.count}; 1 stands for January"
            f"{'' if self.step is MONTH else ' the first'}."
        )


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]


MONTHLY, DAILY = Seasons(MONTH), Seasons(DAY)


def seasons_of_label(label: str) -> Seasons | None:
    """Return the seasons of the time step that a label is of; None where it is of neither."""
    return next((seasons for seasons in (MONTHLY, DAILY) if seasons.holds(label)), None)


def seasons_of(count: int) -> Seasons:
    """Return the seasons of which there are a number.

    Raises
    ------
    ValueError
        If it is neither 12 nor 366.
    """
    for seasons in (MONTHLY, DAILY):
        if seasons.count == count:
            return seasons
    raise ValueError(f"it has {count} seasons, and a year has 12 months or 366 days")
