"""Simulate a member year by year, each from the previous one's restart file."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import xarray as xr
from numpy.typing import NDArray

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
    """

    folder: Path
    first: int
    last: int
    sea: Sea
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def start(self) -> str:
        """The day ``YYYY-MM-DD`` of the initial state."""
        return f"{self.first - 1:04d}-{13 - SPIN_UP_MONTHS:02d}-01"

    def months_to_do(self, member: int) -> int:
        """Return the number of months that a member's run will simulate, spin-up included."""
        years = range(self.first, self.last + 1)
        missing = [y for y in years if not files.year_file(self.folder, member, y).exists()]
        if not missing:
            return 0
        start = files.start_of(self.folder, member, self.first, missing[0])
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
    folder, first = plan.folder, plan.first
    count = _Count(tick)
    at: int | None = None
    while (missing := files.next_year(folder, member, first, plan.last)) is not None:
        start = files.start_of(folder, member, first, missing)
        if start is None:
            model.rest(member)
            forcing = model.forcing(plan.sea.surface(first - 1))
            for month in range(13 - SPIN_UP_MONTHS, 13):
                _month(model, forcing, f"{first - 1:04d}-{month:02d}", count)
            model.save(files.restart_file(folder, member, first))
            at = first
            continue
        if at != start:
            model.load(files.restart_file(folder, member, start))
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


def _year(plan: Plan, member: int, year: int, model: Atmosphere, count: _Count) -> None:
    surface = plan.sea.surface(year)
    forcing = model.forcing(surface)
    means = [_month(model, forcing, f"{year:04d}-{m:02d}", count) for m in range(1, 13)]
    fields = {name: np.stack([m[name] for m in means]) for name in means[0]}
    fields["tos"] = plan.sea.monthly(surface, year)
    # Restart file first, then the year: so every year's file has its successor's restart file.
    model.save(files.restart_file(plan.folder, member, year + 1))
    path = files.year_file(plan.folder, member, year)
    if not path.exists():
        boundary = plan.sea.boundary
        about = {**plan.about, "member": member}
        ordered = {name: fields[name] for name in files.VARIABLES if name in fields}
        files.write_year(path, ordered, boundary.land, boundary.grid, about)
    files.restart_file(plan.folder, member, year).unlink(missing_ok=True)


def _month(model: Atmosphere, forcing: Any, month: str, count: _Count) -> dict[str, Float]:
    """Simulate a month and return its daily means averaged."""
    days = calendar.monthrange(int(month[:4]), int(month[5:]))[1]
    total: dict[str, Float] = {}
    for day in range(days):
        for name, value in model.day(forcing).items():
            total[name] = value if name not in total else total[name] + value
        count.day((day + 1) / days)
    count.month()
    return {name: value / days for name, value in total.items()}
