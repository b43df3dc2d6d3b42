"""The years of a member, one after the other, each from the state that the last one left."""

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

# The half year before the first January is the model's own way from rest to its climate.
SPIN_UP_MONTHS = 6


class Atmosphere(Protocol):
    """What a run needs of a model: :class:`mlda_core.simulate.gcm.Gcm`."""

    def forcing(self, surface: xr.Dataset) -> Any:
        """Return what :meth:`day` wants."""

    def day(self, forcing: Any) -> dict[str, Float]:
        """Simulate a day and return its means."""

    def save(self, path: Path) -> None:
        """Write what a run goes on from."""

    def load(self, path: Path) -> None:
        """Go on from such a file."""

    def rest(self, seed: int) -> None:
        """Go back to the start: at rest, with noise of its own for each seed."""


@dataclass(frozen=True)
class Plan:
    """What every member of an experiment shares.

    Parameters
    ----------
    folder : Path
        Of :func:`mlda_core.simulate.files.begin`.
    first, last : int
        Years, both included.
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
        """The day ``YYYY-MM-DD`` on which the model starts from rest."""
        return f"{self.first - 1:04d}-{13 - SPIN_UP_MONTHS:02d}-01"

    def months_to_do(self, member: int) -> int:
        """Return how many months a member's run will simulate, the spin-up's among them."""
        years = range(self.first, self.last + 1)
        missing = [y for y in years if not files.year_file(self.folder, member, y).exists()]
        if not missing:
            return 0
        start = files.start_of(self.folder, member, self.first, missing[0])
        # Where a state was lost, years that are there already lie on the way.
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
        The seed of its noise.
    model : Atmosphere
        Made to start on :attr:`Plan.start`; members may share it, one after the other.
    tick : callable
        Is told the months simulated so far, after each day.

    Returns
    -------
    int
        Months simulated.

    Raises
    ------
    SimulationError
        If the model blew up, or a state to go on from is damaged.
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
        """Tell the part of the month under way."""
        self._tick(self.months + part)

    def month(self) -> None:
        """Count a month that is done."""
        self.months += 1


def _year(plan: Plan, member: int, year: int, model: Atmosphere, count: _Count) -> None:
    surface = plan.sea.surface(year)
    forcing = model.forcing(surface)
    means = [_month(model, forcing, f"{year:04d}-{m:02d}", count) for m in range(1, 13)]
    fields = {name: np.stack([m[name] for m in means]) for name in means[0]}
    fields["tos"] = plan.sea.monthly(surface, year)
    # First what the next year starts from, then the year: where its file is, that is too.
    model.save(files.restart_file(plan.folder, member, year + 1))
    path = files.year_file(plan.folder, member, year)
    if not path.exists():
        boundary = plan.sea.boundary
        about = {**plan.about, "member": member}
        ordered = {name: fields[name] for name in files.VARIABLES if name in fields}
        files.write_year(path, ordered, boundary.land, boundary.grid, about)
    files.restart_file(plan.folder, member, year).unlink(missing_ok=True)


def _month(model: Atmosphere, forcing: Any, month: str, count: _Count) -> dict[str, Float]:
    """Simulate a month and return the means over its days."""
    days = calendar.monthrange(int(month[:4]), int(month[5:]))[1]
    total: dict[str, Float] = {}
    for day in range(days):
        for name, value in model.day(forcing).items():
            total[name] = value if name not in total else total[name] + value
        count.day((day + 1) / days)
    count.month()
    return {name: value / days for name, value in total.items()}
