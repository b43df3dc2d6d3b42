"""Monthly means of single reports in boxes of latitude and longitude."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlda_core.observations.archives.documents import ArchiveError

# A box with fewer reports does not know its own spread: that of all boxes is taken.
_OWN = 10


def monthly_means(reports: pd.DataFrame, size: float) -> tuple[pd.DataFrame, int]:
    """Return the means of the reports of each month and box.

    The standard error of a mean is the standard deviation of the box's reports by the root of
    their number. Of fewer than 10 reports that deviation is the pooled one within all boxes of the
    variable and month.

    Parameters
    ----------
    reports : DataFrame
        Rows of an observation table, one a report.
    size : float
        Sides of a box, degrees; it must divide 180.

    Returns
    -------
    means : DataFrame
        At the mean place of a box's reports; error_sd is the standard error, and the column
        ``reports`` their number.
    unknown : int
        Boxes whose standard error cannot be told, for no box of that variable and month has two
        reports; their error_sd is NaN.

    Raises
    ------
    ArchiveError
        If the size does not divide the globe.
    """
    if not (size > 0 and np.isclose(180.0 / size, round(180.0 / size))):
        raise ArchiveError(f"Boxes of {size:g} degrees do not divide 180; take 1, 2, 2.5 or 5.")
    n = round(180.0 / size)
    lon = np.mod(reports["lon"].to_numpy(np.float64), 360.0)
    row = np.minimum(((reports["lat"].to_numpy(np.float64) + 90.0) / size).astype(int), n - 1)
    column = (lon / size).astype(int)
    given = reports.assign(lon=lon, row=row, column=column)
    grouped = given.groupby(["time", "variable", "row", "column"], sort=True)
    means = grouped.agg(
        lat=("lat", "mean"),
        lon=("lon", "mean"),
        value=("value", "mean"),
        kind=("kind", "first"),
        units=("units", "first"),
        reports=("value", "size"),
        variance=("value", "var"),
    ).reset_index()
    means["square"] = (means["variance"] * (means["reports"] - 1)).fillna(0.0)
    means["freedom"] = means["reports"] - 1
    pool = means.groupby(["time", "variable"])[["square", "freedom"]].transform("sum")
    pooled = pool["square"] / pool["freedom"].where(pool["freedom"] > 0)
    variance = means["variance"].where(means["reports"] >= _OWN, pooled)
    # Reports that are all alike tell nothing of the error.
    means["error_sd"] = (variance.where(variance > 0) / means["reports"]) ** 0.5
    means["label"] = [
        _label(r, c, size) for r, c in zip(means["row"], means["column"], strict=True)
    ]
    columns = ["variable", "lat", "lon", "value", "error_sd", "kind", "units", "time", "label"]
    return means[[*columns, "reports"]], int(means["error_sd"].isna().sum())


def _label(row: int, column: int, size: float) -> str:
    south, west = row * size - 90.0, column * size
    return f"{south:g} to {south + size:g}N, {west:g} to {west + size:g}E"
