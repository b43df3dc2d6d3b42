"""Reconstruction by empirical orthogonal functions, the linear baseline of the VAE."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlda_core.vae.dataset import Months, TrainingData, joint_present
from mlda_core.vae.seasonal import fit_patterns


@dataclass(frozen=True)
class EOFBasis:
    """Leading empirical orthogonal functions of the standardised anomalies.

    Parameters
    ----------
    patterns : ndarray, shape (K, cells)
    projector : ndarray, shape (cells, K)
    variances : ndarray, shape (K,)
        On the months of the fit.
    """

    patterns: NDArray[np.float64]
    projector: NDArray[np.float64]
    variances: NDArray[np.float64]

    def codes(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """Coefficients of maps (n, V, lat, lon) in units of their fitted spread, (n, K)."""
        return np.asarray(x.reshape(len(x), -1) @ self.projector / np.sqrt(self.variances))

    def reconstruct(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Project maps onto the patterns and back, shape (n, V, lat, lon)."""
        p = x.reshape(len(x), -1) @ self.projector.astype(np.float32)
        return np.asarray((p @ self.patterns.astype(np.float32)).reshape(x.shape))


def fit_eofs(data: TrainingData, count: int, *, mixed: bool = True, seed: int = 0) -> EOFBasis:
    """Fit EOFs to the VAE's training months, with equal weight for every variable.

    Parameters
    ----------
    data : TrainingData
    count : int
        Number of EOFs.
    mixed : bool
        Whether months under synthetic seas are used too.
    seed : int
        Of the randomised SVD.
    """
    parts: list[Months] = [data.train]
    if mixed and data.mixed is not None:
        parts.append(data.mixed)
    x = np.concatenate([p.x.reshape(len(p), -1) for p in parts])
    present = joint_present(parts)
    patterns, projector, variances, _ = fit_patterns(
        x,
        data.normaliser.weights.ravel(),
        count,
        seed=seed,
        present=None if present is None else present.reshape(x.shape),
    )
    return EOFBasis(patterns, projector, variances)
