"""Single-observation experiment: the increment as a test of the covariance.

A single observation of 500 hPa height at 21N 129E, and its increment in the winds: the experiment
of Xiao et al. 2025 (VAE-Var, ICLR). With a good covariance, the wind increment is in geostrophic
balance with the height increment, although balance is not imposed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlda_core.assimilation.methods import scored_in
from mlda_core.climate.errors import UserError
from mlda_core.climate.sphere import EARTH_RADIUS_KM, unit_vectors
from mlda_core.climate.vectors import geostrophic_wind
from mlda_core.evaluation.assimilation import observe_months
from mlda_core.observations.table import DEFAULT_ERROR, default_error, observation_table

if TYPE_CHECKING:
    from mlda_core.assimilation.assimilator import Assimilator
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.vae.dataset import Months

Array = NDArray[np.float64]
METHODS = scored_in("single_observation")
# As in VAE-Var: south of Japan.
PLACE = (21.0, 129.0)
# In local standard deviations: a value with a return period of forty months.
DEVIATIONS = -2.0
# Latitudes where balance is evaluated: the wind is not geostrophic at the equator, and far from
# the observation there is no increment.
BAND = (10.0, 40.0)
NEAR_KM = 4000.0


class ExperimentError(UserError):
    """The experiment cannot be run with a bundle; the message is one sentence."""


def scalar_of(bundle: Bundle) -> str:
    """Return the observed variable: the first global one that is not in a vector.

    Raises
    ------
    ExperimentError
        If the bundle has no vector, or no other global variable.
    """
    taken = {name for pair in bundle.vectors for name in pair}
    found = [v.name for v in bundle.variables if v.name not in taken and v.domain == "globe"]
    if not taken or not found:
        raise ExperimentError(
            f"The bundle {bundle.name} has no {'scalar beside its ' if taken else ''}vector; "
            "choose one such as assets/bundles/upper."
        )
    return found[0]


def observe(
    bundle: Bundle,
    calendar_month: int,
    *,
    place: tuple[float, float] = PLACE,
    deviations: float = DEVIATIONS,
) -> pd.DataFrame:
    """Return the single observation.

    Parameters
    ----------
    bundle : Bundle
        With a vector.
    calendar_month : int
        1..12, for the local spread.
    place : tuple of float
        Degrees north and east.
    deviations : float
        The value in local standard deviations; the error is a fifth of one.

    Returns
    -------
    DataFrame
        One row, in the format of :mod:`mlda_core.observations.table`.

    Raises
    ------
    ExperimentError
        If the bundle has no vector, or no other global variable.
    """
    name = scalar_of(bundle)
    lat, lon = (np.array([degrees]) for degrees in place)
    error = float(default_error(bundle, [name], calendar_month, lat, lon)[0])
    decimals = next(v.decimals for v in bundle.variables if v.name == name)
    return observation_table(
        {
            "variable": np.array([name], object),
            "lat": lat,
            "lon": lon,
            "value": np.round([deviations * error / DEFAULT_ERROR], decimals),
            "error_sd": np.array([error]),
            "withheld": np.zeros(1, bool),
            "label": np.array(["single observation"], object),
        }
    )


@dataclass(frozen=True)
class Increment:
    """Increment of one observation, and measures of its balance and extent.

    Parameters
    ----------
    fields : ndarray, shape (V, lat, lon)
        The increment, display units.
    peak : float
        Increment of the observed variable at the place.
    balance : float
        Pattern correlation of the vector's increment with the geostrophic wind of the observed
        variable's, uncentred, area-weighted, in :data:`BAND` within :data:`NEAR_KM` of the place.
    slope : float
        Least-squares slope of the vector's increment on that geostrophic wind.
    half_km, tenth_km : float
        Distance at which the mean increment around the place falls to a half and to a tenth of
        that at the place.
    far_share : float
        Area-weighted fraction of the vector's squared increment beyond :data:`NEAR_KM`.
    """

    fields: Array
    peak: float
    balance: float
    slope: float
    half_km: float
    tenth_km: float
    far_share: float


def distance_km(bundle: Bundle, place: tuple[float, float]) -> Array:
    """Return every cell's distance from a place, shape (lat, lon)."""
    lat, lon = np.meshgrid(bundle.grid.lat, bundle.grid.lon, indexing="ij")
    here = unit_vectors(np.array([place[0]]), np.array([place[1]]))[0]
    there = unit_vectors(lat.ravel(), lon.ravel())
    angle = np.arccos(np.clip(there @ here, -1.0, 1.0))
    return np.asarray(EARTH_RADIUS_KM * angle.reshape(lat.shape))


def run(
    engine: Assimilator,
    calendar_month: int,
    *,
    methods: Sequence[str] = METHODS,
    place: tuple[float, float] = PLACE,
    deviations: float = DEVIATIONS,
) -> dict[str, Increment]:
    """Assimilate the single observation by several methods.

    Parameters
    ----------
    engine : Assimilator
        Of a bundle with a vector.
    calendar_month : int
        1..12.
    methods : sequence of str
        Keys of the library's methods.
    place, deviations
        As for :func:`observe`.

    Returns
    -------
    dict of str to Increment
        By method.

    Raises
    ------
    ExperimentError
        If the bundle has no vector, or no other global variable.
    """
    table = observe(engine.bundle, calendar_month, place=place, deviations=deviations)
    return {
        method: describe(
            engine.bundle, engine.run(table, calendar_month, method=method).increment, place
        )
        for method in methods
    }


