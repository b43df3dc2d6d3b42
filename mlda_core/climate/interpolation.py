"""The observation operator: bilinear interpolation of fields to places."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mlda_core.climate.errors import UserError
from mlda_core.climate.grid import Grid

# Least sum of the interpolation weights on valid cells for a place to be observable: a quarter is
# one corner of four, so an observation of the sea is at most half a cell from a cell of sea.
LEAST_COVER = 0.25


class ObservationError(UserError):
    """An observation is invalid; the message is one sentence with the remedy."""


@dataclass(frozen=True, eq=False)
class Places:
    """Interpolation weights of observation places on the cells of a state.

    Parameters
    ----------
    index : ndarray of int, shape (p, 4)
        Cells of the flattened state (V, lat, lon).
    weight : ndarray of float64, shape (p, 4)
        Summing to 1 over each row.
    variable : ndarray of int, shape (p,)
        Row of the variable in the state.
    lat, lon : ndarray, shape (p,)
        Degrees north and east, lon within 0..360.
    """

    index: NDArray[np.int64]
    weight: NDArray[np.float64]
    variable: NDArray[np.int64]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.index)

    @property
    def names(self) -> list[bytes]:
        """Key of each place, equal for the same variable at the same place.

        Cells and weights alone do not distinguish all places: beyond the last row, and where only
        one corner of a coastal cell is sea, many places share them, so the position is included.
        """
        parts = (self.variable, self.lat, self.lon)
        return [row.tobytes() for row in np.stack(parts, axis=1).astype(np.float64)]

    def interpolate(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Interpolate flattened states (K, cells) to the places, float32, shape (p, K)."""
        out = np.zeros((len(self), len(rows)), np.float32)
        for corner in range(self.index.shape[1]):
            weight = self.weight[:, corner, None].astype(np.float32)
            out += weight * rows[:, self.index[:, corner]].T
        return out

    def where(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Places:
        """Return the subset of places selected by a mask or an index."""
        return Places(**{k: getattr(self, k)[rows] for k in self.__dataclass_fields__})


class ObservationOperator:
    """Bilinear interpolation from a grid to places, using only cells where a variable exists.

    Periodic in longitude on a global grid. Poleward of the last row, that row's values are used
    unchanged: a Gaussian grid's last row is 3 degrees from the pole.

    Parameters
    ----------
    grid : Grid
    mask : ndarray of bool, shape (V, lat, lon)
        True where the variable exists: land never enters an observation of the sea.
    """

    def __init__(self, grid: Grid, mask: NDArray[np.bool_]) -> None:
        self.grid, self.mask = grid, mask
        self._flat = mask.reshape(-1)
        step = float(np.diff(grid.lon).mean())
        self._closed = abs(grid.lon.size * step - 360.0) < 0.01 * step + 1e-6

    def observable(self, variable: ArrayLike, lat: ArrayLike, lon: ArrayLike) -> NDArray[np.bool_]:
        """Whether the variable exists at each place.

        Parameters
        ----------
        variable : array_like of int, shape (p,)
            Rows of the variables in the state.
        lat, lon : array_like, shape (p,)
            Degrees.

        Returns
        -------
        ndarray of bool, shape (p,)
        """
        return self._weights(variable, lat, lon)[2] >= LEAST_COVER

    def locate(self, variable: ArrayLike, lat: ArrayLike, lon: ArrayLike) -> Places:
        """Find the cells and weights of places.

        Parameters
        ----------
        variable : array_like of int, shape (p,)
            Rows of the variables in the state.
        lat, lon : array_like, shape (p,)
            Degrees north and east; longitudes of any range.

        Returns
        -------
        Places

        Raises
        ------
        ObservationError
            If the variable does not exist at a place: the sea over land, or outside the grid.
        """
        index, weight, cover = self._weights(variable, lat, lon)
        bad = np.flatnonzero(cover < LEAST_COVER)
        north = np.atleast_1d(np.asarray(lat, np.float64))
        east = np.mod(np.atleast_1d(np.asarray(lon, np.float64)), 360.0)
        if bad.size:
            i = int(bad[0])
            raise ObservationError(
                f"Observation {i + 1} lies at {north[i]:.2f}N {east[i]:.2f}E, where its variable "
                "does not exist on this grid; move or delete it."
            )
        which = np.broadcast_to(np.atleast_1d(np.asarray(variable, np.int64)), north.shape)
        return Places(index, weight / cover[:, None], which.copy(), north, east)

    def apply(self, places: Places, fields: NDArray[np.floating]) -> NDArray[np.floating]:
        """Interpolate fields to places.

        Parameters
        ----------
        places : Places
        fields : ndarray, shape (..., V, lat, lon)
            Values where the mask is False do not enter, and may be NaN.

        Returns
        -------
        ndarray, shape (..., p)
        """
        flat = fields.reshape(*fields.shape[:-3], -1)
        # Differences have negative weights.
        corners = np.where(places.weight != 0, flat[..., places.index], 0.0)
        return np.asarray((corners * places.weight).sum(axis=-1))

    def _weights(
        self, variable: ArrayLike, lat: ArrayLike, lon: ArrayLike
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """Cells (p, 4), weights of the valid ones, and the sum of these weights (p,)."""
        north = np.atleast_1d(np.asarray(lat, np.float64))
        east = np.atleast_1d(np.asarray(lon, np.float64))
        which = np.broadcast_to(np.atleast_1d(np.asarray(variable, np.int64)), north.shape)
        rows, along = self._rows(north)
        columns, across = self._columns(east)
        n_lat, n_lon = self.grid.shape
        parts = np.stack(
            [
                (1 - along) * (1 - across),
                (1 - along) * across,
                along * (1 - across),
                along * across,
            ],
            axis=1,
        )
        cell = np.stack(
            [
                rows[0] * n_lon + columns[0],
                rows[0] * n_lon + columns[1],
                rows[1] * n_lon + columns[0],
                rows[1] * n_lon + columns[1],
            ],
            axis=1,
        )
        index = which[:, None] * (n_lat * n_lon) + cell
        weight = np.where(self._flat[index], parts, 0.0)
        weight[~np.isfinite(weight)] = 0.0
        return index, weight, weight.sum(axis=1)

    def _rows(
        self, lat: NDArray[np.float64]
    ) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float64]]:
        """Rows south and north of latitudes, and the weight of the northern one.

        Beyond the last row, up to its cells' edge, that row alone is used.
        """
        axis, edges = self.grid.lat, self.grid.lat_edges
        lower = np.clip(np.searchsorted(axis, lat, side="right") - 1, 0, axis.size - 2)
        along = np.clip((lat - axis[lower]) / (axis[lower + 1] - axis[lower]), 0.0, 1.0)
        along[(lat < edges[0]) | (lat > edges[-1]) | ~np.isfinite(lat)] = np.nan
        return (lower, lower + 1), along

    def _columns(
        self, lon: NDArray[np.float64]
    ) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float64]]:
        """Columns west and east of longitudes, and the weight of the eastern one."""
        axis = self.grid.lon
        # Counted from half a cell west of the first column, where a regional grid begins.
        begin = float(self.grid.lon_edges[0])
        turned = np.mod(lon - begin, 360.0) + begin
        outside = ~np.isfinite(turned)
        turned = np.where(outside, begin, turned)
        lower = np.searchsorted(axis, turned, side="right") - 1
        if self._closed:
            west = np.mod(lower, axis.size)
            east = np.mod(lower + 1, axis.size)
            gap = np.mod(axis[east] - axis[west], 360.0)
            across = np.mod(turned - axis[west], 360.0) / gap
        else:
            outside |= turned > self.grid.lon_edges[-1]
            west = np.clip(lower, 0, axis.size - 2)
            east = west + 1
            across = np.clip((turned - axis[west]) / (axis[east] - axis[west]), 0.0, 1.0)
        across[outside] = np.nan
        return (west, east), across
