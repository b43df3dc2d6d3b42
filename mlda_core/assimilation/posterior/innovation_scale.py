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


def prior_scale(gain: Gain, departures: Array, n_variables: int) -> Array:
    """Estimate the factor on the prior's variance of each variable.

    With ``P = (H B H^T + R)^-1`` and departures d ~ N(0, a H B H^T + R), the observations of one
    variable have ``E sum_i d_i (P d)_i = a (n - r) + r`` with ``r = sum_i P_ii R_ii``.

    Parameters
    ----------
    gain : Gain
    departures : ndarray, shape (p,)
        Of the observations from the prior mean, standardised.
    n_variables : int

    Returns
    -------
    ndarray, shape (V,)
        1 for variables without observations.
    """
    out = np.ones(n_variables)
    if not departures.size:
        return out
    inverse = gain.total_inverse
    terms = departures * (inverse @ departures)
    noise = np.diag(inverse) * gain.variance
    for v in range(n_variables):
        own = gain.places.variable == v
        freedom = float((1.0 - noise[own]).sum())
        if freedom > 1e-6:
            found = float((terms[own] - noise[own]).sum()) / freedom
            weight = SPREAD_OF_LOG**2 / (SPREAD_OF_LOG**2 + 2.0 / freedom)
            out[v] = np.exp(weight * np.log(np.clip(found, LEAST, MOST)))
    return out


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
