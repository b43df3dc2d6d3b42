"""Observation tables in Python: DataFrames, dicts, lists of dicts, xarray Datasets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from mlda_core.climate.interpolation import ObservationError
from mlda_core.observations.cells import Cells, columns_of
from mlda_core.observations.columns import REQUIRED, check_elsewhere, plain

NAME = "The table"


def of_frame(table: pd.DataFrame, name: str = NAME) -> Cells:
    """Convert a DataFrame; an index that is named or of dates becomes a column too.

    Raises
    ------
    ObservationError
        If its columns have several levels.
    """
    if isinstance(table.columns, pd.MultiIndex):
        raise ObservationError(f"{name} has columns of several levels; give it plain names.")
    names = [str(c) for c in table.columns]
    columns = [table.iloc[:, i].to_numpy(object) for i in range(len(names))]
    base = str(table.attrs.get("base_period", ""))
    for level in range(table.index.nlevels):
        index = table.index.get_level_values(level)
        dates = isinstance(index, pd.DatetimeIndex | pd.PeriodIndex | xr.CFTimeIndex)
        if index.name is not None or dates:
            names.append("time" if index.name is None else str(index.name))
            columns.append(index.to_numpy(object))
    arrays = columns_of({str(i): c for i, c in enumerate(columns)})[1]
    return Cells(name, tuple(names), arrays, np.arange(1, len(table) + 1), base_period=base)


def of_records(records: Sequence[Any]) -> Cells:
    """Convert a list of dicts, one for each observation.

    Raises
    ------
    ObservationError
        If an element is not a dict.
    """
    if not records:
        return of_columns({name: [] for name in REQUIRED})
    for i, record in enumerate(records, 1):
        if not isinstance(record, Mapping):
            raise ObservationError(
                f"Observation {i} is a {type(record).__name__}; give each as a dict with "
                f"{', '.join(REQUIRED)}."
            )
    names = list(dict.fromkeys(str(k) for record in records for k in record))
    plain_records = [{str(k): v for k, v in record.items()} for record in records]
    return of_columns({name: [r.get(name) for r in plain_records] for name in names})


def of_columns(columns: Mapping[Any, Any]) -> Cells:
    """Convert a dict of columns; a scalar applies to all rows.

    Raises
    ------
    ObservationError
        If their lengths differ.
    """
    whole = {str(k): _values(v) for k, v in columns.items()}
    lengths = {k: len(v) for k, v in whole.items() if v is not None}
    size = next(iter(lengths.values()), 1)
    odd = next((k for k, n in lengths.items() if n != size), None)
    if odd is not None:
        first = next(iter(lengths))
        raise ObservationError(
            f"The columns '{first}' and '{odd}' have {size} and {lengths[odd]} rows; give them one "
            "length."
        )
    filled = {k: [_single(columns, k)] * size if v is None else v for k, v in whole.items()}
    names, arrays = columns_of(filled)
    return Cells(NAME, names, arrays, np.arange(1, size + 1))


def _single(columns: Mapping[Any, Any], name: str) -> Any:
    """Return the scalar that a dict has under a name."""
    return next(v for k, v in columns.items() if str(k) == name)


def _values(given: Any) -> list[Any] | None:
    """Return the elements of a column, None for a scalar."""
    if isinstance(given, list | tuple):
        return list(given)
    # Not as a Series: pandas would align rows by index.
    array = np.asarray(given)
    if array.ndim > 1:
        raise ObservationError("A column has several dimensions; give one value an observation.")
    return list(array) if array.ndim else None


def of_dataset(data: xr.Dataset) -> Cells:
    """Convert an xarray Dataset: its variables along the dimension of ``value``.

    Raises
    ------
    ObservationError
        If ``value`` is missing or not one-dimensional, or a time, place or error is along
        another dimension.
    """
    found = {plain(str(k))[0]: v for k, v in data.variables.items()}
    value = found.get("value")
    if value is None:
        raise ObservationError(
            f"The Dataset has no variable 'value'; it needs {', '.join(REQUIRED)}."
        )
    if value.ndim != 1:
        raise ObservationError(
            f"The Dataset's 'value' has {value.ndim} dimensions; give one, such as by "
            "to_dataframe().reset_index()."
        )
    columns: dict[str, Any] = {}
    units = {}
    elsewhere = []
    for key, variable in data.variables.items():
        name = str(key)
        if variable.dims not in (value.dims, ()):
            elsewhere.append(name)
            continue
        cells = variable.to_numpy()
        columns[name] = cells if variable.dims else np.repeat(cells.reshape(1), value.size)
        if isinstance(variable.attrs.get("units"), str):
            units[name] = variable.attrs["units"]
    base = value.attrs.get("base_period") or data.attrs.get("base_period") or ""
    names, arrays = columns_of(columns)
    check_elsewhere("The Dataset", elsewhere, dict(zip(names, arrays, strict=True)))
    return Cells(
        "The Dataset",
        names,
        arrays,
        np.arange(1, value.size + 1),
        units=units,
        base_period=str(base),
    )
