"""The time step of a dataset: months, or days.

Everything else follows from it: which times there are and what they are called, the season, which
times are consecutive. Days are those of the standard calendar, in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.errors import UserError
from mlda_core.climate.months import day_of, month_of

StepName = Literal["month", "day"]
Times = Sequence[str] | NDArray[np.datetime64] | NDArray[np.str_]

_COARSER = {"M": {"Y"}, "D": {"Y", "M", "W"}}


@dataclass(frozen=True)
class TimeStep:
    """A time step.

    Times are numpy's ``datetime64`` in the step's unit, or labels: ``1997-12``, ``1997-12-05``.

    Parameters
    ----------
    name : {"month", "day"}
        As configurations, options and messages call it.
    unit : {"M", "D"}
        Numpy's.
    frequency : {"mon", "day"}
        CMIP's word for it, the global attribute of a canonical dataset.
    form, example : str
        Of a label, for messages.
    """

    name: StepName
    unit: Literal["M", "D"]
    frequency: Literal["mon", "day"]
    form: str
    example: str

    def __str__(self) -> str:
        return self.name

    @property
    def adjective(self) -> str:
        """Its adjective: monthly, daily."""
        return "monthly" if self.unit == "M" else "daily"

    @property
    def plural(self) -> str:
        """Its name for several: months, days."""
        return f"{self.name}s"

    def parse(self, value: Any, *, day_first: bool | None = None) -> str:
        """Return the label of a date in any usual form.

        Parameters
        ----------
        value, day_first
            As for :func:`mlda_core.climate.months.month_of`.

        Raises
        ------
        MonthError
            If it is no date of this step; the message quotes it.
        """
        of = month_of if self.unit == "M" else day_of
        return of(value, day_first=day_first)

    def times(self, times: Times) -> NDArray[np.datetime64]:
        """Return labels or time stamps as times of this step.

        Parameters
        ----------
        times : sequence of str, or ndarray of datetime64
            Labels of this step, or stamps: each is of the month or day that it lies in.

        Returns
        -------
        ndarray of datetime64[M] or datetime64[D], of the same shape

        Raises
        ------
        UserError
            If a label is not one of this step, or the stamps' unit is longer than it.
        """
        given = np.asarray(times)
        if given.dtype.kind != "M":
            pattern = re.sub("[YMD]", "[0-9]", self.form)
            for text in given.ravel().tolist():
                if not re.fullmatch(pattern, str(text)):
                    raise UserError(
                        f"'{text}' is not a {self.name}; write it as {self.form}, such as "
                        f"{self.example}."
                    )
            try:
                return given.astype(str).astype(f"datetime64[{self.unit}]")
            except ValueError as error:
                raise UserError(
                    f"There is no such date ({error}); write a {self.name} as {self.form}, such "
                    f"as {self.example}."
                ) from error
        if np.datetime_data(given.dtype)[0] in _COARSER[self.unit]:
            raise UserError(
                f"{given.ravel()[0]} is longer than a {self.name}; write it as {self.form}, such "
                f"as {self.example}."
            )
        return given.astype(f"datetime64[{self.unit}]")

    def label(self, time: np.datetime64) -> str:
        """Return the label of a time or time stamp: ``1997-12`` or ``1997-12-05``."""
        return str(self.times(np.asarray(time)[None])[0])

    def labels(self, times: Times) -> list[str]:
        """Return the labels of times or time stamps."""
        return [str(time) for time in self.times(times).ravel()]

    def calendar_months(self, times: Times) -> NDArray[np.int64]:
        """Return calendar months 1..12, same shape."""
        return self.times(times).astype("datetime64[M]").astype(np.int64) % 12 + 1

    def phase(self, times: Times) -> NDArray[np.float64]:
        """Return the middle of each step as a fraction of its year, in [0, 1).

        Months count as twelfths, so a calendar month is the same season in every year; days are
        fractions of 365 or 366.

        Parameters
        ----------
        times : sequence of str, or ndarray of datetime64

        Returns
        -------
        ndarray of float, of the same shape
        """
        read = self.times(times)
        year = read.astype("datetime64[Y]")
        begin = year.astype(read.dtype)
        length = (year + 1).astype(read.dtype) - begin
        return ((read - begin).astype(np.float64) + 0.5) / length.astype(np.float64)

    def consecutive(self, times: Times) -> NDArray[np.bool_]:
        """Return for each time but the first whether it is the step after the one before it.

        Parameters
        ----------
        times : sequence of str, or ndarray of datetime64, shape (n,)

        Returns
        -------
        ndarray of bool, shape (n - 1,)
        """
        return np.asarray(np.diff(self.times(times)) == np.timedelta64(1, self.unit))

    def between(self, first: Any, last: Any) -> NDArray[np.datetime64]:
        """Return all times from one to another, both included.

        Parameters
        ----------
        first, last
            Labels, times or stamps.

        Returns
        -------
        ndarray of datetime64[M] or datetime64[D]
            Empty if the last is before the first.
        """
        begin, end = (self.times(np.asarray(time)[None])[0] for time in (first, last))
        return np.arange(begin, end + 1)

    def bounds(self, times: Times) -> NDArray[np.datetime64]:
        """Return the beginning of each step and of the next, shape (n, 2), datetime64[ns]."""
        begin = self.times(times)
        return np.stack([begin, begin + 1], axis=-1).astype("datetime64[ns]")


MONTH = TimeStep("month", "M", "mon", "YYYY-MM", "1997-12")
DAY = TimeStep("day", "D", "day", "YYYY-MM-DD", "1997-12-05")
STEPS: dict[str, TimeStep] = {step.name: step for step in (MONTH, DAY)}


def time_step(name: str) -> TimeStep:
    """Return the time step of a name.

    Raises
    ------
    UserError
        If there is none.
    """
    if name not in STEPS:
        raise UserError(f"'{name}' is no time step; write {' or '.join(STEPS)}.")
    return STEPS[name]
