"""Provenance of canonical variables, shown so that a wrong guess is noticed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
        Months read, before the variables are cut to their common period.
    months_by : tuple of str
        How the months were determined.
    """

    name: str
    variables: tuple[str, ...]
    units: tuple[str, ...]
    files: tuple[str, ...]
    first: str
    last: str
    months_by: tuple[str, ...]

    def __str__(self) -> str:
        more = f" and {len(self.files) - 1} more" if len(self.files) > 1 else ""
        return (
            f"{self.name} from {', '.join(self.variables)} ({', '.join(self.units)}) in "
            f"{self.files[0]}{more}, {self.first} to {self.last}; months "
            f"{', '.join(self.months_by)}"
        )


def origin_of(series: Series) -> Origin:
    """Return the provenance of a variable.

    Parameters
    ----------
    series : Series
        The variable's files, units and months.
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
        once(f.months.told_by for f in fields),
    )
