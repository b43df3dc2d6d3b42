"""Errors of one step on times that were held out, as a covariance in few numbers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from mlda_core.forecast.dynamics import Dynamics
from mlda_core.forecast.grid_training import runs_of
from mlda_core.forecast.model_error import FactoredCovariance
from mlda_core.vae.dataset import TrainingData

# Leading patterns kept: of one-day errors of SPEEDY's days 64 have half of the variance.
PATTERNS = 64


def step_errors(dynamics: Dynamics, data: TrainingData) -> NDArray[np.float32]:
    """Return the errors of a step on the VALIDATION times, standardised, shape (n, d)."""
    held, seasons = data.observed.in_split("validation"), data.normaliser.seasons
    rows = runs_of(held, seasons, 1)
    times = seasons.step.times(held.names)
    flat = held.x.reshape(len(held), -1)
    out = np.empty((rows.size, flat.shape[1]), np.float32)
    with torch.no_grad():
        for i, row in enumerate(rows):
            made = dynamics.step(torch.from_numpy(flat[row : row + 1]), times[row])[0].numpy()
            out[i] = flat[row + 1] - made
    return out


def packed_errors(
    errors: NDArray[np.float32], weights: NDArray[np.float64]
) -> dict[str, torch.Tensor]:
    """Return leading patterns of errors, scaled to the variance of each cell, a byte a number.

    Parameters
    ----------
    errors : ndarray, shape (n, d)
    weights : ndarray, shape (d,)
        Cell areas.
    """
    root = np.sqrt(weights).astype(np.float32)
    scaled = torch.from_numpy(errors * root / np.sqrt(len(errors)))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        _, s, v = torch.svd_lowrank(scaled, q=min(PATTERNS + 20, *scaled.shape), niter=4)
    count = min(PATTERNS, v.shape[1])
    factor = (v[:, :count] * s[:count]).numpy() / np.maximum(root, 1e-12)[:, None]
    factor[root == 0] = 0.0
    # What the patterns leave out is given to them, so that the variance of a cell is right.
    variance, kept = (errors**2).mean(axis=0), (factor**2).sum(axis=1)
    factor *= np.sqrt(variance / np.maximum(kept, 1e-12))[:, None]
    steps = np.maximum(np.abs(factor).max(axis=0) / 127.0, 1e-12).astype(np.float32)
    # Rows one after another in memory: files of tensors take no others.
    rows = np.ascontiguousarray(np.rint(factor.T / steps[:, None]).astype(np.int8))
    return {
        "error": torch.from_numpy(rows),
        "error_step": torch.from_numpy(steps),
    }


def unpacked_errors(tensors: Mapping[str, torch.Tensor]) -> FactoredCovariance:
    """Invert :func:`packed_errors`."""
    packed, steps = tensors["error"].numpy(), tensors["error_step"].numpy()
    return FactoredCovariance(np.asarray((packed * steps[:, None]).T, np.float64))
