"""Named regions, their masks and area-weighted means."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlda_core.grid import Grid


@dataclass(frozen=True)
class Region:
    """A latitude-longitude box.

    Parameters
    ----------
    label : str
        What people read.
    south, north : float
        Limits in degrees north.
    west, east : float
        Limits in degrees east; ``west > east`` crosses Greenwich.
    """

    label: str
    south: float
    north: float
    west: float
    east: float


REGIONS: dict[str, Region] = {
    "globe": Region("Globe", -90, 90, 0, 360),
    "tropics": Region("Tropics (30S-30N)", -30, 30, 0, 360),
    "north": Region("Northern extratropics (30N-90N)", 30, 90, 0, 360),
    "south": Region("Southern extratropics (30S-90S)", -90, -30, 0, 360),
    "nino34": Region("Nino 3.4 (5S-5N, 170W-120W)", -5, 5, 190, 240),
    "nino12": Region("Nino 1+2 (10S-0, 90W-80W)", -10, 0, 270, 280),
    "iod_west": Region("Indian Ocean dipole, west (10S-10N, 50E-70E)", -10, 10, 50, 70),
    "iod_east": Region("Indian Ocean dipole, east (10S-0, 90E-110E)", -10, 0, 90, 110),
    "north_atlantic": Region("North Atlantic (20N-65N, 80W-0)", 20, 65, 280, 360),
    "north_pacific": Region("North Pacific (20N-65N, 120E-110W)", 20, 65, 120, 250),
    "southern_ocean": Region("Southern Ocean (70S-45S)", -70, -45, 0, 360),
}


def region_mask(grid: Grid, region: Region) -> NDArray[np.float64]:
    """Fraction of each cell's area that lies inside a region, shape (nlat, nlon), 0..1."""
    south, north = np.sin(np.radians([region.south, region.north]))
    edges = np.sin(np.radians(grid.lat_edges))
    inside = np.minimum(edges[1:], north) - np.maximum(edges[:-1], south)
    rows = np.clip(inside, 0.0, None) / np.diff(edges)
    width = np.diff(grid.lon_edges)
    if region.east - region.west >= 360:
        return np.outer(rows, np.ones(grid.lon.size))
    span = (region.east - region.west) % 360.0
    cols = np.zeros(grid.lon.size)
    # A cell may meet the box on either side of the seam: shift the box by whole turns.
    for turn in (-360.0, 0.0, 360.0):
        west = region.west + turn
        overlap = np.minimum(grid.lon_edges[1:], west + span) - np.maximum(
            grid.lon_edges[:-1], west
        )
        cols += np.clip(overlap, 0.0, None)
    return np.outer(rows, np.clip(cols / width, 0.0, 1.0))


def regional_mean(
    field: NDArray[np.floating], grid: Grid, region: Region
) -> NDArray[np.floating] | np.floating:
    """Area-weighted mean over a region, missing cells left out.

    Parameters
    ----------
    field : ndarray, shape (..., nlat, nlon)
        NaN where missing.
    grid : Grid
        The grid of the field.
    region : Region
        Where to average.

    Returns
    -------
    ndarray, shape (...)
        NaN where the region holds no data.
    """
    weight = region_mask(grid, region) * grid.weights * np.isfinite(field)
    total = weight.sum(axis=(-2, -1))
    summed = (np.nan_to_num(field) * weight).sum(axis=(-2, -1))
    return np.divide(summed, total, out=np.full_like(summed, np.nan), where=total > 0)
