"""The lower bound of observation errors in the assimilation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlda_core.observations.row_kinds import is_plain, without_kinds
from mlda_core.observations.standardised import LEAST_ERROR, standardise

if TYPE_CHECKING:
    import pandas as pd

    from mlda_core.bundle.bundle import Bundle

# Bisections of an interval of a factor two: to a thousandth.
_HALVINGS = 12


def used_errors(table: pd.DataFrame, bundle: Bundle, calendar_month: int) -> NDArray[np.float64]:
    """Return the errors of a table with the assimilation's lower bound applied.

    Parameters
    ----------
    table : DataFrame
        A checked table.
    bundle : Bundle
    calendar_month : int
        1..12.

    Returns
    -------
    ndarray, shape (p,)
        Display units: ``error_sd``, or the lower bound if that is larger.
    """
    stated = table["error_sd"].to_numpy(np.float64)
    out = stated.copy()
    raised = np.flatnonzero(_is_least(table, stated, bundle, calendar_month))
    if not raised.size:
        return out
    small = table.iloc[raised].reset_index(drop=True)
    low, high = stated[raised], 2.0 * stated[raised]
    for _ in range(200):
        still = _is_least(small, high, bundle, calendar_month)
        if not still.any():
            break
        low, high = np.where(still, high, low), np.where(still, 2.0 * high, high)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        still = _is_least(small, middle, bundle, calendar_month)
        low, high = np.where(still, middle, low), np.where(still, high, middle)
    out[raised] = high
    return out


def tell(
    table: pd.DataFrame, stated: NDArray[np.bool_], bundle: Bundle, calendar_month: int
) -> list[str]:
    """Return a sentence for each variable whose stated errors are raised.

    Parameters
    ----------
    table : DataFrame
        A checked table.
    stated : ndarray of bool, shape (p,)
        Where the error was stated.
    bundle : Bundle
    calendar_month : int
        1..12.

    Returns
    -------
    list of str
    """
    if "kind" in table:
        stated = stated & is_plain(table)
    if not stated.any():
        return []
    mine = without_kinds(table[stated].reset_index(drop=True))
    given, used = mine["error_sd"].to_numpy(np.float64), used_errors(mine, bundle, calendar_month)
    out = []
    for variable in bundle.variables:
        here = np.flatnonzero(
            (used > 1.001 * given) & (mine["variable"] == variable.name).to_numpy()
        )
        if here.size:
            most = here[np.argmax(used[here] - given[here])]
            out.append(
                f"{here.size} stated {'error' if here.size == 1 else 'errors'} of {variable.name} "
                f"{'is' if here.size == 1 else 'are'} raised to the least that the model can use, "
                f"{LEAST_ERROR:g} of the local spread: at most from {given[most]:.3g} to "
                f"{used[most]:.3g} {variable.anomaly_units}."
            )
    return out


def _is_least(
    table: pd.DataFrame, error: NDArray[np.float64], bundle: Bundle, calendar_month: int
) -> NDArray[np.bool_]:
    observed = standardise(table.assign(error_sd=error), bundle, calendar_month)
    return np.asarray(observed.variance <= LEAST_ERROR**2)
