"""What canonical variables were read from, for people: a wrong guess is seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlda_core.sources.prepare import Series


@dataclass(frozen=True)
class Origin:
    """What a canonical variable was read from.

    Parameters
    ----------
    name : str
        Canonical.
    variables, units : tuple of str
        As the files have them, each once.
    files : tuple of str
        Their names.
    first, last : str
        Months that were read, before variables are cut to common ones.
    months_by : tuple of str
        What told which months they are.
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
    """Return what a variable is read from.

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
