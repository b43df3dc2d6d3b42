"""Provenance of canonical variables, shown so that a wrong guess is noticed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlda_core.climate.time_step import MONTH

if TYPE_CHECKING:
    from mlda_core.sources.series import Series


@dataclass(frozen=True)
class Origin:
    """Provenance of a canonical variable.

    Parameters
    ----------
    name : str
        Canonical.
    variables, units : tuple of str
        As in the files, without duplicates.
    files : tuple of str
        File names.
    first, last : str
        Times read, before the variables are cut to their common period.
    times_by : tuple of str
        How the months or days were determined.
    times : str
        What the times are: months, days (means over them) or states.
    """

    name: str
    variables: tuple[str, ...]
    units: tuple[str, ...]
    files: tuple[str, ...]
    first: str
    last: str
    times_by: tuple[str, ...]
    times: str = MONTH.plural

    def __str__(self) -> str:
        more = f" and {len(self.files) - 1} more" if len(self.files) > 1 else ""
        return (
            f"{self.name} from {', '.join(self.variables)} ({', '.join(self.units)}) in "
            f"{self.files[0]}{more}, {self.first} to {self.last}; "
            f"{self.times} {', '.join(self.times_by)}"
        )


def origin_of(series: Series) -> Origin:
    """Return the provenance of a variable.

    Parameters
    ----------
    series : Series
        The variable's files, units and times.
    """
    used = sorted({f for f, _ in series.where.values()})
    fields = [series.fields[f] for f in used]

    def once(words: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(words))

    return Origin(
        series.name,
        once(f.variable for f in fields),
        once(f.units or "no units" for f in fields),
        once(f.path.name for f in fields),
        str(min(series.where)),
        str(max(series.where)),
        once(f.times.told_by for f in fields),
        _times(series),
    )


def _times(series: Series) -> str:
    first = series.fields[0].times
    if first.step is MONTH:
        return MONTH.plural
    return "means over days" if first.cell == "mean" else "states at 00 UTC"
