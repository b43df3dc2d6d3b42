"""The unchecked cells of an observation table, independent of the input format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlda_core.observations.columns import Columns, recognise
from mlda_core.observations.reading import Rejected

# Notations of missing cells in spreadsheets, pandas, netCDF4 and others.
_EMPTY = frozenset(
    ("", "nan", "na", "n/a", "#n/a", "nat", "null", "none", "<na>", "-", "--", "---", ".")
)


@dataclass(frozen=True, eq=False)
class Cells:
    """Columns of equal length, parsed but not checked.

    Parameters
    ----------
    name : str
        Name of the source at the beginning of messages.
    names : tuple of str
        Column names as given.
    columns : tuple of ndarray of object, shape (n,)
        Text, numbers or dates.
    rows : ndarray of int, shape (n,)
        Row numbers as the user counts: 1 is the first row of data.
    rejected : tuple of Rejected
        Rows that could not be parsed.
    notes : tuple of str
        Notes to the user on how the source was read.
    units : mapping of str to str
        Units of whole columns, by name.
    base_period : str
        Base period of all anomalies, from the source's metadata.
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
        """Roles of the columns.

        Raises
        ------
        ObservationError
            If a required column is missing, or a column that may change the meaning of others is
            ambiguous.
        """
        return recognise(self.names, self.columns, self.units)

    @property
    def has_times(self) -> bool:
        """Whether the table has the month of each row."""
        return bool(self.roles.times)

    def __len__(self) -> int:
        return len(self.rows)


def shown(cell: Any) -> str:
    """Return a cell as text; '' if it is empty."""
    text = "" if cell is None or cell is np.ma.masked or is_nan(cell) else str(cell).strip()
    return "" if text.lower() in _EMPTY else text


def is_nan(cell: Any) -> bool:
    """Whether a cell is NaN."""
    return isinstance(cell, float | np.floating) and bool(np.isnan(cell))


def quoted(cell: str) -> str:
    """Return a cell for a message: on one line and truncated."""
    text = "".join(c if c.isprintable() else "?" for c in cell)
    return text if len(text) <= 40 else f"{text[:39]}…"


def columns_of(table: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[NDArray[Any], ...]]:
    """Return the names and the columns of a mapping, in the form of :class:`Cells`."""
    made = []
    for values in table.values():
        column = np.empty(len(values), object)
        for i, cell in enumerate(values):
            column[i] = cell.decode("utf-8", "replace") if isinstance(cell, bytes) else cell
        made.append(column)
    return tuple(map(str, table)), tuple(made)
