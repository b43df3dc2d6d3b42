"""The sensitivity of a GCM's means to the sea, regressed from runs over seas that vary.

A Green's function says of a mean what its sensitivity to each patch of the sea is. Where no run
warms one patch alone, it can be estimated from runs whose sea has changes at many places: the mean
of each month is a sum over the patches of its sensitivity times what the patch's share of the sea
differs by, and weather. Neighbouring patches vary together and weather is large, so least squares
alone would be all noise: sensitivities are drawn to their common mean (ridge regression), as far as
the data themselves make most likely (MacKay 1992, "Bayesian interpolation", Neural Computation 4,
415-447). What such an estimate shows of a true Green's function is its resolution; another one, as
an emulator's, is compared through the same resolution.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Ratios of prior to noise variance that are tried, where a predictor's squares add up to 1.
_RATIOS = np.logspace(-4, 12, 129)


@dataclass(frozen=True, eq=False)
class Estimate:
    """A Green's function estimated from runs.

    Parameters
    ----------
    sensitivity : ndarray, shape (P,)
        Units of the mean per kelvin of the open sea's mean.
    standard_error : ndarray, shape (P,)
        Posterior standard deviation.
    resolution : ndarray, shape (P, P)
        The expected estimate is this times the true sensitivities.
    ratio : float
        The prior's variance over the noise's, where a predictor's squares add up to 1.
    """

    sensitivity: Array
    standard_error: Array
    resolution: Array
    ratio: float


def regress(x: Array, y: Array, *, ratio: float | None = None) -> Estimate:
    """Estimate sensitivities from months.

    Parameters
    ----------
    x : ndarray, shape (n, P)
        What each patch's share of the sea differs by, kelvin of the open sea's mean; without mean.
    y : ndarray, shape (n,)
        The mean's anomaly, without mean.
    ratio : float, optional
        As in :class:`Estimate`; by default the most likely one. Half of the months have half of a
        predictor's squares.

    Returns
    -------
    Estimate
    """
    n, count = x.shape
    # The common mean is free: it is projected out, and added again.
    common = x.sum(axis=1)
    norm = float(common @ common)
    project = np.outer(common, common) / norm
    left_x, left_y = x - project @ x, y - project @ y
    scale = float(np.sqrt((left_x**2).sum() / count))
    u, s, vt = np.linalg.svd(left_x / scale, full_matrices=False)
    along = u.T @ left_y
    rest = max(float(left_y @ left_y - along @ along), 0.0)

    def likelihood(q: float) -> tuple[float, float]:
        """Log likelihood with the noise's variance at its most likely value, and that value."""
        total = 1.0 + q * s**2
        noise = (float((along**2 / total).sum()) + rest) / (n - 1)
        return -0.5 * (float(np.log(total).sum()) + (n - 1) * np.log(noise)), noise

    chosen = float(max(_RATIOS, key=lambda q: likelihood(q)[0])) if ratio is None else ratio
    noise = likelihood(chosen)[1]
    shrunk = chosen * s / (1.0 + chosen * s**2)
    # From data to deviations from the common mean, then to the mean itself.
    deviation = (vt.T * shrunk) @ u.T / scale
    deviation = deviation - deviation @ project
    mean = (common / norm) - (common / norm) @ x @ deviation
    gain = deviation + mean
    prior = chosen * noise / scale**2
    unresolved = np.eye(count) - gain @ x
    spread = np.sqrt(noise * (gain**2).sum(axis=1) + prior * (unresolved**2).sum(axis=1))
    return Estimate(gain @ y, spread, gain @ x, chosen)


def resolution(gram: Array, ratio: float) -> Array:
    """Return the resolution of an estimate from the products of its predictors alone.

    Parameters
    ----------
    gram : ndarray, shape (P, P)
        ``x^T x`` of :func:`regress`.
    ratio : float
        As in :class:`Estimate`.

    Returns
    -------
    ndarray, shape (P, P)
        ``Estimate.resolution``.
    """
    along = gram.sum(axis=1)
    norm = float(along.sum())
    left = gram - np.outer(along, along) / norm
    squares, axes = np.linalg.eigh(left / (np.trace(left) / len(gram)))
    squares = np.maximum(squares, 0.0)
    deviation = (axes * (ratio * squares / (1.0 + ratio * squares))) @ axes.T
    mean = (along / norm) @ (np.eye(len(gram)) - deviation)
    return np.asarray(deviation + mean)


def correlation(a: Array, b: Array, weights: Array) -> float:
    """Return the uncentred correlation of two patterns; all have the shape (P,)."""
    size = np.sqrt((weights * a * a).sum() * (weights * b * b).sum())
    return float((weights * a * b).sum() / size) if size > 0 else float("nan")


@dataclass(frozen=True)
class Agreement:
    """How well one Green's function agrees with a GCM's, estimated from runs.

    Parameters
    ----------
    correlation : float
        Uncentred pattern correlation, at the estimate's resolution.
    amplitude : float
        1 where it is as large as the GCM's, whatever the noise of both halves of the runs.
    halves : float
        Correlation of one half of the runs with the other.
    """

    correlation: float
    amplitude: float
    halves: float


def agreement(
    ours: Array, whole: Estimate, halves: tuple[Estimate, Estimate], weights: Array
) -> Agreement:
    """Compare sensitivities with those estimated from all runs and from independent halves.

    Parameters
    ----------
    ours : ndarray, shape (P,)
    whole : Estimate
        From all runs.
    halves : tuple of Estimate
        From halves whose weather is independent.
    weights : ndarray, shape (P,)
        Of the patches: their area of open sea.

    Returns
    -------
    Agreement
    """

    def product(a: Array, b: Array) -> float:
        return float((weights * a * b).sum())

    one, other = halves
    cross = 0.5 * (
        product(one.resolution @ ours, other.sensitivity)
        + product(other.resolution @ ours, one.sensitivity)
    )
    return Agreement(
        correlation(whole.resolution @ ours, whole.sensitivity, weights),
        cross / product(one.sensitivity, other.sensitivity),
        correlation(one.sensitivity, other.sensitivity, weights),
    )