def describe(
    bundle: Bundle, increment: NDArray[np.floating], place: tuple[float, float] = PLACE
) -> Increment:
    """Compute balance and extent of an increment.

    Parameters
    ----------
    bundle : Bundle
        With a vector.
    increment : ndarray, shape (V, lat, lon)
        Display units; the observed variable in metres of height, for the balance.
    place : tuple of float
        Of the observation.
    """
    names = [v.name for v in bundle.variables]
    fields = np.asarray(increment, np.float64)
    height = fields[names.index(scalar_of(bundle))]
    wind = np.stack([fields[names.index(name)] for name in bundle.vectors[0]])
    balanced = np.stack(geostrophic_wind(height, bundle.grid))
    away = distance_km(bundle, place)
    area = np.asarray(bundle.grid.weights, np.float64)
    band = (bundle.grid.lat >= BAND[0]) & (bundle.grid.lat <= BAND[1])
    near = area * band[:, None] * (away <= NEAR_KM)
    product = float((near * wind * balanced).sum())
    ours, theirs = (float((near * f**2).sum()) for f in (wind, balanced))
    energy = area * (wind**2).sum(axis=0)
    rows = bundle.operator.locate([names.index(scalar_of(bundle))], [place[0]], [place[1]])
    peak = float(bundle.operator.apply(rows, fields)[0])
    return Increment(
        fields,
        peak,
        product / np.sqrt(ours * theirs),
        product / theirs,
        _falls_to(0.5, height / peak, away, area),
        _falls_to(0.1, height / peak, away, area),
        float(energy[away > NEAR_KM].sum() / energy.sum()),
    )


def skill(
    engine: Assimilator,
    months: Months,
    *,
    methods: Sequence[str] = METHODS,
    place: tuple[float, float] = PLACE,
    seed: int = 0,
) -> dict[str, dict[str, dict[str, float]]]:
    """Score the single observation's effect on the months' fields, near and far.

    The observation is each month's own value at the place, with an error of a fifth of the local
    spread. A good covariance has little effect far away; spurious far increments score below
    zero, which is climatology.

    Parameters
    ----------
    engine : Assimilator
        Of a bundle with a vector.
    months : Months
        Held-out months, of any members.
    methods : sequence of str
        Keys of the library's methods.
    place : tuple of float
        Degrees north and east.
    seed : int
        Of the observation errors.

    Returns
    -------
    dict
        ``[method]["near" or "far"][variable]`` to explained variance: within :data:`NEAR_KM` of
        the place, and beyond.
    """
    bundle = engine.bundle
    which = [v.name for v in bundle.variables].index(scalar_of(bundle))
    places = bundle.operator.locate([which], [place[0]], [place[1]])
    away = distance_km(bundle, place)
    areas = {"near": away <= NEAR_KM, "far": away > NEAR_KM}
    rng = np.random.default_rng(seed)
    values = observe_months(bundle, places, months, rng, DEFAULT_ERROR)
    there = np.isfinite(values)[:, 0]
    months, values = months.where(there), values[there]
    variance = np.array([DEFAULT_ERROR**2])
    weights = np.asarray(bundle.grid.weights, np.float64)
    power = np.nansum(months.anomalies.astype(np.float64) ** 2, axis=0)
    scores: dict[str, dict[str, dict[str, float]]] = {}
    for method in methods:
        lost = np.zeros(power.shape)
        for month in np.unique(months.season):
            rows = np.flatnonzero(months.season == month)
            x, sd = engine.states(places, variance, values[rows], int(month), method=method)
            calendar = months.season[rows]
            fields = bundle.normaliser.restore(x, calendar, sd=sd)
            error = bundle.normaliser.anomalies(fields, calendar) - months.anomalies[rows]
            lost += np.nansum(error.astype(np.float64) ** 2, axis=0)
        scores[method] = {
            area: {
                v.name: 1.0
                - float((weights * here * lost[i]).sum() / (weights * here * power[i]).sum())
                for i, v in enumerate(bundle.variables)
            }
            for area, here in areas.items()
        }
    return scores


def _falls_to(
    fraction: float, change: Array, away: Array, area: Array, step: float = 500.0
) -> float:
    """Return where the mean over rings first falls below a fraction, interpolated linearly."""
    edges = np.arange(0.0, away.max() + step, step)
    ring = np.digitize(away.ravel(), edges) - 1
    weight = np.bincount(ring, area.ravel(), len(edges))
    total = np.bincount(ring, (area * change).ravel(), len(edges))
    middle = np.concatenate([[0.0], edges[weight > 0] + step / 2])
    mean = np.concatenate([[1.0], total[weight > 0] / weight[weight > 0]])
    below = int(np.argmax(mean < fraction))
    if mean[below] >= fraction:
        return float("inf")
    part = (mean[below - 1] - fraction) / (mean[below - 1] - mean[below])
    return float(middle[below - 1] + part * (middle[below] - middle[below - 1]))
