"""The observed years behind each model year under a mixed sea.

A mixed sea is ``cos(a) A + sin(a) B`` of the anomalies of two observed years plus a uniform
offset. A held-out parent year would leak its sea into training, so the parents are recovered from
the fields, and a mixed month may train only if their months may.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mlda_core.climate.grid import Grid
from mlda_core.sources import SourceError


@dataclass(frozen=True)
class Parents:
    """The two observed years whose anomalies best explain a mixed year.

    Parameters
    ----------
    years : tuple of int
        The two years.
    unexplained : float
        Fraction of the mixed anomaly's variance that they and an offset leave.
    """

    years: tuple[int, int]
    unexplained: float


def find_parents(observed: xr.Dataset, mixed: xr.Dataset) -> dict[tuple[int, int], Parents]:
    """Find the parents of every mixed model year, by least squares over all pairs of years.

    Away from ice (40S-40N) the mixture is exact up to packing and interpolation in time: the
    correct pair leaves about 1 % of the variance, and the next best several times as much, unless
    its year enters with a weight near zero.

    Parameters
    ----------
    observed, mixed : Dataset
        Canonical datasets with ``tos``, whole years.

    Returns
    -------
    dict of (member, labelled year) to Parents

    Raises
    ------
    SourceError
        If a dataset lacks ``tos`` or whole years.
    """
    grid = Grid(observed["lat"].values, observed["lon"].values)
    rows = np.abs(grid.lat) < 40
    # All members have the observed sea, but some lack years that others have.
    shared = observed[[name for name in observed if name == "tos"]].mean("member")
    sea, years = _by_year(shared, rows)
    climatology = sea.mean(axis=0)
    cells = np.isfinite(climatology).all(axis=0)
    if not cells.any():
        raise SourceError(
            "The observed sea has no cell between 40S and 40N with every month, by which mixed "
            "seas are recognised; complete it or set mixed_share = 0."
        )
    root = np.sqrt(grid.weights[rows])[cells]

    def flat(fields: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(((fields - climatology)[:, :, cells] * root).reshape(len(fields), -1))

    basis = np.vstack([flat(sea), np.tile(root, 12)])
    gram = basis @ basis.T
    pairs = np.array(list(combinations(range(len(years)), 2)))
    sets = np.column_stack([pairs, np.full(len(pairs), len(years))])
    inverse = np.linalg.inv(gram[sets[:, :, None], sets[:, None, :]])
    parents: dict[tuple[int, int], Parents] = {}
    for member in mixed["member"].values:
        fields, labels = _by_year(mixed.sel(member=member), rows)
        for label, target in zip(labels, flat(fields), strict=True):
            b = (basis @ target)[sets]
            explained = np.einsum("pi,pij,pj->p", b, inverse, b)
            best = int(explained.argmax())
            pair = years[pairs[best, 0]], years[pairs[best, 1]]
            # Missing cells give NaN, which must not be taken for a good fit.
            left = 1 - explained[best] / (target @ target)
            parents[int(member), label] = Parents(pair, float(left))
    return parents


def _by_year(data: xr.Dataset, rows: NDArray[np.bool_]) -> tuple[NDArray[np.float64], list[int]]:
    """Return tos as (year, month, lat, lon) and the years."""
    if "tos" not in data or data.sizes["time"] % 12:
        raise SourceError("Mixed seas need 'tos' and whole years in both datasets; prepare again.")
    tos = data["tos"].values[:, rows].astype(np.float64)
    years = data["time"].dt.year.values[::12]
    return tos.reshape(len(years), 12, *tos.shape[1:]), [int(y) for y in years]
