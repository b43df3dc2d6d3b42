"""The horizontal grid: cell centres, cell edges and area weights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.sphere import unit_vectors


@dataclass(frozen=True, eq=False)
class Grid:
    """A rectilinear latitude-longitude grid.

    Parameters
    ----------
    lat : ndarray, shape (nlat,)
        Cell-centre latitudes in degrees north, ascending.
    lon : ndarray, shape (nlon,)
        Cell-centre longitudes in degrees east, ascending.

    Raises
    ------
    ValueError
        If an axis is not one-dimensional, not ascending, or off the globe.
    """

    lat: NDArray[np.float64]
    lon: NDArray[np.float64]

    def __post_init__(self) -> None:
        for name in ("lat", "lon"):
            axis = np.asarray(getattr(self, name), dtype=np.float64)
            if axis.ndim != 1 or axis.size < 2 or not np.all(np.diff(axis) > 0):
                raise ValueError(
                    f"The grid's {name} must be one ascending list of at least two degrees; "
                    f"sort the file's {name} axis first."
                )
            object.__setattr__(self, name, axis)
        if self.lat[0] < -90 or self.lat[-1] > 90:
            raise ValueError("The grid's lat leaves -90..90 degrees; check its units.")

    @property
    def shape(self) -> tuple[int, int]:
        """Number of latitudes and longitudes."""
        return self.lat.size, self.lon.size

    @cached_property
    def is_global(self) -> bool:
        """Whether the cells cover the sphere: all the way round, and from pole to pole."""
        step = float(np.diff(self.lon).mean())
        around = abs(self.lon.size * step - 360.0) < 0.01 * step + 1e-6
        south, north = self.lat_edges[[0, -1]]
        return bool(around and south == -90.0 and north == 90.0)

    @cached_property
    def lat_edges(self) -> NDArray[np.float64]:
        """Cell edges in latitude, shape (nlat + 1,), degrees: midpoints, closed at the poles."""
        edges = _edges(self.lat)
        # The outermost rows of a global grid extend to the pole, whatever their centre.
        step = float(np.diff(self.lat).mean())
        if self.lat[0] - step < -90.0:
            edges[0] = -90.0
        if self.lat[-1] + step > 90.0:
            edges[-1] = 90.0
        return np.clip(edges, -90.0, 90.0)

    @cached_property
    def lon_edges(self) -> NDArray[np.float64]:
        """Cell edges in longitude, shape (nlon + 1,), degrees: midpoints."""
        return _edges(self.lon)

    @cached_property
    def points(self) -> NDArray[np.float64]:
        """Cell centres on the unit sphere, shape (nlat * nlon, 3)."""
        lat, lon = np.meshgrid(self.lat, self.lon, indexing="ij")
        return unit_vectors(lat.ravel(), lon.ravel())

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        """Exact cell areas on the sphere as fractions of the grid's area, shape (nlat, nlon)."""
        band = np.diff(np.sin(np.radians(self.lat_edges)))
        area = np.outer(band, np.diff(self.lon_edges))
        return np.asarray(area / area.sum())


def _edges(centres: NDArray[np.float64]) -> NDArray[np.float64]:
    middle = 0.5 * (centres[1:] + centres[:-1])
    first = centres[0] - (middle[0] - centres[0])
    last = centres[-1] + (centres[-1] - middle[-1])
    return np.concatenate([[first], middle, [last]])
