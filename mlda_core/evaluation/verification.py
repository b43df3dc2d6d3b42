"""Verification of an analysis against its target and against withheld observations.

Pure functions of anomaly fields in display units: any field can be scored, not only analyses. The
explained variance is the skill against climatology, as the anomaly of climatology is zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlda_core.climate.errors import UserError
from mlda_core.climate.grid import Grid
from mlda_core.climate.interpolation import ObservationOperator
from mlda_core.climate.metrics import Comparison, compare
from mlda_core.climate.places import listed
from mlda_core.climate.regions import REGIONS, Region, inside, region_mask
from mlda_core.climate.variables import Variable
from mlda_core.observations.row_kinds import is_plain

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle

Float = NDArray[np.floating]
Where = Literal["target", "withheld"]
Measure = Literal["explained_variance", "rmse", "r"]
MEASURES: tuple[Measure, ...] = ("explained_variance", "rmse", "r")
CLIMATOLOGY = "climatology"
# Below the first, a correlation is trivially one; below the second, scores are mostly chance.
LEAST_FOR_R, FEW = 3, 10
# A variable observed in more than this fraction of its cells scores by copying.
COPIED = 0.5
FIT = {
    "train": "the model was trained on {month}",
    "validation": "the model was tuned on {month}",
    "calibration": "the model's errors were estimated on {month}",
}


class VerificationError(UserError):
    """A score cannot be computed as requested; the message is one sentence with the remedy."""


@dataclass(frozen=True)
class Score:
    """Scores of one variable, over a region's cells or at its withheld observations.

    Parameters
    ----------
    r : float
        Correlation (centred), NaN below three cells or observations.
    rmse : float
        Root-mean-square difference, the variable's anomaly units.
    explained_variance : float
        ``1 - sum w (estimate - truth)^2 / sum w truth^2``: the skill against climatology.
    n : int
        Number of cells or observations.
    """

    r: float
    rmse: float
    explained_variance: float
    n: int


NOTHING = Score(float("nan"), float("nan"), float("nan"), 0)


@dataclass(frozen=True, eq=False)
class Verification:
    """Scores of several methods, over one region.

    Parameters
    ----------
    region : Region
    methods, variables : tuple of str
        In input order; climatology is the last method.
    target : dict
        Scores against the target by (method, variable); empty without a target.
    withheld : dict
        Scores at the withheld observations by (method, variable); empty if there are none.
    words : tuple of str
        Caveats: what could not be scored, or is less meaningful; one sentence each.
    """

    region: Region
    methods: tuple[str, ...]
    variables: tuple[str, ...]
    target: dict[tuple[str, str], Score]
    withheld: dict[tuple[str, str], Score]
    words: tuple[str, ...]

    def score(self, method: str, variable: str, where: Where = "target") -> Score:
        """Return one score; NaN with n = 0 if it is unavailable."""
        return getattr(self, where).get((method, variable), NOTHING)

    def table(
        self, measure: Measure = "explained_variance", where: Where = "target"
    ) -> pd.DataFrame:
        """Return one measure as a table of methods by variables, NaN if unavailable."""
        values = [
            [getattr(self.score(m, v, where), measure) for v in self.variables]
            for m in self.methods
        ]
        return pd.DataFrame(values, index=list(self.methods), columns=list(self.variables))

    def best(self, variable: str, where: Where = "target") -> str | None:
        """Return the method with the smallest RMSE; None if none can be scored."""
        errors = {m: self.score(m, variable, where).rmse for m in self.methods}
        scored = {m: e for m, e in errors.items() if np.isfinite(e)}
        return min(scored, key=scored.__getitem__) if scored else None


def skill(score: Score, reference: Score) -> float:
    """Return the skill of a score relative to another, ``1 - (rmse / reference rmse)^2``.

    Relative to climatology this is the explained variance.
    """
    if not reference.rmse > 0:
        return float("nan")
    return 1.0 - (score.rmse / reference.rmse) ** 2


def score_fields(
    target: Float, fields: Float, grid: Grid, region: Region = REGIONS["globe"]
) -> tuple[Score, ...]:
    """Score fields against a target, area-weighted inside a region.

    Parameters
    ----------
    target, fields : ndarray, shape (V, lat, lon)
        Anomalies in display units; cells that are NaN in either are left out.
    grid : Grid
    region : Region

    Returns
    -------
    tuple of Score
        One for each variable.

    Raises
    ------
    VerificationError
        If the shapes differ.
    """
    if target.shape != fields.shape or target.shape[-2:] != grid.shape:
        raise VerificationError(
            f"The target has the shape {target.shape} and the fields have {fields.shape}; score "
            f"fields on the target's grid {grid.shape}."
        )
    weights = grid.weights * region_mask(grid, region)
    both = np.isfinite(target) & np.isfinite(fields) & (weights > 0)
    return tuple(
        _score(compare(t, f, weights), int(b.sum()))
        for t, f, b in zip(target, fields, both, strict=True)
    )


def score_observations(
    observations: pd.DataFrame,
    fields: Float,
    operator: ObservationOperator,
    variables: Sequence[Variable],
    region: Region = REGIONS["globe"],
) -> tuple[Score, ...]:
    """Score fields at observations, with equal weights.

    The observations are taken as the truth: their errors are part of the RMSE.

    Parameters
    ----------
    observations : DataFrame
        Columns variable, lat, lon, value (anomaly, display units); all its rows are scored.
    fields : ndarray, shape (V, lat, lon)
        Anomalies in display units.
    operator : ObservationOperator
        Of the fields' grid.
    variables : sequence of Variable
        In the order of the fields.
    region : Region
        Observations outside are ignored.

    Returns
    -------
    tuple of Score
        One for each variable.
    """
    names = [v.name for v in variables]
    lat, lon = (observations[k].to_numpy(np.float64) for k in ("lat", "lon"))
    rows = pd.Index(names).get_indexer(pd.Index(observations["variable"]))
    # Reports and means have no value at a place that could be scored.
    wanted = inside(region, lat, lon) & (rows >= 0) & is_plain(observations)
    wanted[wanted] = operator.observable(rows[wanted], lat[wanted], lon[wanted])
    places = operator.locate(rows[wanted], lat[wanted], lon[wanted])
    value = observations["value"].to_numpy(np.float64)[wanted]
    estimate = operator.apply(places, fields).astype(np.float64)
    scores = []
    for v in range(len(names)):
        mine = (places.variable == v) & np.isfinite(estimate) & np.isfinite(value)
        found = compare(value[mine], estimate[mine], np.ones(int(mine.sum())))
        scores.append(_score(found, int(mine.sum())))
    return tuple(scores)


def verify(
    estimates: Mapping[str, Float],
    bundle: Bundle,
    *,
    target: Float | None = None,
    observations: pd.DataFrame | None = None,
    region: Region = REGIONS["globe"],
    month: str | None = None,
) -> Verification:
    """Score the fields of several methods and climatology in one table.

    Parameters
    ----------
    estimates : dict of ndarray, shape (V, lat, lon)
        By method: ``analysis.anomalies``, or any other anomalies in display units.
    bundle : Bundle
        Provides grid, variables and observation operator.
    target : ndarray, shape (V, lat, lon), optional
        Anomalies in display units; None without a truth, as for real observations.
    observations : DataFrame, optional
        The assimilated table: its withheld rows are scored.
    region : Region
    month : str, optional
        ``YYYY-MM`` of the bundle, to check whether the target was in training.

    Returns
    -------
    Verification

    Raises
    ------
    VerificationError
        If an estimate differs in shape from the target.
    """
    names = tuple(v.name for v in bundle.variables)
    fields = {m: np.asarray(f) for m, f in estimates.items()}
    # Climatology: zero anomalies, masked to the cells that all estimates have.
    shape = (len(names), *bundle.grid.shape)
    fields[CLIMATOLOGY] = np.where(bundle.mask, 0.0, np.nan)
    missing = np.zeros(shape, bool)
    for method, field in fields.items():
        if field.shape != shape:
            raise VerificationError(
                f"The fields of '{method}' have the shape {field.shape}, not {shape}; give one "
                "month of every variable on the bundle's grid."
            )
        missing |= ~np.isfinite(field)

    against: dict[tuple[str, str], Score] = {}
    if target is not None:
        truth = np.where(missing, np.nan, target)
        for method, field in fields.items():
            scores = score_fields(truth, field, bundle.grid, region)
            against |= {(method, n): s for n, s in zip(names, scores, strict=True)}

    withheld: dict[tuple[str, str], Score] = {}
    kept_back = (
        None if observations is None else observations[observations["withheld"].to_numpy(bool)]
    )
    if kept_back is not None and len(kept_back):
        for method, field in fields.items():
            scores = score_observations(kept_back, field, bundle.operator, bundle.variables, region)
            withheld |= {(method, n): s for n, s in zip(names, scores, strict=True)}

    methods = tuple(fields)
    result = Verification(region, methods, names, against, withheld, ())
    words = _caveats(result, bundle, target is not None, observations, month)
    return Verification(region, methods, names, against, withheld, words)


def _caveats(
    scores: Verification,
    bundle: Bundle,
    has_target: bool,
    observations: pd.DataFrame | None,
    month: str | None,
) -> tuple[str, ...]:
    """Return caveats: what cannot be scored, and limits of the scores."""
    words = []
    counts = {v: scores.score(CLIMATOLOGY, v, "withheld").n for v in scores.variables}
    if not has_target:
        words.append(
            "There is no target: the fields cannot be scored, only withheld observations can."
            if any(counts.values())
            else "There is no target and nothing is withheld: no score can be had; withhold some "
            "observations."
        )
    if month is not None and has_target and (fit := FIT.get(bundle.split(month))):
        words.append(f"These scores are fit, not skill: {fit.format(month=month)}.")
    labels = {v.name: v.label for v in bundle.variables}
    if has_target:
        area = region_mask(bundle.grid, scores.region) > 0
        for v, exists in zip(scores.variables, bundle.mask, strict=True):
            if scores.score(CLIMATOLOGY, v).n:
                continue
            when = f" in {month}" if month else ""
            words.append(
                f"{labels[v]} has no target{when}."
                if (exists & area).any()
                else f"{labels[v]} does not exist in {scores.region.label}."
            )
        if observations is not None:
            copied = [labels[v] for v in _copied(observations, bundle, scores.region)]
            if copied:
                words.append(
                    f"{listed(copied)} {'is' if len(copied) == 1 else 'are'} observed in most "
                    "cells here: scored by copying; judge what is not observed."
                )
    few = [f"{n} of {labels[v].lower()}" for v, n in counts.items() if 0 < n < FEW]
    if few:
        words.append(f"Withheld here are only {listed(few)}: scores of so few say little.")
    if any(counts.values()) and observations is not None:
        words.append(
            "Withheld observations have errors of their own: not even the truth would have "
            "RMSE 0 there."
        )
    return tuple(words)


def _copied(observations: pd.DataFrame, bundle: Bundle, region: Region) -> list[str]:
    """Variables for which most cells of a region have an assimilated observation."""
    grid = bundle.grid
    area = grid.weights * region_mask(grid, region)
    given = observations[~observations["withheld"].to_numpy(bool)]
    copied = []
    for v, variable in enumerate(bundle.variables):
        mine = given[given["variable"] == variable.name]
        east = np.mod(mine["lon"].to_numpy(np.float64) - grid.lon_edges[0], 360.0)
        row = np.searchsorted(grid.lat_edges, mine["lat"].to_numpy(np.float64), "right") - 1
        column = np.searchsorted(grid.lon_edges - grid.lon_edges[0], east, "right") - 1
        on = (row >= 0) & (row < grid.lat.size) & (column >= 0) & (column < grid.lon.size)
        held = np.zeros(grid.shape, bool)
        held[row[on], column[on]] = True
        there = area * bundle.mask[v]
        if there.sum() > 0 and (there * held).sum() > COPIED * there.sum():
            copied.append(variable.name)
    return copied


def _score(found: Comparison, n: int) -> Score:
    r = found.r if n >= LEAST_FOR_R else float("nan")
    return Score(r, found.rmse, found.explained_variance, n)
