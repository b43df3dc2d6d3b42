"""Simulate a member year by year, each from the previous one's restart file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mlda_core.climate.time_step import DAY, MONTH, TimeStep
from mlda_core.simulate import files
from mlda_core.simulate.sea import Sea

Float = NDArray[np.float64]

# Spin-up from rest: half a year before the first January, not written.
SPIN_UP_MONTHS = 6


class Atmosphere(Protocol):
    """Interface required of a model: :class:`mlda_core.simulate.gcm.Gcm`."""

    def forcing(self, surface: xr.Dataset) -> Any:
        """Return the argument of :meth:`day`."""

    def day(self, forcing: Any) -> dict[str, Float]:
        """Simulate one day and return its means."""

    def state(self, forcing: Any) -> dict[str, Float]:
        """Simulate one day and return the state at its end, and its mean rain."""

    def save(self, path: Path) -> None:
        """Write a restart file."""

    def load(self, path: Path) -> None:
        """Resume from a restart file."""

    def rest(self, seed: int) -> None:
        """Reset to the initial state: at rest, with noise that depends on the seed."""


@dataclass(frozen=True)
class Plan:
    """Settings common to all members of an experiment.

    Parameters
    ----------
    folder : Path
        From :func:`mlda_core.simulate.files.begin`.
    first, last : int
        Years, inclusive.
    sea : Sea
    about : mapping
        Global attributes of the files.
    step : TimeStep
        Monthly means, or the state at 00 UTC of every day.
    """

    folder: Path
    first: int
    last: int
    sea: Sea
    about: Mapping[str, Any] = field(default_factory=dict)
    step: TimeStep = MONTH

    @property
    def start(self) -> str:
        """The day ``YYYY-MM-DD`` of the initial state."""
        return f"{self.first - 1:04d}-{13 - SPIN_UP_MONTHS:02d}-01"

    def months_to_do(self, member: int) -> int:
        """Return the number of months that a member's run will simulate, spin-up included."""
        years = range(self.first, self.last + 1)
        missing = [
            y for y in years if not files.year_file(self.folder, member, y, self.step).exists()
        ]
        if not missing:
            return 0
        start = files.start_of(self.folder, member, self.first, missing[0], self.step)
        # If a restart file was lost, some existing years are simulated again.
        months = 12 * (missing[-1] - (start or self.first) + 1)
        return months + (SPIN_UP_MONTHS if start is None else 0)


def run_member(
    plan: Plan,
    member: int,
    model: Atmosphere,
    tick: Callable[[float], None] = lambda _months: None,
) -> int:
    """Simulate the years that a member lacks.

    Parameters
    ----------
    plan : Plan
    member : int
        Number of the member, the seed of its noise.
    model : Atmosphere
        Initialised on :attr:`Plan.start`; members may use it in succession.
    tick : callable
        Called with the months simulated so far, after each day.

    Returns
    -------
    int
        Months simulated.

    Raises
    ------
    SimulationError
        If the model blew up, or a restart file is damaged.
    """
    folder, first, step = plan.folder, plan.first, plan.step
    count = _Count(tick)
    at: int | None = None
    while (missing := files.next_year(folder, member, first, plan.last, step)) is not None:
        start = files.start_of(folder, member, first, missing, step)
        if start is None:
            model.rest(member)
            forcing = model.forcing(plan.sea.surface(first - 1))
            for days in _by_month(np.datetime64(plan.start, "D"), files.first_day(first, step)):
                for _ in _fields(plan, model, forcing, days, count):
                    pass
            model.save(files.restart_file(folder, member, first, step))
            at = first
            continue
        if at != start:
            model.load(files.restart_file(folder, member, start, step))
        _year(plan, member, start, model, count)
        at = start + 1
    return count.months


class _Count:
    """Months simulated so far."""

    def __init__(self, tick: Callable[[float], None]) -> None:
        self.months, self._tick = 0, tick

    def day(self, part: float) -> None:
        """Report the fraction of the current month."""
        self._tick(self.months + part)

    def month(self) -> None:
        """Count a completed month."""
        self.months += 1


def _by_month(first: np.datetime64, end: np.datetime64) -> list[NDArray[np.datetime64]]:
    """Return the days from one to before another, a twelfth of a year in each array."""
    days = np.arange(first, end)
    # Daily files begin with 31 December: months of days that end before a month does.
    shifted = (days + int(str(end)[5:] != "01-01")).astype("datetime64[M]")
    return np.split(days, np.flatnonzero(np.diff(shifted)) + 1)


def _year(plan: Plan, member: int, year: int, model: Atmosphere, count: _Count) -> None:
    surface, step = plan.sea.surface(year), plan.step
    forcing = model.forcing(surface)
    made: list[dict[str, Float]] = []
    for days in _by_month(files.first_day(year, step), files.first_day(year + 1, step)):
        simulated = _fields(plan, model, forcing, days, count)
        made += simulated if step is DAY else [_mean(simulated, days.size)]
    fields = {name: np.stack([m[name] for m in made]) for name in made[0]}
    if step is MONTH:
        fields["tos"] = plan.sea.monthly(surface, year)
    # Restart file first, then the year: so every year's file has its successor's restart file.
    model.save(files.restart_file(plan.folder, member, year + 1, step))
    path = files.year_file(plan.folder, member, year, step)
    if not path.exists():
        boundary = plan.sea.boundary
        about = {**plan.about, "member": member}
        ordered = {name: fields[name] for name in files.VARIABLES if name in fields}
        files.write_year(path, ordered, boundary.land, boundary.grid, about, step)
    files.restart_file(plan.folder, member, year, step).unlink(missing_ok=True)


def _fields(
    plan: Plan, model: Atmosphere, forcing: Any, days: NDArray[np.datetime64], count: _Count
) -> Iterator[dict[str, Float]]:
    """Simulate the days of a month, and yield each day's means or the state at its end."""
    simulate = model.state if plan.step is DAY else model.day
    for number in range(1, days.size + 1):
        fields = simulate(forcing)
        count.day(number / days.size)
        yield fields
    count.month()


def _mean(fields: Iterable[dict[str, Float]], days: int) -> dict[str, Float]:
    """Return the mean of a month's days."""
    total: dict[str, Float] = {}
    for day in fields:
        for name, value in day.items():
            total[name] = value if name not in total else total[name] + value
    return {name: value / days for name, value in total.items()}
