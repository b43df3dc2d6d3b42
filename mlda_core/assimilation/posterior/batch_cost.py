"""The cost of many latent vectors at once, each with observations and a prior mean of its own."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from mlda_core.assimilation.posterior.batch_solver import BatchPoint, minimise_batch
from mlda_core.assimilation.posterior.sampler import Progress

if TYPE_CHECKING:
    from mlda_core.assimilation.problem import Problem

Float = NDArray[np.float32]
Array = NDArray[np.float64]

# Decoded at once, so that the memory of a large ensemble stays bounded.
BATCH = 16


class BatchCost:
    """``J_i(zeta) = 1/2 |zeta - mean_i|^2 + 1/2 d_i^T S^-1 d_i``, ``d_i = y_i - H x(zeta)``.

    Parameters
    ----------
    problem : Problem
    values : ndarray, shape (n, p)
        Observations of each member, standardised.
    means : ndarray, shape (n, L)
        Its prior mean of zeta.
    """

    def __init__(self, problem: Problem, values: Array, means: Array) -> None:
        gain, places = problem.gain, problem.observed.places
        if gain.prior.turn is None:
            raise ValueError("A linear prior has no decoder; draw in closed form.")
        self.problem, self.decoder = problem, problem.bundle.decoder
        self.turn, self.bend = gain.prior.turn, gain.prior.bend
        self.values = torch.from_numpy(values).float()
        self.means = means
        self.inverse_hessian, self.max_steps = gain.inverse_hessian, problem.setting.max_steps
        self.index = torch.from_numpy(places.index)
        self.weight = torch.from_numpy(places.weight).float()
        self.whitener = torch.from_numpy(gain.whitener32)
        self.month = problem.bundle.calendar_month(problem.month)
        start = torch.from_numpy(problem.z_b).float()
        with torch.no_grad():
            decoded = self.decoder(start[None], self._months(1)).flatten()
            self.offset = torch.from_numpy(problem.x_b) - decoded

    def _months(self, n: int) -> torch.Tensor:
        return torch.full((n,), self.month)

    def z(self, zeta: Array) -> Array:
        """Return the latent vectors, shape (n, L)."""
        z = self.problem.latents(zeta)
        if z is None:
            raise ValueError("A linear prior has no decoder; draw in closed form.")
        return z

    def evaluate(self, zeta: Array, rows: NDArray[np.int64]) -> tuple[Array, Array]:
        """Return costs and gradients of some members.

        Parameters
        ----------
        zeta : ndarray, shape (k, L)
        rows : ndarray of int, shape (k,)
            Which members they are.

        Returns
        -------
        cost : ndarray, shape (k,)
        gradient : ndarray, shape (k, L)
        """
        cost, gradient = np.empty(len(zeta)), np.empty_like(zeta)
        for first in range(0, len(zeta), BATCH):
            part = slice(first, first + BATCH)
            z = torch.from_numpy(self.z(zeta[part])).float().requires_grad_()
            left = self.values[rows[part]] - self._observe(self._decode(z))
            misfit = 0.5 * ((left @ self.whitener.T) ** 2).sum(dim=1)
            (slope,) = torch.autograd.grad(misfit.sum(), z)
            pulled = slope.numpy().astype(np.float64) @ self.turn
            if self.bend is not None:
                pulled = self.bend.pull(zeta[part], pulled)
            away = zeta[part] - self.means[rows[part]]
            cost[part] = 0.5 * (away**2).sum(axis=1) + misfit.detach().numpy()
            gradient[part] = away + pulled
        return cost, gradient

    def minima(self, start: Array) -> Generator[Progress, None, BatchPoint]:
        """Minimise all members' costs, yielding the progress; return their ends.

        Parameters
        ----------
        start : ndarray, shape (n, L)

        Yields
        ------
        Progress
            Members that have converged, of all.
        """
        last = None
        for point in minimise_batch(
            self.evaluate, start, self.inverse_hessian, max_steps=self.max_steps
        ):
            last = point
            yield Progress(int(point.converged.sum()), len(start))
        if last is None:
            raise RuntimeError("a minimisation made no step")
        return last

    def states(self, zeta: Array) -> tuple[Float, Array]:
        """Return the decoded states (n, cells), and what they leave of the observations (n, p)."""
        states, left = [], []
        with torch.no_grad():
            for first in range(0, len(zeta), BATCH):
                part = slice(first, first + BATCH)
                x = self._decode(torch.from_numpy(self.z(zeta[part])).float())
                states.append(x.numpy())
                left.append((self.values[part] - self._observe(x)).numpy())
        return np.concatenate(states), np.concatenate(left).astype(np.float64)

    def _decode(self, z: torch.Tensor) -> torch.Tensor:
        return self.offset + self.decoder(z, self._months(len(z))).flatten(1)

    def _observe(self, x: torch.Tensor) -> torch.Tensor:
        return (x[:, self.index] * self.weight).sum(dim=2)
