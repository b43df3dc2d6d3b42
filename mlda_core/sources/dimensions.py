"""Identify the time, latitude and longitude dimensions of a variable by the CF conventions."""

from __future__ import annotations

import re

import numpy as np
import xarray as xr

from mlda_core.sources import SourceError
from mlda_core.sources.haduk import X, Y

# Usual names, for files without CF attributes.
_NAMES = {
    "time": ("time", "valid_time", "time_counter", "date", "yyyymm", "forecast_reference_time"),
    "lat": ("lat", "latitude", Y),
    "lon": ("lon", "longitude", X),
}
_STANDARD = {
    "time": "time",
    "forecast_reference_time": "time",
    "latitude": "lat",
    "longitude": "lon",
    Y: "lat",
    X: "lon",
}
_NORTH = re.compile(r"^degrees?_?n(orth)?$", re.IGNORECASE)
_EAST = re.compile(r"^degrees?_?e(ast)?$", re.IGNORECASE)
REFERENCE = "forecast_reference_time"


def axes_of(field: xr.DataArray, where: object = None) -> dict[str, str]:
    """Return a variable's dimensions of time, latitude (or y) and longitude (or x), by role.

    Parameters
    ----------
    field : DataArray
        With its coordinates, times not decoded.
    where : object
        Name of the file in messages.

    Raises
    ------
    SourceError
        If one is missing.
    """
    axes: dict[str, str] = {}
    for dim in map(str, field.dims):
        axis = _axis(dim, field)
        if axis and axis not in axes:
            axes[axis] = dim
    missing = [axis for axis in _NAMES if axis not in axes]
    if not missing:
        return {axis: axes[axis] for axis in _NAMES}
    dims = ", ".join(map(str, field.dims))
    plane = [name for name, c in field.coords.items() if c.ndim == 2 and _meaning(c) == "lat"]
    if plane and "lat" in missing:
        raise SourceError(
            f"{where} has {field.name} on ({dims}), a grid whose latitudes '{plane[0]}' are "
            "two-dimensional; regrid it first, such as by 'cdo remapcon,r360x180 IN.nc OUT.nc'."
        )
    raise SourceError(
        f"{where} has {field.name} on ({dims}) and no coordinate '{_NAMES[missing[0]][0]}' there; "
        "give the file as its provider made it."
    )


def _axis(dim: str, field: xr.DataArray) -> str:
    if dim in field.coords:
        meaning = _meaning(field.coords[dim])
        if meaning:
            return meaning
        return next((axis for axis, names in _NAMES.items() if dim.lower() in names), "")
    along = [c for c in field.coords.values() if c.dims == (dim,)]
    return "time" if any(_meaning(c) == "time" for c in along) else ""


def _meaning(coordinate: xr.DataArray) -> str:
    """Return the axis that a coordinate's attributes denote, or ''."""
    attrs = coordinate.attrs
    units = str(attrs.get("units", "")).strip()
    known = _STANDARD.get(str(attrs.get("standard_name", "")).strip())
    if known:
        return known
    if _NORTH.match(units):
        return "lat"
    if _EAST.match(units):
        return "lon"
    return "time" if " since " in units or str(attrs.get("axis", "")).upper() == "T" else ""


def time_of(data: xr.Dataset, dim: str, where: object) -> str:
    """Return the coordinate with the valid time of fields along a dimension.

    GRIB has two times: ``valid_time`` is preferred to the reference time of the forecast if it
    runs along the dimension.

    Parameters
    ----------
    data : Dataset
        Opened with ``decode_times=False``.
    dim : str
        The dimension of time.
    where : object
        Name of the file in messages.

    Raises
    ------
    SourceError
        If there is none.
    """
    if "valid_time" in data.variables:
        valid = data["valid_time"]
        others = [d for d in valid.dims if d != dim and valid.sizes[d] > 1]
        if dim in valid.dims and not others:
            return "valid_time"
    if dim not in data.variables:
        along = [str(n) for n, v in data.variables.items() if v.dims == (dim,)]
        times = [n for n in along if _meaning(data[n]) == "time"]
        if len(times) != 1:
            raise SourceError(f"{where} has no coordinate on its dimension '{dim}'; add the times.")
        return times[0]
    if dim == REFERENCE or data[dim].attrs.get("standard_name") == REFERENCE:
        # An analysis is valid at its reference time.
        if "step" in data.variables and not np.any(data["step"].values):
            return dim
        raise SourceError(
            f"{where} has the reference times of forecasts on '{dim}' and no 'valid_time' along "
            "it; keep that when the file is made."
        )
    return dim
