"""Places combined: means over regions and differences, as observation operators."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.interpolation import Places

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CombinedPlaces(Places):
    """Weighted sums over points, one each observation; as places they are the sum's cells.

    The cells of an observation are padded to the most cells of any, with weight 0; ``lat`` and
    ``lon`` are where it is shown.

    Parameters
    ----------
    points : Places
        All points, those of an observation one after another.
    row : ndarray of int, shape (P,)
        Which observation each belongs to, ascending.
    coefficient : ndarray, shape (P,)
    gridded : ndarray of bool, shape (p,)
        Whether all points of an observation are the centres of cells.
    """

    points: Places
    row: NDArray[np.int64]
    coefficient: Array
    gridded: NDArray[np.bool_]

    @property
    def names(self) -> list[bytes]:
        """Key of each observation: of a single point, that of :class:`Places`."""
        inner = self.points.names
        out = []
        for i, (first, last) in enumerate(self._spans()):
            if last - first == 1 and self.coefficient[first] == 1.0:
                out.append(inner[first])
                continue
            digest = hashlib.sha256(b"".join(inner[first:last]))
            digest.update(self.coefficient[first:last].tobytes())
            out.append(digest.digest() + np.array([self.lat[i], self.lon[i]]).tobytes())
        return out

    def where(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> CombinedPlaces:
        """Return the subset of observations selected by a mask or an index."""
        chosen = np.flatnonzero(rows) if rows.dtype == bool else np.asarray(rows, np.int64)
        spans = self._spans()
        parts = [np.arange(*spans[i]) for i in chosen]
        at = np.concatenate(parts) if parts else np.zeros(0, np.int64)
        counts = [len(p) for p in parts]
        return CombinedPlaces(
            self.index[chosen],
            self.weight[chosen],
            self.variable[chosen],
            self.lat[chosen],
            self.lon[chosen],
            self.points.where(at),
            np.repeat(np.arange(len(chosen)), counts),
            self.coefficient[at],
            self.gridded[chosen],
        )

    def add_up(self, values: Array, axis: int = 0) -> Array:
        """Sum values at the points to the observations.

        Parameters
        ----------
        values : ndarray
            One of the points along an axis.
        axis : int

        Returns
        -------
        ndarray
            One of the observations along it.
        """
        if not len(self):
            return np.take(values, np.zeros(0, np.int64), axis=axis)
        shape = [1] * values.ndim
        shape[axis] = -1
        starts = np.array([first for first, _ in self._spans()])
        weighted = values * self.coefficient.reshape(shape)
        return np.asarray(np.add.reduceat(weighted, starts, axis=axis))

    def _spans(self) -> list[tuple[int, int]]:
        ends = np.searchsorted(self.row, np.arange(len(self) + 1))
        return [(int(a), int(b)) for a, b in pairwise(ends)]


def combine(
    parts: Sequence[Sequence[tuple[float | Array, Places]]],
    lat: Array,
    lon: Array,
    gridded: NDArray[np.bool_],
) -> CombinedPlaces:
    """Combine places to observations.

    Parameters
    ----------
    parts : list of list of (float or ndarray, Places)
        Of each observation, its terms: coefficients and places.
    lat, lon : ndarray, shape (p,)
        Where each is shown.
    gridded : ndarray of bool, shape (p,)
    """
    every = [(i, c, places) for i, terms in enumerate(parts) for c, places in terms]
    points = Places(
        *(
            np.concatenate([getattr(places, name) for _, _, places in every])
            for name in ("index", "weight", "variable", "lat", "lon")
        )
    )
    row = np.concatenate([np.full(len(places), i) for i, _, places in every])
    coefficient = np.concatenate([np.broadcast_to(c, len(places)) for _, c, places in every])
    cells, weights = [], []
    for i in range(len(parts)):
        mine = row == i
        at = points.index[mine].ravel()
        amount = (points.weight[mine] * coefficient[mine, None]).ravel()
        kept = amount != 0.0
        found, inverse = np.unique(at[kept], return_inverse=True)
        cells.append(found)
        weights.append(np.bincount(inverse, amount[kept], found.size))
    most = max(len(c) for c in cells)
    index = np.zeros((len(parts), most), np.int64)
    weight = np.zeros((len(parts), most))
    for i, (found, amount) in enumerate(zip(cells, weights, strict=True)):
        index[i, : len(found)], weight[i, : len(found)] = found, amount
        index[i, len(found) :] = found[0] if len(found) else 0
    variable = np.array([terms[0][1].variable[0] for terms in parts], np.int64)
    return CombinedPlaces(
        index, weight, variable, lat, lon, points, row.astype(np.int64), coefficient, gridded
    )
