"""Analyses of an ensemble in the space of its members.

``A`` are anomalies of n members, ``S`` those of the observed values over the errors' standard
deviations and ``sqrt(n - 1)``: nothing is larger than n x p, n x n or n x d.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, stats

Array = NDArray[np.float64]


def centred(members: Array) -> tuple[Array, Array]:
    """Return the mean, shape (d,), and the anomalies, shape (n, d), of members."""
    mean = members.mean(axis=0)
    return mean, members - mean


def scaled_anomalies(observed: Array, sd: Array) -> Array:
    """Return S, shape (n, p), of the members' observed values and the errors' deviations."""
    return np.asarray((observed - observed.mean(axis=0)) / (sd * np.sqrt(len(observed) - 1)))


def perturbed_update(
    members: Array, observed: Array, values: Array, sd: Array, generator: np.random.Generator
) -> Array:
    """Update each member with observations perturbed by draws of their errors.

    Burgers, van Leeuwen and Evensen 1998,
    https://doi.org/10.1175/1520-0493(1998)126<1719:ASITEK>2.0.CO;2. The draws are centred and
    scaled by ``sqrt(n / (n - 1))``, as in DAPPER.

    Parameters
    ----------
    members : ndarray, shape (n, d)
    observed : ndarray, shape (n, p)
        Their observed values.
    values, sd : ndarray, shape (p,)
    generator : numpy.random.Generator

    Returns
    -------
    ndarray, shape (n, d)
    """
    n = len(members)
    s = scaled_anomalies(observed, sd)
    draws = generator.standard_normal(observed.shape)
    draws = (draws - draws.mean(axis=0)) * np.sqrt(n / (n - 1))
    departures = (values - observed) / sd - draws
    # The smaller of the two equal forms S^T (S S^T + I)^-1 = (S^T S + I)^-1 S^T.
    if s.shape[1] < n:
        weights = departures @ linalg.solve(s.T @ s + np.eye(s.shape[1]), s.T, assume_a="pos")
    else:
        weights = linalg.solve(s @ s.T + np.eye(n), s @ departures.T, assume_a="pos").T
    return members + weights @ centred(members)[1] / np.sqrt(n - 1)


def symmetric_transform(gram: Array, toward: Array) -> tuple[Array, Array]:
    """Return the weights of the ensemble transform Kalman filter; leading axes are a batch.

    Bishop, Etherton and Majumdar 2001,
    https://doi.org/10.1175/1520-0493(2001)129<0420:ASWTET>2.0.CO;2; the symmetric root after Hunt,
    Kostelich and Szunyogh 2007, https://doi.org/10.1016/j.physd.2006.11.008, equations 21 and 24.

    Parameters
    ----------
    gram : ndarray, shape (..., n, n)
        ``S S^T``.
    toward : ndarray, shape (..., n)
        ``S d`` of the mean's departures d over the errors' standard deviations.

    Returns
    -------
    mean : ndarray, shape (..., n)
        Weights of the anomalies in the increment of the mean.
    transform : ndarray, shape (..., n, n)
        From anomalies to anomalies of the analysis.
    """
    n = gram.shape[-1]
    values, vectors = np.linalg.eigh(gram)
    shrunk = 1.0 + values.clip(0.0)
    turned = np.swapaxes(vectors, -1, -2)
    mean = (vectors @ ((turned @ toward[..., None]) / shrunk[..., None]))[..., 0]
    transform = (vectors * (shrunk**-0.5)[..., None, :]) @ turned
    return mean / np.sqrt(n - 1), transform


def rotation(n: int, generator: np.random.Generator) -> Array:
    """Draw an orthogonal matrix, shape (n, n), that keeps the mean of members.

    Sakov and Oke 2008, https://doi.org/10.1175/2007MWR2021.1, section 4.
    """
    basis = np.linalg.qr(np.column_stack((np.ones(n), np.eye(n)[:, 1:])))[0]
    turn: Any = stats.ortho_group.rvs(n - 1, random_state=generator)
    return np.asarray(basis @ linalg.block_diag(1.0, np.reshape(turn, (n - 1, n - 1))) @ basis.T)


def spread_out(
    members: Array, inflation: float, generator: np.random.Generator | None = None
) -> Array:
    """Inflate the anomalies by a factor, and rotate them if given a generator."""
    mean, anomalies = centred(members)
    if generator is not None:
        anomalies = rotation(len(members), generator) @ anomalies
    return mean + inflation * anomalies


def relaxed(members: Array, before: Array, fraction: float) -> Array:
    """Draw each component's spread back to that of the members before, by a fraction of the way."""
    mean, anomalies = centred(members)
    now, then = members.std(axis=0), before.std(axis=0)
    # A component without spread stays as it is.
    factor = 1.0 + fraction * (then - now) / np.where(now > 0, now, np.inf)
    return mean + factor * anomalies
