"""Repeated rows of one variable, place and month: detected, and merged on request.

The analysis treats each row as an observation with an independent error: a station listed nine
times counts as nine, as if its error were a third. The merging rule: rows that also have the same
time and value are copies, of which one is kept, with the largest of their errors; the remaining
rows of a place are averaged, and the error of the mean is the root mean square of the errors, not
less, as most of the error is representativeness error, which does not average out.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlda_core.observations.row_kinds import KIND_COLUMNS, is_plain, stacked

# Places that agree to this many decimals of a degree (0.1 m) are the same.
_DECIMALS = 6
_ADVICE = (
    "each counts as an observation of its own; remove what is repeated, or merge it by the "
    "option merge_repeated (--merge-repeated)"
)


def tell(table: pd.DataFrame, stamps: pd.Series) -> list[str]:
    """Return sentences on repeated rows within one month.

    Parameters
    ----------
    table : DataFrame
        A checked table.
    stamps : Series of str
        Times of the rows as given, '' if there are none.

    Returns
    -------
    list of str
    """
    if "kind" in table:
        here = is_plain(table)
        table, stamps = table[here].reset_index(drop=True), stamps[here]
    if not _any(table):
        return []
    keys = _keys(table, stamps)
    copies = int(keys.duplicated(["variable", "lat", "lon", "stamp", "value"]).sum())
    first = keys.drop_duplicates(["variable", "lat", "lon", "stamp", "value"])
    others = int(first.duplicated(["variable", "lat", "lon"]).sum())
    out = []
    if copies:
        out.append(
            f"{copies} {_rows(copies, 'repeat')} another's variable, place, time and value: "
            f"{_ADVICE}."
        )
    if others:
        places = int(
            first.loc[first.duplicated(["variable", "lat", "lon"]), ["variable", "lat", "lon"]]
            .drop_duplicates()
            .shape[0]
        )
        out.append(
            f"{others} {_rows(others, 'have')} another value or time for the variable and place of "
            f"an earlier row, at {places} {'place' if places == 1 else 'places'}: {_ADVICE}."
        )
    sides = keys.groupby(["variable", "lat", "lon"])["withheld"].agg(["any", "all"])
    leaks = int((sides["any"] & ~sides["all"]).sum())
    if leaks:
        out.append(
            f"{leaks} {'place is' if leaks == 1 else 'places are'} both assimilated and withheld: "
            "what is withheld there is no independent test."
        )
    return out


def merge(table: pd.DataFrame, stamps: pd.Series) -> tuple[pd.DataFrame, list[str]]:
    """Merge the rows of one variable, place and month into one.

    Parameters
    ----------
    table : DataFrame
        A checked table; withheld rows are merged separately.
    stamps : Series of str
        Times of the rows as given.

    Returns
    -------
    table : DataFrame
        In order of first appearance, with the first labels.
    notes : list of str
    """
    if "kind" in table:
        # Two bounds, or a report beside a value, are no repetition.
        here = is_plain(table)
        merged, notes = merge(table[here].drop(columns=list(KIND_COLUMNS)), stamps[here])
        return stacked([merged, table[~here]]), notes
    place = ["variable", "lat", "lon", "withheld"]
    keys = _keys(table, stamps) if _any(table) else table.iloc[:0]
    if not keys.duplicated(place).any():
        return table, []
    largest = keys.groupby([*place, "stamp", "value"], sort=False)["error_sd"].transform("max")
    keys = keys.assign(error_sd=largest)
    keys = keys.drop_duplicates([*place, "stamp", "value"])
    groups = keys.assign(square=keys["error_sd"] ** 2).groupby(place, sort=False)
    means = groups.agg(
        value=("value", "mean"), square=("square", "mean"), row=("row", "first"), n=("row", "size")
    )
    out = table.iloc[means["row"].to_numpy()].reset_index(drop=True)
    # Rows that are not repeated keep their exact value.
    many = means["n"].to_numpy() > 1
    out["value"] = np.where(many, means["value"].to_numpy(), out["value"].to_numpy())
    single = keys.set_index("row")["error_sd"].reindex(means["row"]).to_numpy()
    out["error_sd"] = np.where(many, np.sqrt(means["square"].to_numpy()), single)
    lost = len(table) - len(out)
    note = (
        f"{lost} {'row is' if lost == 1 else 'rows are'} merged with others of the same variable, "
        "place and month: copies count once, other values are averaged, and the error stays that "
        "of one observation."
    )
    return out, [note]


def _any(table: pd.DataFrame) -> bool:
    """Whether any place of a variable is repeated: a quick test, as usually none is."""
    columns = [table["variable"], table["lat"].round(_DECIMALS), table["lon"].round(_DECIMALS)]
    return len(set(zip(*(c.to_numpy(object) for c in columns), strict=True))) < len(table)


def _keys(table: pd.DataFrame, stamps: pd.Series) -> pd.DataFrame:
    out = table[["variable", "value", "error_sd", "withheld"]].copy()
    out["lat"], out["lon"] = table["lat"].round(_DECIMALS), table["lon"].round(_DECIMALS)
    out["stamp"], out["row"] = stamps.to_numpy(), np.arange(len(table))
    return out


def _rows(count: int, verb: str) -> str:
    singular = {"repeat": "repeats", "have": "has"}[verb]
    return f"row {singular}" if count == 1 else f"rows {verb}"
