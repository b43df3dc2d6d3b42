"""Observations in files: the cells of a CSV or netCDF as they stand, and writing them.

What the cells mean is checked in :mod:`mlda_core.observations.table`.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, NamedTuple

import netCDF4
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlda_core.climate.interpolation import ObservationError


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
    "background_departure": {"long_name": "value minus background at the place, units of value"},
    "analysis_departure": {"long_name": "value minus analysis at the place, units of value"},
    "misfit_sd": {"long_name": "analysis departure over its expected sd", "units": "1"},
    "time": {"standard_name": "time", "units": "days since 1850-01-01", "calendar": "standard"},
    "used": {"long_name": "1 where the analysis took the observation: not withheld, not thinned"},
}


def load(source: Path | str | bytes) -> tuple[pd.DataFrame, NDArray[np.int64], list[Rejected]]:
    """Read the cells of a file of observations as they stand.

    Parameters
    ----------
    source : Path, str or bytes
        A file, the text of a CSV, or the bytes of either.

    Returns
    -------
    cells : DataFrame
    rows : ndarray of int, shape (n,)
        The number of each row, as the user counts.
    rejected : list of Rejected
        Rows that have more or fewer cells than the first line.

    Raises
    ------
    ObservationError
        If the file cannot be read.
    """
    name = "The text"
    if isinstance(source, Path):
        name = str(source)
        try:
            source = source.read_bytes()
        except OSError as error:
            raise ObservationError(
                f"{name} cannot be read ({error.strerror or error}); check its name."
            ) from error
    if isinstance(source, bytes):
        if source[:3] == b"CDF" or source[:4] == b"\x89HDF":
            raw = _load_netcdf(source, name)
            return raw, np.arange(1, len(raw) + 1), []
        try:
            source = source.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ObservationError(
                f"{name} is neither netCDF nor text; save it as CSV in UTF-8."
            ) from error
    return _load_csv(source, name)


def _load_csv(text: str, name: str) -> tuple[pd.DataFrame, NDArray[np.int64], list[Rejected]]:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        raise ObservationError(f"{name} is empty; begin with a line variable,lat,lon,value.")
    separator = max(",;\t", key=lines[0].count)
    rows = csv.reader(lines, delimiter=separator, skipinitialspace=True)
    try:
        head, *cells = list(rows)
    except csv.Error as error:
        raise ObservationError(f"{name} cannot be read as CSV ({error}); save it again.") from error
    head = [h.strip() for h in head]
    good = [i for i, row in enumerate(cells) if len(row) == len(head)]
    ragged = [
        Rejected(i + 1, f"it has {len(row)} cells, but the first line names {len(head)} columns")
        for i, row in enumerate(cells)
        if len(row) != len(head)
    ]
    raw = pd.DataFrame([cells[i] for i in good], columns=pd.Index(head), dtype="str")
    if separator == ";":
        raw = raw.replace(r"^([+-]?\d*),(\d+)$", r"\1.\2", regex=True)
    return raw, np.array(good, np.int64) + 1, ragged


def _load_netcdf(data: bytes, name: str) -> pd.DataFrame:
    try:
        with netCDF4.Dataset("observations", memory=data) as file:
            # What `mlda assimilate` writes holds its observations in a group.
            group = file.groups.get("observations", file)
            columns = {k: _plain(v) for k, v in group.variables.items() if _is_column(v)}
            units = str(getattr(group.variables.get("value"), "units", ""))
    except (OSError, RuntimeError, ValueError, IndexError) as error:
        raise ObservationError(
            f"{name} cannot be read as netCDF ({error}); copy it again."
        ) from error
    size = len(columns.get("value", ()))
    raw = pd.DataFrame({k: v for k, v in columns.items() if len(v) == size})
    return raw.assign(units=units) if units and "units" not in raw else raw


def _is_column(variable: Any) -> bool:
    return bool(variable.ndim == 1 or (variable.ndim == 2 and variable.dtype == "S1"))


def _plain(variable: Any) -> NDArray[Any]:
    """Return a netCDF variable without masks; times as dates, missing numbers as NaN."""
    values: Any = variable[...]
    if values.ndim == 2:
        values = netCDF4.chartostring(np.ma.filled(values, b""))
    if " since " in str(getattr(variable, "units", "")):
        dates = netCDF4.num2date(values, variable.units, getattr(variable, "calendar", "standard"))
        return np.array([str(d)[:10] for d in np.asarray(dates)])
    if np.ma.isMaskedArray(values):
        return np.asarray(np.ma.filled(values.astype(float), np.nan))
    return np.asarray(values)


def to_csv(table: pd.DataFrame) -> str:
    """Return observations as CSV, for :func:`mlda_core.observations.table.read` to take again.

    Parameters
    ----------
    table : DataFrame
        The columns of an observation table; any further ones are written too.
    """
    return str(table.to_csv(index=False, float_format="%.10g", lineterminator="\n"))


def to_netcdf(table: pd.DataFrame, path: str | Path, attrs: dict[str, str] | None = None) -> None:
    """Write observations to netCDF, for :func:`mlda_core.observations.table.read` to take again.

    Parameters
    ----------
    table : DataFrame
        The columns of an observation table; any further ones are written too.
    path : path
        Replaced if it exists, once all is written.
    attrs : dict, optional
        Global attributes to add.
    """
    path = Path(path)
    part = path.with_name(path.name + ".part")
    with netCDF4.Dataset(part, "w") as file:
        file.setncatts({"Conventions": "CF-1.11", "featureType": "point", **(attrs or {})})
        fill(file, table)
    part.replace(path)


def fill(group: netCDF4.Dataset, table: pd.DataFrame, begin: int = 0) -> None:
    """Write observations into a netCDF file or group, from row ``begin`` of its ``observation``."""
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
