"""Weights of particles: Bayes' rule, resampling, regularisation, genealogy.

Doucet, de Freitas and Gordon 2001, https://doi.org/10.1007/978-1-4757-3437-9; van Leeuwen 2009,
https://doi.org/10.1175/2009MWR2835.1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]
# A heaviest weight nearer to 1 than this leaves no covariance to speak of.
_DEGENERATE = 1e-10


def reweight(weights: Array, log_likelihood: Array) -> tuple[Array, float]:
    """Multiply weights by likelihoods and normalise.

    Parameters
    ----------
    weights, log_likelihood : ndarray, shape (n,)

    Returns
    -------
    weights : ndarray, shape (n,)
        They sum to 1.
    log_evidence : float
        Logarithm of the mean likelihood.
    """
    with np.errstate(divide="ignore"):
        log = np.log(weights) + log_likelihood
    greatest = log.max()
    out = np.exp(log - greatest)
    total = out.sum()
    return out / total, float(greatest + np.log(total))


def effective_number(weights: Array) -> float:
    """Return the effective number of particles, ``1 / sum w^2``."""
    return float(1.0 / (weights @ weights))


def systematic(weights: Array, generator: np.random.Generator) -> Index:
    """Draw as many indices as there are weights, evenly from one random number; sorted."""
    n = len(weights)
    at = (generator.random() + np.arange(n)) / n
    # The last sum can round to less than the last position.
    return np.minimum(np.searchsorted(np.cumsum(weights), at), n - 1)


def bandwidth(n: int, size: int) -> float:
    """Kernel width in standard deviations by Scott's rule, for n points of ``size`` numbers."""
    return float(n ** (-1.0 / (size + 4)))


def weighted_root(states: Array, weights: Array) -> Array:
    """Return R, shape (n, d), with ``R^T R`` the weighted, unbiased covariance of particles.

    With one particle's weight alone the covariance is that of equal weights.
    """
    if 1.0 - weights.max() < _DEGENERATE:
        weights = np.full(len(weights), 1.0 / len(weights))
    factor = np.sqrt(weights / (1.0 - weights @ weights))
    return np.asarray(factor[:, None] * (states - weights @ states))


def jitter(root: Array, n: int, generator: np.random.Generator) -> Array:
    """Draw n noises, shape (n, d), of the covariance ``R^T R``."""
    if root.shape[0] > 2 * root.shape[1]:
        root = np.asarray(np.linalg.qr(root, mode="r"))
    return np.asarray(generator.standard_normal((n, root.shape[0])) @ root)


def repeated(sorted_index: Index) -> NDArray[np.bool_]:
    """Tell which entries of a sorted index occur more than once."""
    same = sorted_index[1:] == sorted_index[:-1]
    out = np.zeros(len(sorted_index), bool)
    out[1:] |= same
    out[:-1] |= same
    return out


def ancestors(parents: Sequence[Index]) -> list[int]:
    """Count the distinct ancestors of today's particles at each earlier time.

    Parameters
    ----------
    parents : sequence of ndarray, shape (n,)
        Of each time, oldest first: the particle of the time before that each one comes from.

    Returns
    -------
    list of int
        Particles of the time before the first, ..., before the last, that have descendants today.
    """
    counts: list[int] = []
    line = np.arange(len(parents[-1]))
    for of in reversed(parents):
        line = np.asarray(of)[line]
        counts.append(int(np.unique(line).size))
    return counts[::-1]
