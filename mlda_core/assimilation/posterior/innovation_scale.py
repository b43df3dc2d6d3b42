"""How far off the analysis is, by what each observation says of the analysis of the others.

The prior's covariance is that of months of all years, tapered with distance, and the taper moves
variance from large scales to small ones. So the posterior is too wide where many observations
stand, and over a whole observed sea too narrow: of VALIDATION months, spread over error is 1.20 and
1.08 for pressure and air temperature from 300 stations, 1.32 and 1.19 from 1000, 1.29 for pressure
observed in every cell, .67 for the sea. The departures of the observations, each from the analysis
of all others, say so without the truth; with the factor that they give, the same are .98 and .96,
.99 and .97, .99, and 1.04. (A factor on the prior's variance that makes the departures from the
prior most likely, Dee 1995, gave 1.00 and 1.03, 1.02 and 1.09, 1.13, and .82: departures from the
prior are of the large scales, what the observations leave open is not.)

The spread of an analysis is scaled by it; so are the draws, of the prior and of the observations'
errors, so that members' departures from the analysis are. The analysis and its gain stay as they
are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from mlda_core.assimilation.gain import Gain
    from mlda_core.assimilation.posterior.draws import Draws
    from mlda_core.assimilation.problem import Problem

Array = NDArray[np.float64]

# Standard deviation of the factor's logarithm among months, before they are observed.
SPREAD_OF_LOG = 0.3
LEAST, MOST = 0.2, 5.0


def posterior_scale(
    gain: Gain, departures: Array, n_variables: int, *, without: int | None = None
) -> Array:
    """Estimate the factor on the posterior variance of each variable.

    With ``P = (H B H^T + R)^-1`` an observation's departure from the analysis of all others is
    ``r_i = (P d)_i / P_ii``, and its variance ``1 / P_ii = a_i + R_i``, where a_i is the variance
    of that analysis there (cross-validation in closed form: Wahba 1990, Spline Models for
    Observational Data, equation 4.2.9). The factor is ``sum_i (r_i^2 - R_i) / sum_i a_i`` over the
    rows of a variable, its logarithm drawn towards zero by its own error, ``2 sum_i P_ii^-2 /
    (sum_i a_i)^2`` if the departures were independent.

    Parameters
    ----------
    gain : Gain
    departures : ndarray, shape (p,)
        Of the observations from the prior mean, standardised.
    n_variables : int
    without : int, optional
        A variable whose departures say nothing of it: the sea that made the background.

    Returns
    -------
    ndarray, shape (V,)
        1 for variables without observations: most of their posterior variance is their prior's,
        which is right. (With the others' mean factor, spread over error of air temperature and rain
        from sea and pressure was .91 and .87, instead of 1.03 and .99.)
    """
    logs = np.zeros(n_variables)
    if departures.size:
        inverse, variance, variable, merged = _without_repeats(gain, departures)
        total = 1.0 / np.diag(inverse)
        left_out = total * (inverse @ merged)
        excess = left_out**2 - variance
        for v in range(n_variables):
            own = variable == v
            expected = float((total - variance)[own].sum())
            if v == without or expected < 1e-9:
                continue
            found = float(excess[own].sum()) / expected
            doubt = 2.0 * float((total[own] ** 2).sum()) / expected**2
            weight = SPREAD_OF_LOG**2 / (SPREAD_OF_LOG**2 + doubt)
            logs[v] = weight * np.log(np.clip(found, LEAST, MOST))
    return np.asarray(np.exp(logs))


def scale_of(problem: Problem) -> Array:
    """Estimate the factor on the posterior variance from a problem's own observations.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    ndarray, shape (V,)
        As :func:`posterior_scale`, by the rows with normal errors: pseudo-observations are of the
        mode, and tell nothing of it.
    """
    departures = problem.departures(problem.x_b)
    normal = problem.observed.quadratic
    return posterior_scale(
        problem.gain if normal.all() else problem.gain.of_rows(normal),
        departures[normal],
        len(problem.bundle.variables),
        without=problem.bundle.sea_row if problem.sea_held else None,
    )


def _without_repeats(
    gain: Gain, departures: Array
) -> tuple[Array, Array, NDArray[np.int64], Array]:
    """Merge observations of one variable at one place: a twin tells what was left out.

    Returns
    -------
    inverse : ndarray, shape (q, q)
        ``(H B H^T + R)^-1`` of the merged observations.
    variance, variable, departures : ndarray, shape (q,)
    """
    place = gain.places
    _, first, index = np.unique(place.names, return_index=True, return_inverse=True)
    if len(first) == len(departures):
        return gain.total_inverse, gain.variance, place.variable, departures
    weights = np.zeros((len(first), len(departures)))
    weights[index.ravel(), np.arange(len(departures))] = 1.0 / gain.variance
    variance = 1.0 / weights.sum(axis=1)
    weights *= variance[:, None]
    signal = gain.error_covariance + gain.latent @ gain.latent.T
    inverse = np.asarray(np.linalg.inv(weights @ signal @ weights.T + np.diag(variance)))
    return inverse, variance, place.variable[first], weights @ departures


def scale_draws(problem: Problem, draws: Draws, scale: Array) -> Draws:
    """Scale the departures of the truth from the background, and the observations' errors.

    Parameters
    ----------
    problem : Problem
    draws : Draws
    scale : ndarray, shape (V,)
        Factor on their variance.

    Returns
    -------
    Draws
        With the same latent vectors: the rest is in the representation error.
    """
    gain, root = problem.gain, np.sqrt(scale)
    n, n_variables = len(draws.error), len(scale)
    cells = draws.error.reshape(n, n_variables, -1)
    at = root[gain.places.variable]
    latent_at = draws.zeta @ gain.latent.T
    error_at = at * (draws.error_at + latent_at) - latent_at
    by_cell = root.astype(np.float32)[:, None]
    error = by_cell * cells
    if gain.prior.factor is not None:
        latent = (draws.zeta.astype(np.float32) @ gain.prior.factor).reshape(cells.shape)
        error = error + (by_cell - np.float32(1.0)) * latent
    noise = at * draws.noise
    return replace(draws, error=error.reshape(n, -1), error_at=error_at, noise=noise)
