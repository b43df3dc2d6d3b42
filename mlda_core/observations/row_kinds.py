"""The columns of kinds in a checked table: present only where rows are no values at places."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlda_core.observations.kinds import PLAIN

KIND_COLUMNS = ("kind", "area")


def is_plain(table: pd.DataFrame) -> NDArray[np.bool_]:
    """Whether rows are values at places.

    Parameters
    ----------
    table : DataFrame

    Returns
    -------
    ndarray of bool, shape (p,)
    """
    if "kind" not in table:
        return np.ones(len(table), bool)
    return np.asarray((table["kind"] == PLAIN) & (table["area"] == ""), bool)


def without_kinds(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table without the columns of kinds, if all rows are values at places.

    Parameters
    ----------
    table : DataFrame
    """
    if "kind" not in table or not is_plain(table).all():
        return table
    return table.drop(columns=list(KIND_COLUMNS))


def stacked(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return tables one below another; rows of those without kinds are values at places.

    Parameters
    ----------
    tables : sequence of DataFrame
    """
    if len(tables) == 1:
        return tables[0]
    if any("kind" in table for table in tables):
        tables = [
            table if "kind" in table else table.assign(kind=PLAIN, area="") for table in tables
        ]
    return pd.concat(tables, ignore_index=True)
