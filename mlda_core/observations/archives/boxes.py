"""Average single reports to monthly means in latitude-longitude boxes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlda_core.observations.archives.documents import ArchiveError

# With fewer reports, a box's own spread is too uncertain: use the pooled one of all boxes.
_OWN = 10


def monthly_means(reports: pd.DataFrame, size: float) -> tuple[pd.DataFrame, int]:
    """Return the means of the reports of each month and box.

    The standard error of a mean is the standard deviation of the box's reports divided by the
    root of their number. For fewer than 10 reports, the deviation is pooled within all boxes of
    the variable and month.

    Parameters
    ----------
    reports : DataFrame
        Rows of an observation table, one for each report.
    size : float
        Side of a box, degrees; it must divide 180.

    Returns
    -------
    means : DataFrame
        At the mean place of a box's reports; error_sd is the standard error, and the column
        ``reports`` their number.
    unknown : int
        Number of boxes with unknown standard error (NaN): no box of that variable and month has
        two reports.

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
    # Identical reports give no estimate of the error.
    means["error_sd"] = (variance.where(variance > 0) / means["reports"]) ** 0.5
    means["label"] = [
        _label(r, c, size) for r, c in zip(means["row"], means["column"], strict=True)
    ]
    columns = ["variable", "lat", "lon", "value", "error_sd", "kind", "units", "time", "label"]
    return means[[*columns, "reports"]], int(means["error_sd"].isna().sum())


def _label(row: int, column: int, size: float) -> str:
    south, west = row * size - 90.0, column * size
    return f"{south:g} to {south + size:g}N, {west:g} to {west + size:g}E"
