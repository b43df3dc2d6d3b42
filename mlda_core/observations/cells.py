"""The cells of an observation table as they stand, whatever it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlda_core.observations.columns import Columns, recognise
from mlda_core.observations.reading import Rejected

# As spreadsheets, pandas, netCDF4 and others write what is missing.
_EMPTY = frozenset(
    ("", "nan", "na", "n/a", "#n/a", "nat", "null", "none", "<na>", "-", "--", "---", ".")
)


@dataclass(frozen=True, eq=False)
class Cells:
    """Columns of one length, parsed once and not yet checked.

    Parameters
    ----------
    name : str
        What messages call the source, at the beginning of a sentence.
    names : tuple of str
        Of the columns, as they are given.
    columns : tuple of ndarray of object, shape (n,)
        Text, numbers or dates.
    rows : ndarray of int, shape (n,)
        The number of each row, as the user counts: 1 is the first row of data.
    rejected : tuple of Rejected
        Rows that could not be cut into cells.
    notes : tuple of str
        What to tell of how the source was read.
    units : mapping of str to str
        Units that a source states for a whole column, by its name.
    base_period : str
        What the source says of the base period of all its anomalies.
    """

    name: str
    names: tuple[str, ...]
    columns: tuple[NDArray[Any], ...]
    rows: NDArray[np.int64]
    rejected: tuple[Rejected, ...] = ()
    notes: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    base_period: str = ""

    @cached_property
    def roles(self) -> Columns:
        """What each column is.

        Raises
        ------
        ObservationError
            If a column that is needed is missing, or one may change the meaning of the others and
            it is not clear how.
        """
        return recognise(self.names, self.columns, self.units)

    @property
    def has_times(self) -> bool:
        """Whether the table says which month each row is of."""
        return bool(self.roles.times)

    def __len__(self) -> int:
        return len(self.rows)


def shown(cell: Any) -> str:
    """Return a cell as a user reads it; '' where it is empty."""
    # NaN alone differs from itself.
    text = "" if cell is None or cell is np.ma.masked or is_nan(cell) else str(cell).strip()
    return "" if text.lower() in _EMPTY else text


def is_nan(cell: Any) -> bool:
    """Whether a cell is a number that is none."""
    return isinstance(cell, float | np.floating) and bool(np.isnan(cell))


def quoted(cell: str) -> str:
    """Return a cell for a message: on one line, and not for ever."""
    text = "".join(c if c.isprintable() else "?" for c in cell)
    return text if len(text) <= 40 else f"{text[:39]}…"


def columns_of(table: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[NDArray[Any], ...]]:
    """Return the names and the columns of a mapping, as :class:`Cells` holds them."""
    made = []
    for values in table.values():
        column = np.empty(len(values), object)
        for i, cell in enumerate(values):
            column[i] = cell.decode("utf-8", "replace") if isinstance(cell, bytes) else cell
        made.append(column)
    return tuple(map(str, table)), tuple(made)
