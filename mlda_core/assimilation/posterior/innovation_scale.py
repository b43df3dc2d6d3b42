"""How large the prior's departures are, by what the observations say of it.

The prior's covariance is that of months of all years, tapered with distance, and the taper moves
variance from large scales to small ones: of VALIDATION months from 300 stations or more, the
departures of the observations are .7 times as large in the square as it expects. So the draws that
stand for the truth are scaled, by variable, until the departures of the month agree with them: the
maximum of their likelihood in one factor, to first order (Dee 1995,
https://doi.org/10.1175/1520-0493(1995)123<1128:OLEOEC>2.0.CO;2), drawn towards one where there are
few. The analysis and its gain stay as they are; members show the error of that analysis.
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


def prior_scale(
    gain: Gain, departures: Array, n_variables: int, *, without: int | None = None
) -> Array:
    """Estimate the factor on the prior's variance of each variable.

    One step of Fisher's scoring from a = 1 for departures d ~ N(0, a Q + R), ``Q = H B H^T``:
    with ``P = (Q + R)^-1`` the rows i of a variable give ``a = 1 + (sum_i (P d)_i (Q P d)_i -
    sum_i (P Q)_ii) / sum_i (P Q P Q)_ii``. Exact to first order, with the variance ``2 / sum_i
    (P Q P Q)_ii``, for one factor common to all variables; variable by variable an approximation,
    for their rows share covariances.

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
        Variables without observations take the geometric mean of the others, by what is known of
        each: the taper is the same for all.
    """
    logs, freedom = np.zeros(n_variables), np.zeros(n_variables)
    if departures.size:
        inverse, r = gain.total_inverse, gain.variance
        weighted = inverse @ departures
        terms = weighted * (departures - r * weighted)
        noise = np.diag(inverse) * r
        # P Q = I - P R.
        information = 1.0 - 2.0 * noise + r * (inverse**2 @ r)
        for v in range(n_variables):
            own = gain.places.variable == v
            free = float(information[own].sum())
            if v == without or free < 1e-6:
                continue
            found = 1.0 + float((terms[own] - (1.0 - noise[own])).sum()) / free
            weight = SPREAD_OF_LOG**2 / (SPREAD_OF_LOG**2 + 2.0 / free)
            logs[v], freedom[v] = weight * np.log(np.clip(found, LEAST, MOST)), free
        if freedom.any():
            logs[freedom == 0] = float(freedom @ logs / freedom.sum())
    return np.asarray(np.exp(logs))


def scale_draws(problem: Problem, draws: Draws, scale: Array) -> Draws:
    """Scale the departures of the truth from the background.

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
    return replace(draws, error=error.reshape(n, -1), error_at=error_at)
