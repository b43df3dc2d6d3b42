"""The posterior at one observation: what all others say of it times its own likelihood.

This is the tilted distribution of expectation propagation (Minka 2001).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.shape import Shape

if TYPE_CHECKING:
    from mlda_core.assimilation.problem import Mode
    from mlda_core.observations.likelihoods import Likelihoods

Array = NDArray[np.float64]

# A second maximum of the density counts from this part of the first one on.
_LEAST_PEAK = 0.02
_NODES = 801
_REACH = 8.0


def cavity(mode: Mode) -> tuple[Array, Array]:
    """Return what all others and the prior say of the state at each observation.

    Parameters
    ----------
    mode : Mode

    Returns
    -------
    mean, variance : ndarray, shape (p,)
        Leave-one-out, in the linear problem of the pseudo-observations.
    """
    gain, observed = mode.problem.gain, mode.problem.observed
    inverse = gain.total_inverse
    diagonal = np.diag(inverse)
    # About the mode: what the observations leave of the prior is normal with this inverse.
    left = (observed.value - mode.at) / observed.variance
    mean = observed.value - left / diagonal
    return mean, np.maximum(1.0 / diagonal - observed.variance, 1e-9)


def shape_of(mode: Mode, likelihoods: Likelihoods, n_minima: int) -> Shape:
    """Return the shape at each observation, by quadrature over its own value.

    Parameters
    ----------
    mode : Mode
    likelihoods : Likelihoods
    n_minima : int
    """
    mean, variance = cavity(mode)
    sd = np.sqrt(variance)
    line = np.linspace(-_REACH, _REACH, _NODES)[:, None]
    f = mean + line * sd
    log_density = -0.5 * line**2 - likelihoods.cost(f)
    density = np.exp(log_density - log_density.max(axis=0))
    share = density / density.sum(axis=0)
    centre = (share * line).sum(axis=0)
    away = line - centre
    second = (share * away**2).sum(axis=0)
    third = (share * away**3).sum(axis=0)
    skewness = np.where(likelihoods.quadratic, 0.0, third / np.maximum(second, 1e-12) ** 1.5)
    inner = density[1:-1]
    peaks = (inner > density[:-2]) & (inner >= density[2:]) & (inner > _LEAST_PEAK)
    modes = np.where(likelihoods.quadratic, 1, np.maximum(peaks.sum(axis=0), 1))
    below, upto = (
        np.where(likelihoods.ranked, found, np.nan)
        for found in likelihoods.predicted(mean, variance)
    )
    return Shape(np.asarray(skewness), modes.astype(np.int64), n_minima, below, upto)


def tilted(likelihood: Likelihoods, mean: float, variance: float) -> tuple[Array, Array]:
    """Return the posterior of the state at one observation, given what all others say.

    Parameters
    ----------
    likelihood : Likelihoods
        Of one row.
    mean, variance : float
        What the others say, standardised.

    Returns
    -------
    f, share : ndarray, shape (n,)
        Values, equally spaced, and the probability of each; they add up to 1.
    """
    line = np.linspace(-_REACH, _REACH, _NODES)
    f = mean + line * np.sqrt(variance)
    log = -0.5 * line**2 - likelihood.cost(f[:, None])[:, 0]
    share = np.exp(log - log.max())
    return f, np.asarray(share / share.sum())


def tilted_mode(likelihood: Likelihoods, mean: float, variance: float) -> float:
    """Return the greatest of the density of :func:`tilted`."""
    # Here, for only an observation that was not used needs it.
    from scipy import optimize

    f, share = tilted(likelihood, mean, variance)
    at = int(np.clip(share.argmax(), 1, len(f) - 2))

    def cost(value: float) -> float:
        row = float(likelihood.cost(np.array([value]))[0])
        return 0.5 * (value - mean) ** 2 / variance + row

    found = optimize.minimize_scalar(cost, bounds=(f[at - 1], f[at + 1]), method="bounded")
    return float(found.x)
