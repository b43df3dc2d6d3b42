"""Zarr store of a reanalysis, created first and filled month by month.

A chunk holds one month of one field, so no two tasks write the same chunk, however the months
are divided. A month's flag ``done`` is written after its fields: if it is set, the month is
complete, even after a crash.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from mlda_core.climate.cf import EAST, NORTH, coordinates
from mlda_core.climate.errors import UserError
from mlda_core.observations.table import variable_rows

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle

_TIMES = {"units": "days since 1850-01-01", "calendar": "standard", "dtype": "float64"}
# Zarr format 2 is supported by more software: netCDF-C, GDAL, Julia.
_FORMAT: Any = 2
# Rows of the observation table in one chunk: about a megabyte of doubles.
_ROWS = 131_072
_COLUMNS: dict[str, tuple[str, dict[str, str]]] = {
    "lat": ("f8", NORTH),
    "lon": ("f8", EAST),
    "value": (
        "f8",
        {
            "long_name": "anomaly from the monthly climatology",
            "comment": "in the units that the page shows, such as hPa, K and mm/day",
        },
    ),
    "error_sd": (
        "f8",
        {"long_name": "standard deviation of the observation's error, units of value"},
    ),
    "withheld": ("i1", {"long_name": "1 where the analysis did not see the observation"}),
}
# Attributes that must match to resume a store, and their names in messages.
_IDENTITY = {
    "bundle_checksums": "of another bundle",
    "observations_sha256": "of other observations",
    "observations_options": "with its observations read by other options",
    "period": "over other months",
    "source": "by another version or bundle",
}


class StoreError(UserError):
    """A store cannot be created or resumed; the message is one sentence with the remedy."""


def months_between(first: str, last: str) -> tuple[str, ...]:
    """Return all months ``YYYY-MM`` from one to another, inclusive."""
    return tuple(str(m) for m in np.arange(first, np.datetime64(last, "M") + 1, dtype="M8[M]"))


def by_calendar(months: Sequence[str]) -> NDArray[np.int64]:
    """Return the rows of months sorted by calendar month, then year."""
    return np.array(sorted(range(len(months)), key=lambda i: (months[i][5:7], months[i])), np.int64)


def lay_out(
    path: Path,
    bundle: Bundle,
    months: Sequence[str],
    observed: Callable[[str], pd.DataFrame],
    about: Mapping[str, str],
    *,
    spread: bool = False,
) -> None:
    """Create a store with observations and all months marked as not done.

    Parameters
    ----------
    path : Path
        Folder of the store, created as ``PATH.part`` and renamed once complete.
    bundle : Bundle
    months : sequence of str
        ``YYYY-MM`` each, ascending.
    observed : callable
        Returns the observations of a month, in the format of
        :mod:`mlda_core.observations.table`.
    about : mapping of str to str
        Global attributes.
    spread : bool
        Whether to store the posterior standard deviation of each field.

    Raises
    ------
    StoreError
        If the path exists.
    """
    import dask.array as da
    import zarr

    if path.exists():
        raise StoreError(f"{path} is there already; choose another name.")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    if part.exists():
        shutil.rmtree(part)
    n, (rows, columns) = len(months), bundle.grid.shape
    counts, table = _gather(months, observed, bundle)
    names = " ".join(v.name for v in bundle.variables)
    out = xr.Dataset(
        coords=coordinates(bundle.grid, months),
        attrs=dict(about),
    )
    encoding: dict[str, dict[str, Any]] = {"time": {**_TIMES, "chunks": (n,)}}
    blank = da.full((n, rows, columns), np.nan, dtype=np.float32, chunks=(n, rows, columns))
    for name, attrs in field_attributes(bundle, spread=spread).items():
        out[name] = (("time", "lat", "lon"), blank, attrs)
        encoding[name] = {"chunks": (1, rows, columns), "_FillValue": np.float32(np.nan)}
    none = da.zeros(n, dtype=np.int32, chunks=n)
    out["done"] = (
        "time",
        none.astype(np.int8),
        {
            "long_name": "whether the month is assimilated",
            "flag_values": np.array([0, 1], np.int8),
            "flag_meanings": "waiting done",
        },
    )
    out["n_used"] = ("time", none, {"long_name": "observations that were assimilated"})
    encoding |= {name: {"chunks": (1,)} for name in ("done", "n_used")}
    out["n_observations"] = (
        "time",
        counts.astype(np.int32),
        {"long_name": "observations of the month"},
    )
    # Metadata only: absent chunks of a field read as missing.
    out.to_zarr(part, mode="w", compute=False, encoding=encoding, zarr_format=_FORMAT)
    given = xr.Dataset(
        {k: ("observation", table[k], attrs) for k, (_, attrs) in _COLUMNS.items()},
        attrs={"featureType": "point"},
    )
    given["variable"] = (
        "observation",
        table["variable"],
        {
            "long_name": "what is observed",
            "flag_values": np.arange(len(bundle.variables), dtype=np.int8),
            "flag_meanings": names,
        },
    )
    given["time"] = (
        "observation",
        out["time"].values[np.repeat(by_calendar(months), counts[by_calendar(months)])],
        {"standard_name": "time"},
    )
    chunks: dict[Any, dict[str, Any]] = {k: {"chunks": (_ROWS,)} for k in given.data_vars}
    chunks["time"] |= _TIMES
    given.to_zarr(part, group="observations", mode="a", encoding=chunks, zarr_format=_FORMAT)
    zarr.consolidate_metadata(part, zarr_format=_FORMAT)
    part.replace(path)


def field_attributes(bundle: Bundle, *, spread: bool) -> dict[str, dict[str, str]]:
    """Return the CF attributes of each field of a store.

    Parameters
    ----------
    bundle : Bundle
    spread : bool
        Whether to include posterior standard deviations.

    Returns
    -------
    dict
        Attributes by field: the full field by the variable's name, ``_anomaly`` and ``_spread``.
    """
    out: dict[str, dict[str, str]] = {}
    for v in bundle.variables:
        out[v.name] = {
            "standard_name": v.standard_name,
            "long_name": v.label,
            "units": v.units,
            "cell_methods": "time: mean",
        }
        out[f"{v.name}_anomaly"] = {
            "long_name": f"{v.label}, anomaly",
            "units": v.units,
            "cell_methods": "time: mean",
            "base_period": bundle.base_period,
        }
        if spread:
            out[v.name]["ancillary_variables"] = f"{v.name}_spread"
            out[f"{v.name}_spread"] = {
                "standard_name": f"{v.standard_name} standard_error",
                "long_name": f"{v.label}, posterior standard deviation",
                "units": v.units,
            }
    return out


def check_same(path: Path, about: Mapping[str, str]) -> None:
    """Refuse a store that was created with other inputs.

    Parameters
    ----------
    path : Path
        Folder of the store.
    about : mapping of str to str
        Global attributes of a store with the present inputs.

    Raises
    ------
    StoreError
        If it is not a reanalysis, or differs in bundle, observations, months or settings.
    """
    held = attributes(path)
    remedy = "give the same again, or another --out"
    before, now = (json.loads(a["settings"]) for a in (held, about))
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) != now.get(name):
            raise StoreError(
                f"{path} was begun with {name} {before.get(name)!r}, not {now.get(name)!r}; "
                f"{remedy}."
            )
    for name, words in _IDENTITY.items():
        if held.get(name) != about[name]:
            raise StoreError(f"{path} was begun {words}; {remedy}.")


def attributes(path: Path) -> dict[str, Any]:
    """Return the global attributes of a store.

    Raises
    ------
    StoreError
        If it is not a reanalysis.
    """
    try:
        held = json.loads((path / ".zattrs").read_text())
        _ = held["settings"], held["observations_sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        raise StoreError(
            f"{path} is no store that 'mlda reanalyse' began; choose another --out."
        ) from None
    return dict(held)


def read_done(path: Path, rows: Sequence[int] | None = None) -> NDArray[np.bool_]:
    """Return which months are done: all of a store, or selected rows."""
    import zarr

    flags: Any = zarr.open_array(path, path="done", mode="r")
    return np.asarray(flags[:] if rows is None else flags.oindex[np.asarray(rows, int)], bool)


def read_months(path: Path) -> tuple[str, ...]:
    """Return the months ``YYYY-MM`` of a store."""
    with xr.open_zarr(path, chunks=None) as file:
        return tuple(str(t)[:7] for t in file["time"].values)


def read_tables(path: Path, rows: Sequence[int]) -> dict[int, pd.DataFrame]:
    """Return the observations of selected months.

    Parameters
    ----------
    path : Path
        Folder of the store.
    rows : sequence of int
        Indices of the months.

    Returns
    -------
    dict of int to DataFrame
        By row; columns variable, lat, lon, value, error_sd, withheld, as in the input.
    """
    months = read_months(path)
    with xr.open_zarr(path, chunks=None) as file:
        counts = file["n_observations"].values
    order = by_calendar(months)
    begins = np.zeros(len(months), np.int64)
    begins[order] = np.concatenate([[0], np.cumsum(counts[order])[:-1]])
    out = {}
    with xr.open_zarr(path, group="observations", chunks=None) as file:
        names = np.array(file["variable"].attrs["flag_meanings"].split(), object)
        low = min(int(begins[i]) for i in rows)
        high = max(int(begins[i] + counts[i]) for i in rows)
        # The months of a task are contiguous: read them at once.
        block = {k: file[k].values[low:high] for k in ("variable", *_COLUMNS)}
    for i in rows:
        cut = slice(int(begins[i]) - low, int(begins[i] + counts[i]) - low)
        columns = {k: v[cut] for k, v in block.items()}
        columns["variable"] = names[columns["variable"]]
        columns["withheld"] = columns["withheld"].astype(bool)
        out[i] = pd.DataFrame(columns)
    return out


def write_month(path: Path, row: int, fields: Mapping[str, NDArray[Any]], n_used: int) -> None:
    """Write one month, then its flag.

    Parameters
    ----------
    path : Path
        Folder of the store.
    row : int
        Index of the month.
    fields : mapping of str to ndarray of shape (lat, lon)
        All of :func:`field_attributes`, CF units.
    n_used : int
        Observations that were assimilated.
    """
    region = {"time": slice(row, row + 1)}
    dims = ("time", "lat", "lon")
    month = xr.Dataset({k: (dims, np.asarray(v, np.float32)[None]) for k, v in fields.items()})
    month["n_used"] = ("time", np.array([n_used], np.int32))
    month.to_zarr(path, region=region, mode="r+")
    done = xr.Dataset({"done": ("time", np.ones(1, np.int8))})
    done.to_zarr(path, region=region, mode="r+")


def _gather(
    months: Sequence[str], observed: Callable[[str], pd.DataFrame], bundle: Bundle
) -> tuple[NDArray[np.int64], dict[str, NDArray[Any]]]:
    """Count the observations of each month, and concatenate them by calendar month."""
    counts = np.zeros(len(months), np.int64)
    kinds = {"variable": "i1", **{k: kind for k, (kind, _) in _COLUMNS.items()}}
    parts: dict[str, list[NDArray[Any]]] = {k: [np.empty(0, kind)] for k, kind in kinds.items()}
    for i in by_calendar(months):
        table = observed(months[i])
        counts[i] = len(table)
        parts["variable"].append(variable_rows(bundle, list(table["variable"])).astype("i1"))
        for name, (kind, _) in _COLUMNS.items():
            parts[name].append(table[name].to_numpy().astype(kind))
    return counts, {k: np.concatenate(v) for k, v in parts.items()}
