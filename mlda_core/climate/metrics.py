"""Area-weighted scores in display units; missing cells are left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Comparison:
    """Scores of a model field against its target.

    Parameters
    ----------
    r : float
        Area-weighted (centred) correlation over the cells.
    rmse : float
        Area-weighted root-mean-square difference, units of the fields.
    explained_variance : float
        ``1 - sum w (model - target)^2 / sum w target^2``: zero is climatology, for anomalies.
    target_mean, model_mean : float
        Area-weighted means.
    """

    r: float
    rmse: float
    explained_variance: float
    target_mean: float
    model_mean: float


def compare(
    target: NDArray[np.floating], model: NDArray[np.floating], weights: NDArray[np.floating]
) -> Comparison:
    """Compare two fields of anomalies cell by cell.

    Parameters
    ----------
    target, model : ndarray of one shape
        Anomalies in the same units; cells that are NaN in either are left out.
    weights : ndarray
        Cell areas, broadcast to the fields; need not be normalised.

    Returns
    -------
    Comparison
        All NaN if no cell is valid in both.
    """
    good = np.isfinite(target) & np.isfinite(model)
    w = np.broadcast_to(weights, target.shape)[good].astype(np.float64)
    t = target[good].astype(np.float64)
    m = model[good].astype(np.float64)
    total = w.sum()
    if total <= 0:
        nan = float("nan")
        return Comparison(nan, nan, nan, nan, nan)
    w = w / total
    t_mean, m_mean = float(w @ t), float(w @ m)
    tt, mm = w @ (t - t_mean) ** 2, w @ (m - m_mean) ** 2
    tm = w @ ((t - t_mean) * (m - m_mean))
    mse = w @ (m - t) ** 2
    power = w @ t**2
    return Comparison(
        r=float(tm / np.sqrt(tt * mm)) if tt > 0 and mm > 0 else float("nan"),
        rmse=float(np.sqrt(mse)),
        explained_variance=float(1 - mse / power) if power > 0 else float("nan"),
        target_mean=t_mean,
        model_mean=m_mean,
    )


def pattern_correlation(
    target: NDArray[np.floating], model: NDArray[np.floating], weights: NDArray[np.floating]
) -> float:
    """Return the uncentred, area-weighted pattern correlation of two fields (-1..1)."""
    good = np.isfinite(target) & np.isfinite(model)
    w = np.broadcast_to(weights, target.shape)[good].astype(np.float64)
    t = target[good].astype(np.float64)
    m = model[good].astype(np.float64)
    norm = np.sqrt((w @ t**2) * (w @ m**2))
    return float((w @ (t * m)) / norm) if norm > 0 else float("nan")
