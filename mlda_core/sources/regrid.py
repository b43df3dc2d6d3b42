"""Conservative regridding between rectilinear grids, aware of missing cells.

The products are xarray-regrid's (https://xarray-regrid.readthedocs.io), but not the weights: its
accessor ``.regrid.conservative`` weighs a row that is split between two by the row's centre, which
shifts global means by 1e-3 of the field on 2.5 degrees, and gives rows centred on a pole no weight
at all. Here a weight is the exact fraction of a target cell's area that a source cell covers.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from mlda_core.climate.grid import Grid
from mlda_core.sources import SourceError
from mlda_core.sources.axes import eastwards

VALID_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class Regridder:
    """Area-weighted means of one grid's cells over another's.

    Parameters
    ----------
    source, target : Grid
        Grids of the input and the output.
    valid_share : float
        Least fraction of a target cell's area with valid source values, 0..1; cells with less
        are missing.
    """

    source: Grid
    target: Grid
    valid_share: float = VALID_SHARE

    @cached_property
    def _shares(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return shares(self.source, self.target)

    def __call__(self, fields: NDArray[np.floating]) -> NDArray[np.float32]:
        """Regrid fields (n, lat, lon), NaN where missing."""
        # Imported at first use: takes a second to load.
        from xarray_regrid.methods.conservative import apply_weights

        data = xr.DataArray(
            np.asarray(fields, dtype=np.float64),
            dims=("time", "lat", "lon"),
            coords={"lat": self.source.lat, "lon": self.source.lon},
        )
        lat, lon = self._shares
        weights: dict[Hashable, xr.DataArray] = {
            "lat": _named(lat, "lat", self),
            "lon": _named(lon, "lon", self),
        }
        # The library's threshold is the fraction that may be missing.
        out = apply_weights(data, weights, skipna=True, nan_threshold=1 - self.valid_share)
        return np.asarray(out.values, dtype=np.float32)


def shares(source: Grid, target: Grid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the fraction of each target row and column that each source row and column covers.

    Parameters
    ----------
    source, target : Grid

    Returns
    -------
    lat : ndarray, shape (source nlat, target nlat)
        By area, so in sine of latitude; a column sums to 1 if the source covers the row.
    lon : ndarray, shape (source nlon, target nlon)
        Modulo 360 degrees.
    """
    from xarray_regrid.utils import overlap

    def cut(these: NDArray[np.float64], those: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(
            overlap(pd.IntervalIndex.from_breaks(these), pd.IntervalIndex.from_breaks(those))
        )

    rows, wanted = (np.sin(np.radians(grid.lat_edges)) for grid in (source, target))
    lat = cut(rows, wanted) / np.diff(wanted)
    shifts = range(-2, 3)
    columns = sum(cut(source.lon_edges + 360.0 * shift, target.lon_edges) for shift in shifts)
    return lat, np.asarray(columns / np.diff(target.lon_edges))


def _named(weights: NDArray[np.float64], name: str, regridder: Regridder) -> xr.DataArray:
    return xr.DataArray(
        weights,
        dims=(name, f"target_{name}"),
        coords={
            name: getattr(regridder.source, name),
            f"target_{name}": getattr(regridder.target, name),
        },
    )


def grid_of_step(text: str) -> Grid:
    """Return the global grid of ``2.5`` or ``2x3`` degrees (latitude x longitude).

    Rows end at the poles and are not centred on them; the first column is centred on Greenwich.

    Raises
    ------
    SourceError
        If the text cannot be parsed, or the steps do not divide the globe.
    """
    try:
        steps = [float(part) for part in text.lower().split("x")]
        dlat, dlon = steps if len(steps) == 2 else (steps * 2)[:2]
        if len(steps) > 2 or not all(0 < s <= 60 for s in steps):
            raise ValueError
    except ValueError:
        raise SourceError(
            f"--grid '{text}' is no step in degrees; give one such as 2.5, or 2x3 for latitude x "
            "longitude."
        ) from None
    for step, whole in ((dlat, 180.0), (dlon, 360.0)):
        if abs(whole / step - round(whole / step)) > 1e-6:
            raise SourceError(
                f"--grid '{text}': {step:g} degrees do not divide {whole:g}; take a step that does."
            )
    rows = np.arange(round(180 / dlat), dtype=np.float64)
    columns = np.arange(round(360 / dlon), dtype=np.float64)
    return Grid(-90.0 + dlat * (rows + 0.5), dlon * columns)


def grid_like(path: Path) -> Grid:
    """Return the grid of a netCDF file with one-dimensional latitudes and longitudes.

    Raises
    ------
    SourceError
        If it cannot be read, or has no such grid.
    """
    try:
        with xr.open_dataset(path, decode_times=False) as data:
            axes = []
            for names in (("lat", "latitude"), ("lon", "longitude")):
                axis = next((data[n] for n in names if n in data.variables), None)
                if axis is None or axis.ndim != 1:
                    raise SourceError(
                        f"{path} has no one-dimensional {names[1]}; give --like a file on a "
                        "rectilinear grid."
                    )
                axes.append(np.asarray(axis.values, dtype=np.float64))
    except SourceError:
        raise
    except (OSError, ValueError, RuntimeError) as error:
        raise SourceError(f"{path} cannot be read as netCDF; give --like another file.") from error
    try:
        return Grid(np.sort(axes[0]), eastwards(axes[1])[0])
    except ValueError as error:
        raise SourceError(f"{path}: {error}") from error


def crop(target: Grid, sources: list[Grid], valid_share: float) -> Grid:
    """Crop a global grid to the part that regional sources cover.

    Parameters
    ----------
    target : Grid
        Global.
    sources : list of Grid
        A row or column is kept if each of them covers it by the valid fraction.
    valid_share : float
        0..1.

    Returns
    -------
    Grid
        Longitudes ascend from the region's western edge, past 360 where it lies across Greenwich.

    Raises
    ------
    SourceError
        If fewer than two rows or columns remain.
    """
    rows = np.ones(target.lat.size, dtype=bool)
    columns = np.ones(target.lon.size, dtype=bool)
    for source in sources:
        lat, lon = shares(source, target)
        least = max(valid_share, 1e-6) - 1e-9
        rows &= lat.sum(axis=0) >= least
        columns &= lon.sum(axis=0) >= least
    lon = target.lon[columns]
    if not columns.all():
        west = max(float(grid.lon_edges[0]) for grid in sources if not grid.is_global)
        step = float(np.diff(target.lon).mean())
        lon = np.sort(np.mod(lon - west + step / 2, 360.0)) + west - step / 2
    if rows.sum() < 2 or lon.size < 2:
        raise SourceError(
            "The data cover fewer than two rows or columns of the grid asked for; take smaller "
            "steps."
        )
    return Grid(target.lat[rows], lon)
