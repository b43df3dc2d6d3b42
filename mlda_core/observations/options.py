"""Options for reading an observation table, where it leaves something open."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TableOptions:
    """How to read an observation table.

    Parameters
    ----------
    keep_codes : bool
        Whether to keep values that look like missing-value codes, such as a genuine -9.99.
    merge_repeated : bool
        Whether to merge rows of one variable, place and month; see
        :mod:`mlda_core.observations.repeated`.
    base_period : str, optional
        Base period of the anomalies, such as ``1951-1980``, if the table does not state it.
    day_first : bool, optional
        How to read dates such as 05/04/1997 if no other date of the column is unambiguous.
    """

    keep_codes: bool = False
    merge_repeated: bool = False
    base_period: str | None = None
    day_first: bool | None = None
