"""Diagnostics of each observation, and a message about those inconsistent with the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.robust import FAR_SD, left_out_misfit, robust_weights
from mlda_core.climate.places import place

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from mlda_core.assimilation.problem import Problem

Float = NDArray[np.float32]
Array = NDArray[np.float64]
# Number of outlying observations that a message names.
_NAMED = 3


def judge(
    problem: Problem,
    table: pd.DataFrame,
    x: Float,
    departures: Array,
    background: Float,
    analysis: Float,
) -> tuple[pd.DataFrame, str]:
    """Compute departures and leave-one-out diagnostics of each observation.

    Parameters
    ----------
    problem : Problem
    table : DataFrame
        All input observations.
    x : ndarray of float32, shape (cells,)
        The analysis, standardised.
    departures : ndarray, shape (p,)
        Of the observations used from the background, standardised.
    background, analysis : ndarray of float32, shape (V, lat, lon)
        Anomalies in display units.

    Returns
    -------
    observations : DataFrame
        The table with ``background_departure``, ``analysis_departure``,
        ``standardised_departure`` and ``used``; for a robust analysis also ``robust_weight``.
    words : str
        Number of observations inconsistent with the others, and the worst; '' if there are none.
    """
    bundle, gain = problem.bundle, problem.gain
    every, used = problem.every, problem.used
    table = table.copy()
    value = table["value"].to_numpy(np.float64)
    said = every.likelihoods
    if said is None:
        table["background_departure"] = value - bundle.operator.apply(every.places, background)
        table["analysis_departure"] = value - bundle.operator.apply(every.places, analysis)
    else:
        for name, fields in (("background", background), ("analysis", analysis)):
            at = np.asarray(bundle.operator.apply(said.shown, fields), np.float64)
            table[f"{name}_departure"] = said.departure(at)
    misfit = np.full(len(table), np.nan)
    if said is not None and not said.where(used).quadratic.all():
        misfit[used] = _misfits(problem, departures)
    elif problem.weight is None:
        misfit[used] = gain.left_out_misfit(departures)
    else:
        misfit[used] = left_out_misfit(gain, departures, problem.weight)
    others = np.setdiff1d(np.arange(len(table)), used)
    if others.size:
        part = every.where(others)
        left = part.value - bundle.operator.apply(part.places, x.reshape(bundle.mask.shape))
        misfit[others] = left / np.sqrt(gain.expected_variance(part.places, part.variance))
        if part.likelihoods is not None:
            expected = gain.expected_variance(part.places, np.zeros(others.size))
            fields = x.reshape(bundle.mask.shape)
            seen = np.asarray(bundle.operator.apply(part.places, fields), np.float64)
            misfit[others] = np.where(
                part.quadratic, misfit[others], part.likelihoods.misfit(seen, expected)
            )
    table["standardised_departure"] = misfit
    table["used"] = np.isin(np.arange(len(table)), used)
    if problem.setting.robust:
        weights = np.full(len(table), np.nan)
        weights[used] = 1.0 if problem.weight is None else problem.weight
        table["robust_weight"] = weights
    weight = problem.weight
    if not problem.setting.robust and (np.abs(misfit[used]) > FAR_SD).any():
        # A gross error makes its neighbours inconsistent as well; the weights identify it.
        normal = problem.observed.quadratic
        if normal.all():
            weight = robust_weights(gain, departures)
        elif normal.any():
            weight = np.ones(used.size)
            found = robust_weights(gain.of_rows(normal), departures[normal])
            weight[normal] = 1.0 if found is None else found
    far = used[:0] if weight is None else used[weight < 1.0]
    labels = {variable.name: variable.label.lower() for variable in bundle.variables}
    return table, _message(table, far, labels, robust=problem.setting.robust)


def _misfits(problem: Problem, departures: Array) -> Array:
    """Leave-one-out misfits of rows of all kinds, given pseudo-observations at the mode."""
    observed, gain = problem.observed, problem.gain
    said = observed.likelihoods
    if said is None:
        return gain.left_out_misfit(departures)
    inverse = gain.total_inverse
    diagonal = np.diag(inverse)
    mean = observed.value - (inverse @ departures) / diagonal
    variance = np.maximum(1.0 / diagonal - observed.variance, 1e-9)
    return said.misfit(mean, variance)


def _message(
    table: pd.DataFrame, far: NDArray[np.int64], labels: Mapping[str, str], *, robust: bool
) -> str:
    """Describe the observations that are inconsistent with the others, or down-weighted."""
    if not far.size:
        return ""
    size = table["standardised_departure"].abs().to_numpy()
    far = far[np.argsort(-size[far], kind="stable")]
    of_what = "what the model makes of all others"
    if far.size == 1:
        row = int(far[0])
        what = (
            f"observation {row + 1} ({name_of(table.iloc[row], labels)}) is {size[row]:.0f} σ from"
        )
        head, it = f"{what} {of_what}", "it"
    else:
        worst = "; ".join(
            f"{row + 1} ({name_of(table.iloc[row], labels)}, {size[row]:.0f} σ)"
            for row in far[:_NAMED]
        )
        head = (
            f"{far.size} of {int(table['used'].sum())} observations are more than {FAR_SD:g} σ "
            f"from {of_what}, the worst {worst}"
        )
        it = "them"
    if robust:
        return f"{head}, and {'was' if far.size == 1 else 'were'} down-weighted"
    error = "its error" if it == "it" else "their errors"
    return f"{head}; withhold {it}, raise {error} or ask for a robust analysis"


def name_of(row: pd.Series, labels: Mapping[str, str]) -> str:
    """Describe an observation: by its label, variable and place."""
    name = str(row["variable"])
    where = f"{labels.get(name, name)} at {place(float(row['lat']), float(row['lon']))}"
    label = str(row.get("label", "") or "").strip()
    return f"{label}, {where}" if label else where
