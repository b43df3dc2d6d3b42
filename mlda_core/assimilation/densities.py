"""What is known of one quantity: its densities before and after the observations.

The quantity is a variable at a place, or its mean over a region. Both densities are those of the
closed form that the spread is made by: normal in the standardised variable, so of rain at a place
they are skewed. With observations whose errors are not normal the second is a mixture of such
(:mod:`mlda_core.assimilation.not_normal`), or of very many Laplace's approximation.
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
from mlda_core.assimilation.not_normal import can_be_drawn, density_of, mixture
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
        ``distance_km``; of a region those within it are at distance 0. ``low`` and ``high``, in
        display units, are the ends of what a bound or report says; NaN of others.
    approximate : bool
        Whether errors are not normal, and the second density is normal all the same.
    """

    variable: str
    units: str
    prior: Density
    posterior: Density
    target: float
    nearest: pd.DataFrame
    approximate: bool = False


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
    approximate = problem.stated is not None and not can_be_drawn(problem)
    nearest = _near(_with_ends(table, problem), variable, where)
    return PlaceDensities(variable, units, prior, posterior, target, nearest, approximate)


def _with_ends(table: pd.DataFrame, problem: Problem) -> pd.DataFrame:
    """Return a table with the ends of what its rows say."""
    said = problem.every.likelihoods
    none = np.full(len(table), np.nan)
    ends = (none, none) if said is None else (said.shown_low, said.shown_high)
    return table.assign(low=ends[0], high=ends[1])


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
    here = np.zeros(0)
    if gain.prior.factor is not None:
        here = place.interpolate(gain.prior.factor)[0].astype(np.float64)
        before += float((here**2).sum())
    scale = float(scale_of(problem)[place.variable[0]])
    if can_be_drawn(problem):
        shared = gain.prior.error.between(gain.places, place)[:, 0] + gain.latent @ here
        after = _drawn(problem, np.asarray(shared, np.float64), before, scale)
    else:
        after = _normal(scale * float(gain.expected_variance(place, np.zeros(1))[0]))
    made = []
    for state, (nodes, height) in ((problem.x_b, _normal(before)), (x, after)):
        mean = float(bundle.operator.apply(place, state.reshape(shape))[0])
        values = physical.at_place(bundle, place, mean + nodes, problem.month)
        made.append(_transformed(nodes, height, values))
    return made[0], made[1]


def _normal(variance: float) -> tuple[Array, Array]:
    """Return nodes about 0 and a normal density there."""
    sd = np.sqrt(max(variance, 1e-12))
    line = np.linspace(-REACH, REACH, POINTS)
    return line * sd, np.exp(-0.5 * line**2) / (np.sqrt(2.0 * np.pi) * sd)


def _drawn(
    problem: Problem, covariance: Array, variance: float, scale: float
) -> tuple[Array, Array]:
    """Return nodes about the mode and the density there, where errors are not normal."""
    away, sd = mixture(problem, covariance, variance)
    centre = float(away.mean())
    away, sd = centre + np.sqrt(scale) * (away - centre), np.sqrt(scale) * sd
    nodes = np.linspace(away.min() - REACH * sd, away.max() + REACH * sd, POINTS)
    return nodes, density_of(away, sd, nodes)


def _transformed(nodes: Array, height: Array, values: Array) -> Density:
    """Return the density of a monotonic function of a number whose density is `height`."""
    mass = height / height.sum()
    mean = float(mass @ values)
    sd = float(np.sqrt(mass @ (values - mean) ** 2))
    slope = np.gradient(values, nodes)
    # Rain cannot be less than none: all below is none, and no density.
    varied = slope > 1e-3 * max(float(slope.max()), 1e-12)
    least = float(mass[~varied & (values <= values[len(values) // 2])].sum())
    return Density(values[varied], height[varied] / slope[varied], mean, sd, least)


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
    """Return densities of a mean; a curved transform has its slopes at the states."""
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
        scale = 1.0 if stage == "prior" else float(scale_of(problem)[row])
        nodes, height = _normal(scale * variance)
        if stage == "posterior" and can_be_drawn(problem):
            latent = np.zeros(0) if gain.prior.factor is None else gain.prior.factor[:, cells] @ w
            shared = gain.columns[:, cells] @ w + gain.latent @ latent
            prior = _variance_of_sum(gain, cells, w, b, posterior=False)
            nodes, height = _drawn(problem, np.asarray(shared, np.float64), prior, scale)
        means = physical.anomalies(bundle, state, problem.month, sd)[row].ravel()[inside]
        mean = float(weights.ravel()[inside] @ means)
        made.append(_transformed(nodes, height, mean + nodes))
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
