"""The linear baseline of the model: principal components that vary with the season."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SeasonalComponents:
    """A linear Gaussian model of the standardised anomalies for each calendar month.

    Parameters
    ----------
    patterns : ndarray, shape (K, cells)
        Leading empirical orthogonal functions, as maps of standardised anomalies.
    projector : ndarray, shape (cells, K)
        Maps fields to coefficients: area weights times patterns.
    mixing : ndarray, shape (12, K, L)
        The coefficients are ``mixing @ z`` plus noise, z ~ N(0, I).
    regression : ndarray, shape (12, L, K)
        Posterior mean of z given the coefficients.
    log_variance : ndarray, shape (12, L)
        Logarithm of the posterior variances of z.
    variances : ndarray, shape (K,)
        Variance along each pattern, of a total of one per variable.
    """

    patterns: Array
    projector: Array
    mixing: Array
    regression: Array
    log_variance: Array
    variances: Array


def season_weights(month: int, months: NDArray[np.int64], *, width: float, floor: float) -> Array:
    """Weights of samples of other calendar months: Gaussian in distance plus a floor.

    Parameters
    ----------
    month : int
        Calendar month 1..12.
    months : ndarray of int, shape (n,)
        The samples' calendar months.
    width : float
        Standard deviation in months.
    floor : float
        Least weight, of the opposite season.
    """
    apart = np.abs((months - month + 6) % 12 - 6)
    return np.asarray(np.exp(-0.5 * (apart / width) ** 2) + floor)


# Iterations and patterns used to fit patterns to maps with gaps.
_ROUNDS, _LEADING = 12, 30


def fit_patterns(
    x: NDArray[np.float32],
    weights: Array,
    count: int,
    *,
    seed: int,
    present: NDArray[np.bool_] | None = None,
) -> tuple[Array, Array, Array, NDArray[np.float32]]:
    """Leading empirical orthogonal functions of area-weighted maps, by randomised SVD.

    Parameters
    ----------
    x : ndarray, shape (n, cells)
        Standardised anomalies, zero where missing.
    weights : ndarray, shape (cells,)
        Weights of the cells, zero where missing.
    count : int
        Number of patterns K.
    seed : int
        Of the randomised SVD (Halko et al. 2011).
    present : ndarray of bool, shape (n, cells), optional
        Which cells the maps have; all by default. Gaps are filled with the values reconstructed
        from the leading patterns, and the patterns are refitted, a few times (Beckers and Rixen
        2003); the filled values are used in this fit only.

    Returns
    -------
    patterns : ndarray, shape (K, cells)
    projector : ndarray, shape (cells, K)
    variances : ndarray, shape (K,)
    coefficients : ndarray, shape (n, K)
    """
    if present is not None:
        x = bridge_gaps(x, present, weights, min(count, _LEADING), seed=seed)
    root = np.sqrt(weights).astype(np.float32)
    scaled = torch.from_numpy(x * root)
    # The randomised SVD uses torch's global generator, whose state is restored.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        _, s, v = torch.svd_lowrank(scaled, q=min(count + 20, *x.shape), niter=4)
    basis = v[:, :count].numpy().astype(np.float64)
    inverse = np.divide(1.0, root, out=np.zeros(root.shape), where=root > 0)
    patterns = (basis * inverse[:, None]).T
    projector = basis * root[:, None]
    variances = (s[:count].numpy().astype(np.float64) ** 2) / len(x)
    return patterns, projector, variances, (x @ projector.astype(np.float32))


def bridge_gaps(
    x: NDArray[np.float32],
    present: NDArray[np.bool_],
    weights: Array,
    count: int = _LEADING,
    *,
    seed: int,
) -> NDArray[np.float32]:
    """Fill the gaps of maps by reconstruction from leading patterns.

    An iteration after Beckers and Rixen (2003,
    https://doi.org/10.1175/1520-0426(2003)020<1839:ECADFF>2.0.CO;2).

    Parameters
    ----------
    x : ndarray of float32, shape (n, cells)
        Standardised anomalies; values in gaps are ignored.
    present : ndarray of bool, shape (n, cells)
        Which cells the maps have.
    weights : ndarray, shape (cells,)
        Weights of the cells.
    count : int
        Number of patterns.
    seed : int
        Of the randomised SVD.

    Returns
    -------
    ndarray of float32, shape (n, cells)
    """
    whole = np.where(present, x, np.float32(0))
    for _ in range(_ROUNDS):
        patterns, _, variances, coefficients = fit_patterns(whole, weights, count, seed=seed)
        # Noise variance along a pattern: the mean variance beyond the leading patterns.
        total = float((np.square(whole, dtype=np.float64) @ weights).mean())
        noise = max(total - variances.sum(), 0.0) / max(min(x.shape) - count, 1)
        kept = (variances / (variances + noise + 1e-12)).astype(np.float32)
        estimate = (coefficients * kept) @ patterns.astype(np.float32)
        whole = np.where(present, x, estimate)
    return whole


def seasonal_components(  # noqa: PLR0913 - one fit, its knobs by name
    x: NDArray[np.float32],
    months: NDArray[np.int64],
    weights: Array,
    *,
    n_patterns: int,
    n_latent: int,
    noise: float,
    prior: NDArray[np.bool_] | None = None,
    seasonal: bool = True,
    width: float = 1.8,
    floor: float = 0.1,
    seed: int = 0,
    present: NDArray[np.bool_] | None = None,
) -> SeasonalComponents:
    """Fit probabilistic principal components (Tipping and Bishop 1999) to each calendar month.

    The months' solutions are rotated onto that of the whole year (orthogonal Procrustes), so
    that a latent component means the same all year and its pattern varies smoothly; a rotation
    of z leaves the prior N(0, I) unchanged.

    Parameters
    ----------
    x : ndarray, shape (n, cells)
        Standardised anomalies, zero where missing.
    months : ndarray of int, shape (n,)
        Calendar months 1..12.
    weights : ndarray, shape (cells,)
        Weights of the cells.
    n_patterns, n_latent : int
        K and L.
    noise : float
        Variance of the noise on the coefficients.
    prior : ndarray of bool, shape (n,), optional
        Samples that determine the prior; all by default. The others help to find the subspace,
        but not the variances within it: synthetic seas vary 3.6 times as much.
    seasonal : bool
        False fits one solution for all months.
    width, floor : float
        See :func:`season_weights`.
    seed : int
        Of the randomised SVD.
    present : ndarray of bool, shape (n, cells), optional
        Which cells the maps have; a map is weighted by the area fraction that it covers.
    """
    patterns, projector, variances, coefficients = fit_patterns(
        x, weights, n_patterns, seed=seed, present=present
    )
    p = coefficients.astype(np.float64)
    own = np.ones(len(p), dtype=bool) if prior is None else prior
    coverage = None if present is None else present @ weights / weights.sum()

    def solve(w: Array) -> Array:
        if coverage is not None:
            w = w * coverage
        return _mixing(_moment(p, w), _moment(p[own], w[own]), n_latent, noise)

    reference = solve(np.ones(len(p)))
    mixing = np.broadcast_to(reference, (12, n_patterns, n_latent)).copy()
    if seasonal:
        for m in range(12):
            monthly = solve(season_weights(m + 1, months, width=width, floor=floor))
            u, _, vt = np.linalg.svd(monthly.T @ reference)
            mixing[m] = monthly @ (u @ vt)
    regression = np.empty((12, n_latent, n_patterns))
    log_variance = np.empty((12, n_latent))
    for m in range(12):
        inner = np.linalg.inv(mixing[m].T @ mixing[m] + noise * np.eye(n_latent))
        regression[m] = inner @ mixing[m].T
        log_variance[m] = np.log(noise * np.diag(inner))
    return SeasonalComponents(patterns, projector, mixing, regression, log_variance, variances)


def _moment(p: Array, w: Array) -> Array:
    """Weighted second moments of coefficients (n, K); anomalies need no centring."""
    return np.asarray((p * w[:, None]).T @ p / w.sum())


def _mixing(every: Array, own: Array, n_latent: int, noise: float) -> Array:
    """Square root of the covariance ``own`` within the leading subspace of ``every``."""
    _, vectors = np.linalg.eigh(every)
    subspace = vectors[:, ::-1][:, :n_latent]
    values, axes = np.linalg.eigh(subspace.T @ own @ subspace)
    scale = np.sqrt(np.clip(values[::-1] - noise, 1e-3 * noise, None))
    return np.asarray(subspace @ axes[:, ::-1] * scale)
