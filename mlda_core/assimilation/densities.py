"""What is known of one quantity: its densities before and after the observations.

The quantity is a variable at a place, or its mean over a region. Both densities are those of the
closed form that the spread is made by (Laplace's approximation): normal in the standardised
variable, so of rain at a place they are skewed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import linalg

from mlda_core.assimilation import physical_units as physical
from mlda_core.assimilation.minimisation import minimum
from mlda_core.assimilation.posterior.innovation_scale import scale_of
from mlda_core.assimilation.spread import Stage, kept_variance
from mlda_core.assimilation.targeting import PriorCovariances, check_posterior
from mlda_core.climate.errors import StateError
from mlda_core.climate.regions import Region, region_mask
from mlda_core.climate.sphere import EARTH_RADIUS_KM, unit_vectors
from mlda_core.observations.default_errors import variable_rows
from mlda_core.observations.loading import Source
from mlda_core.observations.options import TableOptions

if TYPE_CHECKING:
    from mlda_core.assimilation.assimilator import Assimilator
    from mlda_core.assimilation.gain import Gain
    from mlda_core.assimilation.problem import Problem
    from mlda_core.climate.interpolation import Places

Array = NDArray[np.float64]
Float = NDArray[np.float32]
AS_GIVEN = TableOptions()
POINTS, REACH = 161, 3.5
# Observations near a place that are named.
NEAREST = 4


@dataclass(frozen=True, eq=False)
class Density:
    """One density.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        Values in display units, and density per unit.
    mean, sd : float
        Mean and standard deviation, display units.
    least : float
        Probability of the least possible value, such as of no rain; it is not in `y`.
    """

    x: Array
    y: Array
    mean: float
    sd: float
    least: float = 0.0


@dataclass(frozen=True, eq=False)
class PlaceDensities:
    """What is known of a variable at a place or over a region.

    Parameters
    ----------
    variable : str
    units : str
    prior, posterior : Density
        Of the anomaly, before and after the observations.
    target : float
        The bundle's own value of the month; NaN without one.
    nearest : DataFrame
        Observations of the variable, the nearest first: columns of the analysis' table, ``row`` and
        ``distance_km``; of a region those within it are at distance 0.
    """

    variable: str
    units: str
    prior: Density
    posterior: Density
    target: float
    nearest: pd.DataFrame


def densities_at(
    assimilator: Assimilator,
    observations: Source,
    month: Any,
    variable: str,
    where: tuple[float, float] | Region,
    *,
    options: TableOptions = AS_GIVEN,
    **settings: Any,
) -> PlaceDensities:
    """Return what is known of a variable at a place, or of its mean over a region.

    Parameters
    ----------
    assimilator : Assimilator
    observations, month, options, **settings
        As for :meth:`Assimilator.run`; the method must have a posterior.
    variable : str
        CF short name.
    where : (float, float) or Region
        Latitude and longitude in degrees; or a region.

    Returns
    -------
    PlaceDensities

    Raises
    ------
    ObservationError
        If the variable does not exist there, or an observation is invalid.
    StateError
        If the region has no cell, a setting is invalid, or the method has no posterior.
    """
    bundle = assimilator.bundle
    (row,) = variable_rows(bundle, [variable])
    problem, table = assimilator.prepared(observations, month, options=options, **settings)
    check_posterior(problem.setting)
    x = minimum(problem)[1]
    field = _target(assimilator, month, int(row))
    if isinstance(where, Region):
        weights = _weights(assimilator, int(row), where)
        prior, posterior = _of_region(assimilator, problem, int(row), weights, x)
        there = np.isfinite(field) & (weights > 0)
        part = weights * there
        known = part.sum() > 0
        target = float((part * np.where(there, field, 0.0)).sum() / part.sum()) if known else np.nan
    else:
        place = bundle.operator.locate([row], [where[0]], [where[1]])
        prior, posterior = _of_place(assimilator, problem, place, x)
        full = np.full(bundle.mask.shape, np.nan)
        full[row] = field
        target = float(bundle.operator.apply(place, full)[0])
    units = bundle.variables[int(row)].anomaly_units
    return PlaceDensities(variable, units, prior, posterior, target, _near(table, variable, where))


def _target(assimilator: Assimilator, month: Any, row: int) -> Array:
    bundle = assimilator.bundle
    if isinstance(month, str) and month in bundle.months:
        return np.asarray(bundle.target(month)[row], np.float64)
    return np.full(bundle.grid.shape, np.nan)


def _of_place(
    assimilator: Assimilator, problem: Problem, place: Places, x: NDArray[np.float32]
) -> tuple[Density, Density]:
    bundle, gain = assimilator.bundle, problem.gain
    shape = bundle.mask.shape
    before = float(gain.prior.error.variance_at(place)[0])
    if gain.prior.factor is not None:
        before += float((place.interpolate(gain.prior.factor)[0].astype(np.float64) ** 2).sum())
    after = float(gain.expected_variance(place, np.zeros(1))[0])
    after *= float(scale_of(problem)[place.variable[0]])
    made = []
    for state, variance in ((problem.x_b, before), (x, after)):
        mean = float(bundle.operator.apply(place, state.reshape(shape))[0])
        nodes = np.linspace(-REACH, REACH, POINTS)
        values = physical.at_place(
            bundle, place, mean + nodes * np.sqrt(max(variance, 1e-12)), problem.month
        )
        made.append(_transformed(nodes, values))
    return made[0], made[1]


def _transformed(nodes: Array, values: Array) -> Density:
    """Return the density of a monotonic function of a standard normal number."""
    mass = np.exp(-0.5 * nodes**2)
    mass /= mass.sum()
    mean = float(mass @ values)
    sd = float(np.sqrt(mass @ (values - mean) ** 2))
    slope = np.gradient(values, nodes)
    # Rain cannot be less than none: all below is none, and no density.
    varied = slope > 1e-3 * max(sd, 1e-12)
    normal = np.exp(-0.5 * nodes**2) / np.sqrt(2.0 * np.pi)
    least = float(mass[~varied & (nodes < 0)].sum())
    return Density(values[varied], normal[varied] / slope[varied], mean, sd, least)


def _weights(assimilator: Assimilator, row: int, region: Region) -> Array:
    bundle = assimilator.bundle
    area = region_mask(bundle.grid, region) * bundle.grid.weights * bundle.mask[row]
    if not area.sum() > 0:
        label = bundle.variables[row].label.lower()
        raise StateError(f"{region.short} holds no {label} of this bundle; choose another region.")
    return np.asarray(area / area.sum())


def _of_region(
    assimilator: Assimilator,
    problem: Problem,
    row: int,
    weights: Array,
    x: NDArray[np.float32],
) -> tuple[Density, Density]:
    """Return normal densities of a mean; a curved transform has its slopes at the states."""
    bundle, gain = assimilator.bundle, problem.gain
    size = bundle.grid.weights.size
    inside = np.flatnonzero(weights.ravel() > 0)
    cells = inside + row * size
    covariances = assimilator.kept("where next", PriorCovariances)
    b = covariances.of(gain.prior.error, cells, cells)
    made = []
    stages: tuple[tuple[Float, Stage], ...] = ((problem.x_b, "prior"), (x, "posterior"))
    for state, stage in stages:
        sd = np.sqrt(kept_variance(gain, stage)).reshape(bundle.mask.shape)
        spread = physical.spread(bundle, state.reshape(bundle.mask.shape), sd, problem.month)
        slope = (spread[row] / sd[row]).ravel()[inside]
        w = weights.ravel()[inside] * slope
        variance = _variance_of_sum(gain, cells, w, b, posterior=stage == "posterior")
        if stage == "posterior":
            variance *= float(scale_of(problem)[row])
        means = physical.anomalies(bundle, state, problem.month, sd)[row].ravel()[inside]
        mean = float(weights.ravel()[inside] @ means)
        nodes = np.linspace(-REACH, REACH, POINTS)
        made.append(_transformed(nodes, mean + nodes * np.sqrt(max(variance, 1e-12))))
    return made[0], made[1]


def _variance_of_sum(
    gain: Gain, cells: NDArray[np.int64], w: Array, b: NDArray[np.float32], *, posterior: bool
) -> float:
    total = float(w @ (b @ w))
    factor = gain.prior.factor
    latent = np.zeros(0) if factor is None else factor[:, cells] @ w
    if not posterior:
        return total + float(latent @ latent)
    white = gain.whitener @ (gain.columns[:, cells] @ w)
    total -= float(white @ white)
    if factor is not None:
        left = latent - gain.whitened.T @ white
        root = linalg.cholesky(gain.inverse_hessian, lower=True)
        total += float(((root.T @ left) ** 2).sum())
    return total


def _near(table: pd.DataFrame, variable: str, where: tuple[float, float] | Region) -> pd.DataFrame:
    out = table.assign(row=np.arange(len(table)))
    out = out[out["variable"] == variable]
    lat, lon = out["lat"].to_numpy(np.float64), out["lon"].to_numpy(np.float64)
    if isinstance(where, Region):
        span = (where.east - where.west) % 360.0 or 360.0
        away = np.mod(lon - where.west, 360.0)
        # To the nearest point of the box, along meridian and parallel.
        near_lon = where.west + np.where(
            away <= span, away, np.where(away - span < 360.0 - away, span, 0.0)
        )
        points = unit_vectors(np.clip(lat, where.south, where.north), near_lon)
    else:
        points = unit_vectors(np.array([where[0]]), np.array([where[1]]))
    cosine = (unit_vectors(lat, lon) * points).sum(axis=1) if len(out) else np.zeros(0)
    distance = EARTH_RADIUS_KM * np.arccos(np.clip(cosine, -1.0, 1.0))
    out = out.assign(distance_km=np.where(distance < 1e-3, 0.0, distance))
    return out.sort_values("distance_km", kind="stable").head(NEAREST)
