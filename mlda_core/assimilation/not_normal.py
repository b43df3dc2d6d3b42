"""The posterior of one number where errors are not normal: a mixture of normal distributions.

The state at the observations is drawn from its posterior in the linearised problem, and for each
row an auxiliary normal observation, as by the sampler ``perturbed``; given these the number is
normal, in closed form. So the density needs no member, and is smooth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.posterior.slice_sampling import draw_at_observations

if TYPE_CHECKING:
    from mlda_core.assimilation.problem import Problem

Array = NDArray[np.float64]

DRAWS = 600
# With more observations drawing takes more than a second: the density is then Laplace's.
MOST = 500


def can_be_drawn(problem: Problem) -> bool:
    """Whether the mixture of a problem can be made: not all errors are normal, and they are few."""
    return problem.stated is not None and len(problem.used) <= MOST


def mixture(problem: Problem, covariance: Array, variance: float) -> tuple[Array, float]:
    """Return the normal distributions whose mean is the posterior density of a number.

    Parameters
    ----------
    problem : Problem
        At the mode, with errors that are not normal.
    covariance : ndarray, shape (p,)
        Prior covariance of the number with the state at each observation used.
    variance : float
        Its prior variance.

    Returns
    -------
    away : ndarray, shape (n,)
        Mean of each distribution, minus the number at the mode.
    sd : float
        Standard deviation of all; no less than lets so many draws make a smooth curve (Silverman
        1986, equation 3.28).
    """
    observed = problem.observed
    likelihoods = observed.likelihoods
    if likelihoods is None or problem.stated is None:
        raise ValueError("all errors are normal: the posterior is one normal distribution")
    kept = problem.gain.kept
    if "auxiliary" not in kept:
        # Of the problem alone, so that another place costs nothing.
        at = draw_at_observations(problem.modes[0], likelihoods, DRAWS, [0, 8])
        values, error = likelihoods.utility(at, np.random.default_rng([0, 9]))
        kept["auxiliary"] = values, problem.gain.with_variance(error)
    values, gain = kept["auxiliary"]
    background = observed.value - problem.departures(problem.x_b)
    weights = gain.total_inverse @ covariance
    mode = float(problem.departures(problem.x_b) @ (problem.gain.total_inverse @ covariance))
    away = (values - background) @ weights - mode
    left = max(float(variance - covariance @ weights), 1e-9)
    smooth = 1.06 * float(np.hypot(away.std(), np.sqrt(left))) * DRAWS**-0.2
    return np.asarray(away), max(float(np.sqrt(left)), smooth)


def density_of(away: Array, sd: float, nodes: Array) -> Array:
    """Return the density of a mixture at nodes, both about the mode.

    Parameters
    ----------
    away : ndarray, shape (n,)
    sd : float
    nodes : ndarray, shape (m,)

    Returns
    -------
    ndarray, shape (m,)
    """
    from_each = (nodes[:, None] - away) / sd
    return np.asarray(np.exp(-0.5 * from_each**2).mean(axis=1) / (sd * np.sqrt(2.0 * np.pi)))
