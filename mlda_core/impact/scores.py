"""Scores of impact heads beside ridge regression and climatology."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from mlda_core.impact.head import INTERVAL, LEVELS, Float, Prediction, Scale, Weights, inputs_of
from mlda_core.impact.samples import TRIED, Samples

# Bootstrap samples of years for the interval of a skill.
DRAWS = 1000

# Maps months to quantiles at LEVELS, (n, 100), in the series' units.
Method = Callable[[Samples], Float]


def methods_of(fit: Samples, scale: Scale, weights: Weights, count: int) -> dict[str, Method]:
    """Return the head, ridge regression and climatology, fitted to the same months."""

    def head(part: Samples) -> Float:
        predicted = weights(inputs_of(part.z, part.calendar, count))
        return Prediction(*predicted, part.calendar, scale, "").quantile(LEVELS)

    return {"head": head, "ridge": _ridge(fit, scale), "climatology": _climatology(fit, scale)}


def _climatology(fit: Samples, scale: Scale) -> Method:
    """Return the empirical quantiles of the training months by calendar month."""
    table = np.empty((12, len(LEVELS)))
    for m in range(12):
        own = fit.values[fit.calendar == m + 1]
        table[m] = (
            np.quantile(own, LEVELS)
            if own.size >= 10
            else scale.inverse(ndtri(LEVELS), np.full(len(LEVELS), m + 1))
        )
    return lambda part: table[part.calendar - 1]


def _ridge(fit: Samples, scale: Scale) -> Method:
    """Return ridge regression on the leading latents and the month.

    Number of latents and penalty are chosen by cross-validation over years. In the same
    standardised, transformed values as the head; normal, with the cross-validation error as
    spread.
    """
    target = scale.forward(fit.values, fit.calendar)
    # Cross-validation folds: consecutive years in different fifths, each year in one.
    fold = np.unique(fit.years, return_inverse=True)[1] % 5
    candidates: list[tuple[float, float, int]] = []
    for count in sorted({min(n, fit.z.shape[2]) for n in TRIED}):
        inputs = _with_one(inputs_of(fit.z, fit.calendar, count))
        for penalty in 10.0 ** np.arange(-1, 5.1, 0.5):
            missed = np.zeros(len(target))
            for k in np.unique(fold):
                out = fold == k
                line = _ridge_line(inputs[~out], target[~out], penalty)
                missed[out] = target[out] - inputs[out] @ line
            candidates.append((float(np.sqrt((missed**2).mean())), penalty, count))
    spread, penalty, count = min(candidates)
    inputs = _with_one(inputs_of(fit.z, fit.calendar, count))
    line = _ridge_line(inputs, target, penalty)

    def method(part: Samples) -> Float:
        centres = _with_one(inputs_of(part.z, part.calendar, count)) @ line
        spreads = np.full(len(centres), spread)
        return Prediction(centres, spreads, part.calendar, scale, "").quantile(LEVELS)

    return method


def _with_one(inputs: Float) -> Float:
    return np.column_stack([inputs, np.ones(len(inputs))])


def _ridge_line(inputs: Float, target: Float, penalty: float) -> Float:
    weight = np.full(inputs.shape[1], penalty)
    # The mean is not penalised.
    weight[-1] = 0.0
    return np.asarray(np.linalg.solve(inputs.T @ inputs + np.diag(weight), inputs.T @ target))


def scores_of(
    methods: dict[str, Method], part: Samples, fit: Samples, seed: int = 0
) -> dict[str, Any]:
    """Score methods in selected months.

    Parameters
    ----------
    methods : dict of callable
        Map months to quantiles at `LEVELS`; must include "climatology".
    part, fit : Samples
        Months to score, and the training months, whose climatology defines anomalies.
    seed : int
        Of the bootstrap over years.

    Returns
    -------
    dict
        ``months``, ``years``, and by method ``explained_variance`` of the month's anomaly by the
        mean, ``correlation`` of the anomalies (None if one is constant), ``crps`` in the
        series' units, ``crps_skill`` against climatology (1 is perfect), its 90 % interval
        ``crps_skill_interval`` by bootstrap over years, and ``coverage``, the fraction of
        months within `INTERVAL`.
    """
    normal = np.full(13, fit.values.mean())
    for month in np.unique(fit.calendar):
        normal[month] = fit.values[fit.calendar == month].mean()
    base = normal[part.calendar]
    truth = part.values - base
    quantiles = {name: method(part) for name, method in methods.items()}
    crps = {name: _crps_of(q, part.values) for name, q in quantiles.items()}
    years, row = np.unique(part.years, return_inverse=True)
    draws = np.random.default_rng(seed).integers(len(years), size=(DRAWS, len(years)))
    by_year = {
        n: np.bincount(row, c, minlength=len(years))[draws].sum(axis=1) for n, c in crps.items()
    }
    out: dict[str, Any] = {"months": len(part), "years": len(years)}
    for name, q in quantiles.items():
        anomaly = q.mean(axis=1) - base
        varies = len(part) > 2 and anomaly.std() > 1e-9 * (truth.std() + 1e-300)
        inside = _inside(q, part.values)
        skills = 1 - by_year[name] / by_year["climatology"]
        out[name] = {
            "explained_variance": _plain(1 - ((anomaly - truth) ** 2).sum() / (truth**2).sum()),
            "correlation": _plain(np.corrcoef(anomaly, truth)[0, 1]) if varies else None,
            "crps": _plain(crps[name].mean()),
            "crps_skill": _plain(1 - crps[name].sum() / crps["climatology"].sum()),
            "crps_skill_interval": [_plain(v) for v in np.quantile(skills, [0.05, 0.95])],
            "coverage": _plain(inside.mean()),
        }
    return out


def _inside(quantiles: Float, values: Float) -> NDArray[np.bool_]:
    low, high = (np.array([np.interp(level, LEVELS, q) for q in quantiles]) for level in INTERVAL)
    return (values >= low) & (values <= high)


def _crps_of(quantiles: Float, values: Float) -> Float:
    """CRPS as twice the mean quantile loss over `LEVELS`: of any distribution, (n,)."""
    error = values[:, None] - quantiles
    return np.asarray(2 * np.where(error >= 0, LEVELS, LEVELS - 1) * error).mean(axis=1)


def _plain(value: float) -> float:
    return round(float(value), 4)


def rows_of(scores: dict[str, Any]) -> Iterable[tuple[str, dict[str, Any]]]:
    """Return the methods of one split's scores, in order."""
    return [(k, v) for k, v in scores.items() if isinstance(v, dict)]
