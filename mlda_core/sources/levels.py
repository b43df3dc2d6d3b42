"""Select the pressure level of a variable."""

from __future__ import annotations

import numpy as np
import xarray as xr

from mlda_core.sources import SourceError
from mlda_core.sources.layout import LEVELS, Known
from mlda_core.sources.places import Place

_PASCALS = {"pa": 1.0, "hpa": 100.0, "mb": 100.0, "mbar": 100.0, "millibar": 100.0}


def pressures(field: xr.DataArray) -> tuple[str, np.ndarray] | None:
    """Return a variable's coordinate of pressure and its values in Pa, None if it has none."""
    for name, coordinate in field.coords.items():
        units = str(coordinate.attrs.get("units", "")).strip().lower().removesuffix("s")
        scale = _PASCALS.get(units)
        if scale is not None and LEVELS.match(str(name)) and coordinate.ndim <= 1:
            return str(name), np.ravel(np.asarray(coordinate.values, np.float64)) * scale
    return None


def at_level(
    field: xr.DataArray, known: Known, where: Place
) -> tuple[xr.DataArray, tuple[str, int] | None]:
    """Return a variable on its pressure level, and that level's dimension and position.

    Parameters
    ----------
    field : DataArray
    known : Known
        Its canonical identity; a variable without a level is returned as it is.
    where : Place
        Name of the file in messages.

    Raises
    ------
    SourceError
        If it is on other levels.
    """
    if known.level is None:
        return field, None
    held = pressures(field)
    levels = np.empty(0) if held is None else held[1]
    near = np.flatnonzero(np.abs(levels - known.level) < 1.0)
    if held is None or near.size != 1:
        listed = ", ".join(f"{level / 100:g}" for level in levels[:6])
        raise SourceError(
            f"{where} has {field.name} on {listed or 'no'} hPa, and {known.name} is on "
            f"{known.level / 100:g} hPa; give a file with that level."
        )
    name = held[0]
    if name not in field.dims:
        along = field.coords[name].dims
        if not along:
            return field, None
        name = str(along[0])
    at = name, int(near[0])
    return field.isel(dict([at])), at
