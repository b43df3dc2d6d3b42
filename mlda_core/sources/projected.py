"""Regrid from a projection to latitudes and longitudes, weighted by overlapping area.

xarray-regrid supports rectilinear grids only. Here every projected cell is cut into equal parts,
and each part is assigned to the target cell that contains its centre; a target cell is some fifty
parts wide, so its area is accurate to one or two per cent.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RegularGridInterpolator
from scipy.sparse import csr_array

from mlda_core.climate.grid import Grid
from mlda_core.sources import SourceError
from mlda_core.sources.netcdf import Projected
from mlda_core.sources.regrid import VALID_SHARE

_PARTS = 50  # across the narrower side of a target cell
_EARTH = 6_371_007.0  # m: the sphere of the Earth's area


@dataclass(frozen=True, eq=False)
class ProjectedRegridder:
    """Area-weighted means of a projection's cells over those of a rectilinear grid.

    Parameters
    ----------
    source : Projected
        Equal cells, in metres.
    target : Grid
        Target of the regridding.
    valid_share : float
        Least fraction of a target cell's area with valid source values, 0..1; cells with less
        are missing.
    """

    source: Projected
    target: Grid
    valid_share: float = VALID_SHARE

    @cached_property
    def shares(self) -> csr_array:
        """Fraction of each target cell's area that each source cell covers, (target, source)."""
        grid = self.target
        narrow = np.radians(np.diff(grid.lon).min()) * np.cos(np.radians(self.source.lat)).min()
        wanted = _EARTH * min(float(narrow), float(np.radians(np.diff(grid.lat).min()))) / _PARTS
        count = int(np.clip(np.ceil(np.sqrt(_cell_area(self.source)) / wanted), 1, 100))
        lat, lon, cell = _parts(self.source, count)
        row = np.searchsorted(grid.lat_edges, lat, "right") - 1
        west = grid.lon_edges[0]
        column = np.searchsorted(grid.lon_edges, np.mod(lon - west, 360.0) + west, "right") - 1
        on = (row >= 0) & (row < grid.lat.size) & (column >= 0) & (column < grid.lon.size)
        index = row[on] * grid.lon.size + column[on]
        part = _cell_area(self.source) / count**2 / _areas(grid).ravel()[index]
        size = grid.lat.size * grid.lon.size, int(np.prod(self.source.shape))
        return csr_array((part, (index, cell[on])), shape=size)

    def __call__(self, fields: NDArray[np.floating]) -> NDArray[np.float32]:
        """Regrid fields (n, y, x), NaN where missing."""
        flat = np.asarray(fields, dtype=np.float64).reshape(len(fields), -1)
        good = np.isfinite(flat)
        total = self.shares @ np.where(good, flat, 0.0).T
        covered = self.shares @ good.T.astype(np.float64)
        enough = covered >= max(self.valid_share, 1e-6) - 1e-9
        out = np.divide(total, covered, out=np.full(total.shape, np.nan), where=enough)
        return out.T.reshape(len(fields), *self.target.shape).astype(np.float32)


def crop_to_projected(target: Grid, source: Projected, valid_share: float) -> Grid:
    """Crop a global grid to the cells that a projection covers.

    Parameters
    ----------
    target : Grid
        Global.
    source : Projected
    valid_share : float
        Keep rows and columns with a cell whose covered fraction is at least this.

    Returns
    -------
    Grid
        Longitudes ascend from the western edge, past 360 where the region lies across Greenwich.

    Raises
    ------
    SourceError
        If fewer than two rows or columns remain.
    """
    covered = ProjectedRegridder(source, target).shares.sum(axis=1).reshape(target.shape)
    there = covered >= max(valid_share, 1e-6)
    rows, columns = there.any(axis=1), there.any(axis=0)
    if rows.sum() < 2 or columns.sum() < 2:
        raise SourceError(
            "The data cover fewer than two rows or columns of the grid asked for; take smaller "
            "steps."
        )
    step = float(np.diff(target.lon).mean())
    west = float(np.mod(_unwrapped(source).min() - step, 360.0))
    return Grid(target.lat[rows], np.sort(np.mod(target.lon[columns] - west, 360.0)) + west)


def _parts(
    source: Projected, count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return latitude and longitude of the centres of all parts, and the cell of each."""
    offset = (np.arange(count) + 0.5) / count - 0.5
    steps = [float(np.diff(axis).mean()) for axis in (source.y, source.x)]
    y, x = (
        (axis[:, None] + step * offset).ravel()
        for axis, step in zip((source.y, source.x), steps, strict=True)
    )
    points = np.stack(np.meshgrid(y, x, indexing="ij"), axis=-1)
    # Linear between cell centres, which is accurate within a cell; extrapolated at the borders.
    lat, lon = (
        RegularGridInterpolator((source.y, source.x), values, bounds_error=False, fill_value=None)(
            points
        )
        for values in (source.lat, _unwrapped(source))
    )
    cells = np.arange(source.lat.size).reshape(source.shape)
    owner = np.repeat(np.repeat(cells, count, axis=0), count, axis=1)
    return lat.ravel(), lon.ravel(), owner.ravel()


def _unwrapped(source: Projected) -> NDArray[np.float64]:
    """Return longitudes without a jump at Greenwich."""
    centre = source.lon[source.shape[0] // 2, source.shape[1] // 2]
    return np.asarray(np.mod(source.lon - centre + 180.0, 360.0) - 180.0 + centre)


def _cell_area(source: Projected) -> float:
    return float(np.diff(source.y).mean() * np.diff(source.x).mean())


def _areas(grid: Grid) -> NDArray[np.float64]:
    """Areas of cells, m2, shape (nlat, nlon)."""
    band = np.diff(np.sin(np.radians(grid.lat_edges)))
    return np.asarray(_EARTH**2 * np.outer(band, np.radians(np.diff(grid.lon_edges))))
