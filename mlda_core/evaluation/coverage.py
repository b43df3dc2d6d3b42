"""Reconstruction skill of historical station coverage, on held-out months.

The stations with records in a given year observe the targets of held-out months of any year: so the
coverage of 1880 is tested on known months. The skill of interest is that away from observations, so
scores are stratified by the distance of a cell to the nearest place that observes the same
variable. If the target itself is smoothed, near cells repeat the observations: the far ones show
the reconstruction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.methods import scored_in
from mlda_core.climate.sphere import EARTH_RADIUS_KM, unit_vectors
from mlda_core.evaluation.scores_file import put_scores, scores_of
from mlda_core.observations.land import cell_of
from mlda_core.observations.networks import NetworkSpec, places
from mlda_core.observations.standardised import standardise
from mlda_core.observations.synthetic import synthesise
from mlda_core.perturbation.gcm import fingerprint

if TYPE_CHECKING:
    import pandas as pd

    from mlda_core.bundle.bundle import Bundle

Float = NDArray[np.float32]
Array = NDArray[np.float64]
Tick = Callable[[str, int, int], None]

YEARS = (1880, 1903, 1916, 1940, 1969, 2009)
METHODS = scored_in("coverage")
# Lower bounds of the distance classes, km; the first class is all distances.
DISTANCES = (0, 500, 1000, 2000, 4000)
CLASSES = ("all", *(f"{low}_km" for low in DISTANCES))


@dataclass
class _Sums:
    """Weighted squared error, squared truth and weights, by variable and distance class."""

    lost: Array
    power: Array
    weight: Array = field(init=False)

    def __post_init__(self) -> None:
        self.weight = np.zeros_like(self.lost)

    def add(self, estimate: Array, truth: Array, weights: Array) -> None:
        """Add a month: anomalies (V, lat, lon), weights (classes, V, lat, lon)."""
        there = np.isfinite(truth) & np.isfinite(estimate)
        error = np.where(there, estimate - truth, 0.0) ** 2
        power = np.where(there, truth, 0.0) ** 2
        self.lost += np.einsum("vyx,cvyx->vc", error, weights)
        self.power += np.einsum("vyx,cvyx->vc", power, weights)
        self.weight += np.einsum("vyx,cvyx->vc", there.astype(np.float64), weights)


def distance_km(bundle: Bundle, observed: pd.DataFrame) -> Array:
    """Return each cell's distance to the nearest place that observes its variable.

    Parameters
    ----------
    bundle : Bundle
    observed : DataFrame
        Columns variable, lat and lon.

    Returns
    -------
    ndarray, shape (V, lat, lon)
        Kilometres along the great circle; infinite for a variable that nothing observes.
    """
    out = np.full(bundle.mask.shape, np.inf)
    for v, variable in enumerate(bundle.variables):
        mine = observed[observed["variable"] == variable.name]
        if len(mine):
            tree = cKDTree(unit_vectors(mine["lat"].to_numpy(), mine["lon"].to_numpy()))
            chord = tree.query(bundle.grid.points)[0]
            arc = 2 * np.arcsin(np.clip(chord / 2, 0, 1))
            out[v] = (EARTH_RADIUS_KM * arc).reshape(bundle.grid.shape)
    return out


def class_weights(bundle: Bundle, observed: pd.DataFrame) -> Array:
    """Return cell areas by distance class, zero in cells with a place.

    Parameters
    ----------
    bundle : Bundle
    observed : DataFrame
        Columns variable, lat and lon.

    Returns
    -------
    ndarray, shape (classes, V, lat, lon)
        In the order of :data:`CLASSES`.
    """
    weights = bundle.normaliser.weights.copy()
    row, column = cell_of(bundle, observed["lat"].to_numpy(), observed["lon"].to_numpy())
    index = {v.name: i for i, v in enumerate(bundle.variables)}
    weights[observed["variable"].map(index).to_numpy(), row, column] = 0.0
    distance = distance_km(bundle, observed)
    ends = [*DISTANCES, np.inf]
    parts = [weights * ((distance >= low) & (distance < high)) for low, high in pairwise(ends)]
    # Unobserved variables count as farthest.
    parts[-1] = parts[-1] + weights * ~np.isfinite(distance)
    return np.stack([weights, *parts])


def score_coverage(
    bundle: Bundle,
    months: Sequence[str],
    *,
    years: Sequence[int] = YEARS,
    methods: Sequence[str] = METHODS,
    assimilator: Assimilator | None = None,
    tick: Tick | None = None,
) -> dict[str, Any]:
    """Reconstruct months with the station coverage of several years.

    Parameters
    ----------
    bundle : Bundle
    months : sequence of str
        ``YYYY-MM``, of the bundle.
    years : sequence of int
        Years of the coverage; see :class:`mlda_core.observations.networks.NetworkSpec`.
    methods : sequence of str
        Of :class:`mlda_core.assimilation.options.Setting`; ``climatology`` is added.
    assimilator : Assimilator, optional
        Overrides the bundle's parameters.
    tick : callable, optional
        Called with (stage, months done, months in all).

    Returns
    -------
    dict
        ``[year]`` to ``places`` (by variable, mean over months that have the variable) and
        ``[variable][method][class]`` to explained variance, RMSE (display units) and ``share``,
        the fraction of the variable's area; classes without cells are omitted.
    """
    engine = assimilator or Assimilator(bundle)
    out: dict[str, Any] = {}
    for year in years:
        where = places(NetworkSpec("historical", year=year), bundle)
        weights = class_weights(bundle, where)
        shape = (len(bundle.variables), len(CLASSES))
        sums = {m: _Sums(np.zeros(shape), np.zeros(shape)) for m in (*methods, "climatology")}
        seen = np.zeros((2, len(bundle.variables)), np.int64)
        for done, month in enumerate(months):
            calendar, truth = bundle.seasons.of(month), bundle.target(month).astype(np.float64)
            # The noise differs between months, but is the same for every method.
            table = synthesise(where, bundle, truth, calendar, seed=(year, *_numbers(month)))
            count = [int((table["variable"] == v.name).sum()) for v in bundle.variables]
            seen += np.stack([count, np.isfinite(truth).any(axis=(1, 2))])
            if len(table):
                # Without observations in the month, only climatology would be scored.
                sums["climatology"].add(np.zeros_like(truth), truth, weights)
                for method in methods:
                    estimate = _estimate(engine, table, calendar, method)
                    sums[method].add(estimate, truth, weights)
            if tick:
                tick(f"coverage of {year}", done + 1, len(months))
        out[str(year)] = {
            "places": {
                v.name: round(count / max(1, there))
                for v, count, there in zip(bundle.variables, *seen.tolist(), strict=True)
            },
            **_table(bundle, sums),
        }
    return out


def _numbers(month: str) -> tuple[int, int]:
    return int(month[:4]), int(month[5:])


def _estimate(engine: Assimilator, table: pd.DataFrame, calendar: int, method: str) -> Array:
    """Anomalies in display units, (V, lat, lon)."""
    bundle = engine.bundle
    observed = standardise(table, bundle, calendar)
    x, sd = engine.states(
        observed.places, observed.variance, observed.value[None], calendar, method=method
    )
    fields = bundle.normaliser.restore(x, np.full(1, calendar), sd=sd)
    return np.asarray(fields[0] - bundle.normaliser.climatology[calendar - 1])


def _table(bundle: Bundle, sums: dict[str, _Sums]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for v, variable in enumerate(bundle.variables):
        out[variable.name] = {}
        for method, tally in sums.items():
            out[variable.name][method] = {
                name: {
                    "explained_variance": float(1 - tally.lost[v, c] / tally.power[v, c]),
                    "rmse": float(np.sqrt(tally.lost[v, c] / tally.weight[v, c])),
                    "share": float(tally.weight[v, c] / tally.weight[v, 0]),
                }
                for c, name in enumerate(CLASSES)
                if tally.power[v, c] > 0
            }
    return out


def write_coverage(found: dict[str, Any], bundle: Bundle, split: str, path: Path) -> None:
    """Write coverage scores into ``scores.json``, keeping its other contents.

    Scores of other splits are kept if they are of the bundle's current version and statistics.

    Parameters
    ----------
    found : dict
        From :func:`score_coverage`.
    bundle : Bundle
    split : str
    path : Path
        The file.
    """
    scores = scores_of(bundle, path)
    now = fingerprint(bundle)
    kept = scores.get("coverage", {}) if scores.get("coverage_made_for") == now else {}
    fresh = {"coverage_made_for": now, "coverage": {**kept, split: found}}
    put_scores({**scores, **fresh}, bundle, path)
