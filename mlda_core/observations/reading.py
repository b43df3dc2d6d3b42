"""What comes of reading observations: the checked table, the refused rows, and what is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pandas as pd


class Rejected(NamedTuple):
    """A row that could not be used.

    Parameters
    ----------
    row : int
        As the user counts: 1 is the first row of data.
    reason : str
        What is wrong, without the row's number and a full stop.
    """

    row: int
    reason: str

    def __str__(self) -> str:
        return f"Row {self.row}: {self.reason}."


class Reading(NamedTuple):
    """Observations that passed the check, and what there is to say of the rest.

    Parameters
    ----------
    table : DataFrame
        Columns :data:`mlda_core.observations.table.COLUMNS`, index 0..n-1.
    rejected : list of Rejected
        Rows that were left out, ascending.
    notes : list of str
        Whole sentences on what was taken in a way that the user should know of: columns under
        another name, repeated rows, errors that the model cannot use as small as they are.
    """

    table: pd.DataFrame
    rejected: list[Rejected]
    notes: list[str]
