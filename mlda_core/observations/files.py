"""Write observations to CSV and netCDF."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pandas as pd

from mlda_core.climate.atomic_files import replacing

_ATTRIBUTES: dict[str, dict[str, str]] = {
    "variable": {"long_name": "CF short name of what is observed"},
    "lat": {"standard_name": "latitude", "units": "degrees_north"},
    "lon": {"standard_name": "longitude", "units": "degrees_east"},
    "value": {
        "long_name": "anomaly from the monthly climatology",
        "comment": "hPa for psl, K for temperatures, mm/day for pr",
    },
    "error_sd": {"long_name": "standard deviation of the observation's error, units of value"},
    "withheld": {"long_name": "1 where the analysis did not see the observation"},
    "label": {"long_name": "name of the station or ship"},
    "kind": {"long_name": "kind of observation; empty for a value at a place"},
    "area": {"long_name": "region or difference that the observation is of; empty for its place"},
    "background_departure": {"long_name": "value minus background at the place, units of value"},
    "analysis_departure": {"long_name": "value minus analysis at the place, units of value"},
    "standardised_departure": {
        "long_name": "analysis departure over its expected sd",
        "units": "1",
    },
    "time": {"standard_name": "time", "units": "days since 1850-01-01", "calendar": "standard"},
    "used": {"long_name": "1 where the analysis took the observation: not withheld, not thinned"},
    "robust_weight": {
        "long_name": "what the variance of the error was divided by, 1 if it was no gross error",
        "units": "1",
    },
}


def to_csv(table: pd.DataFrame) -> str:
    """Return observations as CSV, readable by :func:`mlda_core.observations.table.read`.

    Parameters
    ----------
    table : DataFrame
        An observation table; additional columns are written too.
    """
    return str(table.to_csv(index=False, float_format="%.10g", lineterminator="\n"))


def to_netcdf(table: pd.DataFrame, path: str | Path, attrs: dict[str, str] | None = None) -> None:
    """Write observations to netCDF, readable by :func:`mlda_core.observations.table.read`.

    Parameters
    ----------
    table : DataFrame
        An observation table; additional columns are written too.
    path : path
        Written atomically, replacing an existing file.
    attrs : dict, optional
        Additional global attributes.
    """
    path = Path(path)
    with replacing(path) as part, netCDF4.Dataset(part, "w") as file:
        file.setncatts({"Conventions": "CF-1.11", "featureType": "point", **(attrs or {})})
        fill(file, table)


def fill(group: netCDF4.Dataset, table: pd.DataFrame, begin: int = 0) -> None:
    """Write observations into a netCDF file or group, from index ``begin`` of ``observation``."""
    if "observation" not in group.dimensions:
        group.createDimension("observation", None)
    for name in map(str, table.columns):
        column = table[name]
        flag, number = column.dtype == bool, pd.api.types.is_numeric_dtype(column)
        kind: Any = np.int8 if flag else np.float64 if number else str
        if name not in group.variables:
            made = group.createVariable(name, kind, ("observation",))
            made.setncatts(_ATTRIBUTES.get(name, {}))
        if len(column):
            values = column.to_numpy(object if kind is str else kind)
            group[name][begin : begin + len(column)] = values
