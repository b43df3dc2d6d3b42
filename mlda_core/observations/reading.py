"""Result of reading observations: the checked table, rejected rows and notes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pandas as pd


class Rejected(NamedTuple):
    """A rejected row.

    Parameters
    ----------
    row : int
        Row number as the user counts: 1 is the first row of data.
    reason : str
        The fault, without row number and full stop.
    """

    row: int
    reason: str

    def __str__(self) -> str:
        return f"Row {self.row}: {self.reason}."


class Reading(NamedTuple):
    """Checked observations, with rejected rows and notes.

    Parameters
    ----------
    table : DataFrame
        Columns :data:`mlda_core.observations.table.COLUMNS`, index 0..n-1.
    rejected : list of Rejected
        Rejected rows, ascending.
    notes : list of str
        Sentences on interpretations that the user should check: columns recognised by other
        names, repeated rows, errors raised to the lower bound.
    """

    table: pd.DataFrame
    rejected: list[Rejected]
    notes: list[str]
