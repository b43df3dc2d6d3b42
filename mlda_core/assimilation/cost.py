"""The cost J(zeta) with the nonlinear decoder, and its gradient."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from mlda_core.assimilation.analysis import Cost
from mlda_core.assimilation.problem import Problem

Float = NDArray[np.float32]
Array = NDArray[np.float64]


class DecodedCost:
    """``J(zeta) = 1/2 |zeta|^2 + 1/2 d^T S^-1 d`` with ``d = y - H (x_b + G(z) - G(z_b))``.

    And ``z = z_b + T zeta``, or ``z_b + T m(zeta)`` where the prior is bent.

    Parameters
    ----------
    problem : Problem

    Raises
    ------
    ValueError
        If its prior has no decoder.
    """

    def __init__(self, problem: Problem) -> None:
        gain, observed = problem.gain, problem.observed
        if gain.prior.turn is None:
            raise ValueError("A linear prior has no decoder; solve it in closed form.")
        self.problem, self.decoder = problem, problem.bundle.decoder
        self.turn, self.bend = gain.prior.turn, gain.prior.bend
        self.value = torch.from_numpy(observed.value).float()
        self.index = torch.from_numpy(observed.places.index)
        self.weight = torch.from_numpy(observed.places.weight).float()
        self.whitener = torch.from_numpy(gain.whitener32)
        self.month = torch.tensor([problem.bundle.calendar_month(problem.month)])
        start = torch.from_numpy(problem.z_b).float()
        with torch.no_grad():
            # x_b + G(z) - G(z_b): the background need not lie in the decoder's range.
            decoded = self.decoder(start[None], self.month).flatten()
            self.offset = torch.from_numpy(problem.x_b) - decoded
        self._last: dict[bytes, tuple[Float, Array, Cost]] = {}

    def z(self, zeta: Array) -> Array:
        """Return the latent vector."""
        z = self.problem.latent(zeta)
        if z is None:
            raise ValueError("A linear prior has no decoder; solve it in closed form.")
        return z

    def value_and_gradient(self, zeta: Array) -> tuple[float, Array]:
        """Return the cost and its gradient."""
        z = torch.from_numpy(self.z(zeta)).float().requires_grad_()
        x = self.offset + self.decoder(z[None], self.month).flatten()
        at = (x[self.index] * self.weight).sum(dim=1)
        left = self.value - at
        white = self.whitener @ left
        misfit = 0.5 * (white @ white)
        (slope,) = torch.autograd.grad(misfit, z)
        pulled = self.turn.T @ slope.numpy().astype(np.float64)
        if self.bend is not None:
            pulled = self.bend.pull(zeta[None], pulled[None])[0]
        cost = Cost(0.5 * float(zeta @ zeta), float(misfit.detach()))
        field = x.detach().numpy()
        self._last = {zeta.tobytes(): (field, left.detach().numpy().astype(np.float64), cost)}
        return cost.total, zeta + pulled

    def at(self, zeta: Array) -> tuple[Float, Array]:
        """Return the decoded state (cells,) and the departures from it (p,)."""
        return self._known(zeta)[:2]

    def cost(self, zeta: Array) -> Cost:
        """Return the terms of the cost."""
        return self._known(zeta)[2]

    def _known(self, zeta: Array) -> tuple[Float, Array, Cost]:
        if zeta.tobytes() not in self._last:
            self.value_and_gradient(zeta)
        return self._last[zeta.tobytes()]
