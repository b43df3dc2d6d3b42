"""The observed years behind each model year under a synthetic sea.

A mixed sea is ``cos(a) A + sin(a) B`` of the anomalies of two observed years plus a uniform
offset; a patched sea has warm or cold patches on such a mixture. A held-out parent year would leak
its sea into training, so the parents are recovered from the fields, and a month may train only if
those of its parents may.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mlda_core.climate.grid import Grid
from mlda_core.sources import SourceError

Array = NDArray[np.float64]

# Half the width of the weights' peak, K: above packing (0.01 K), far below an anomaly (0.5 K).
_NOISE = 0.03
# Values this near to the mixture, K, count as explained: interpolation in time moves some more.
_NEAR = 0.1
# A parent with less weight makes at most 1 % of the variance of a sea. Other years seem to have up
# to 0.08: the GCM adds anomalies from 1981-2010 to its own climatology, and those years' mean
# stands for what it differs by from that of all years.
LEAST_WEIGHT = 0.1
_CELLS = 600  # of which the fit takes its sample: with all of them, four times the time


@dataclass(frozen=True)
class Parents:
    """The observed years whose anomalies make a synthetic sea.

    Parameters
    ----------
    years : tuple of int
        Those with a weight of at least :data:`LEAST_WEIGHT`, ascending: two, or one if the
        other's is below.
    explained : float
        Fraction of cells and months that the regression fits within 0.1 K.
    """

    years: tuple[int, ...]
    explained: float


def find_parents(observed: xr.Dataset, synthetic: xr.Dataset) -> dict[tuple[int, int], Parents]:
    """Find the parents of every model year under a mixed or patched sea, by robust regression.

    Away from ice (40S-40N) the mixture is exact up to packing and interpolation in time, but for
    the patches. A regression on the anomalies of all years that trusts values less the larger their
    misfit (Cauchy's weights) leaves the patches aside, and two years stand out.

    Parameters
    ----------
    observed, synthetic : Dataset
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
    cells = np.flatnonzero(np.isfinite(climatology).all(axis=0))
    if not cells.size:
        raise SourceError(
            "The observed sea has no cell between 40S and 40N with every month, by which mixed "
            "seas are recognised; complete it or set mixed_share = 0."
        )
    cells = cells[:: -(-cells.size // _CELLS)]

    def flat(fields: Array) -> Array:
        return np.asarray((fields - climatology)[:, :, cells].reshape(len(fields), -1))

    anomalies = flat(sea)
    parents: dict[tuple[int, int], Parents] = {}
    for member in synthetic["member"].values:
        fields, labels = _by_year(synthetic.sel(member=member), rows)
        for label, target in zip(labels, flat(fields), strict=True):
            parents[int(member), label] = _parents(anomalies, years, target)
    return parents


def _parents(anomalies: Array, years: list[int], target: Array) -> Parents:
    weights, error = robust_fit(anomalies, target)
    # The anomalies of all years sum to zero, so all weights share an unknown constant.
    chosen = np.flatnonzero(np.abs(weights - np.median(weights)) >= LEAST_WEIGHT)
    # Missing cells give NaN, which must not count as explained.
    return Parents(tuple(years[i] for i in chosen), float((np.abs(error) < _NEAR).mean()))


def robust_fit(predictors: Array, target: Array, steps: int = 30) -> tuple[Array, Array]:
    """Regress a target on predictors and a constant, by Cauchy's weights.

    Parameters
    ----------
    predictors : ndarray, shape (k, n)
    target : ndarray, shape (n,)
        NaN where missing.
    steps : int
        Most iterations.

    Returns
    -------
    weights : ndarray, shape (k,)
    misfit : ndarray, shape (n,)
    """
    there = np.isfinite(target)
    design = np.vstack([predictors, np.ones_like(target)])[:, there]
    given = target[there]
    trust = np.ones_like(given)
    found: Array = np.zeros(len(design))
    ridge = 1e-6 * np.eye(len(design))
    for _ in range(steps):
        weighted = design * trust
        before = found
        found = np.asarray(np.linalg.solve(weighted @ design.T + ridge, weighted @ given))
        error = np.abs(given - found @ design)
        trust = 1 / (1 + (error / max(_NOISE, float(np.median(error)))) ** 2)
        if np.abs(found - before).max() < 1e-4:
            break
    return found[:-1], target - found[:-1] @ predictors - found[-1]


def _by_year(data: xr.Dataset, rows: NDArray[np.bool_]) -> tuple[Array, list[int]]:
    """Return tos as (year, month, cell) and the years."""
    if "tos" not in data or data.sizes["time"] % 12:
        raise SourceError("Mixed seas need 'tos' and whole years in both datasets; prepare again.")
    tos = data["tos"].values[:, rows].astype(np.float64)
    years = data["time"].dt.year.values[::12]
    return tos.reshape(len(years), 12, -1), [int(y) for y in years]
