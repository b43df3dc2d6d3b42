"""The minimum of a window of 4D-Var, found in the space of its observations.

What moves a trajectory are forcings: of its start, with the covariance B, and with a weak
constraint of each step, with Q. At the minimum they are ``C G^T z``, with C the covariance of each
and G the linearised model of all observations, and ``(G C G^T + R) z = d`` has as many unknowns as
there are observations (Courtier 1997, https://doi.org/10.1002/qj.49712354415; the representers of
Bennett 1992, https://doi.org/10.1017/CBO9780511600807). Conjugate gradients solve it with one pass
back and one forward through the linearised model for each iteration.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import linalg

from mlda_core.cycling.covariance import LocalisedSample
from mlda_core.cycling.problem import Observations, Problem
from mlda_core.forecast.model_error import ModelError

Array = NDArray[np.float64]
# Far more iterations than are needed: a window of two days takes some ten.
_MOST = 100


@dataclass(frozen=True)
class Forcings:
    """A window whose forcings are sought.

    Parameters
    ----------
    problem : Problem
    first, last : int
        Its cycles.
    start : ndarray, shape (d,)
        Background at its start.
    covariances : sequence of (ModelError, float)
        B, and with a weak constraint the Q of each step, each with a factor.
    used : sequence of (int, Observations)
        The cycles whose observations are assimilated, in order.
    """

    problem: Problem
    first: int
    last: int
    start: Array
    covariances: Sequence[tuple[ModelError, float]]
    used: Sequence[tuple[int, Observations]]

    def states(self, forcings: torch.Tensor) -> list[torch.Tensor]:
        """Return the states of cycles ``first`` to ``last``, shape (1, d) each.

        Parameters
        ----------
        forcings : Tensor, shape (k, d)
            Of the start and, with a weak constraint, of each step.
        """
        every = self.problem.every
        at = torch.from_numpy(self.start) + forcings[:1]
        out = [at]
        for k, time in enumerate(self.problem.steps(self.first, self.last)):
            at = self.problem.dynamics.step(at, time)
            if len(forcings) > 1:
                at = at + forcings[k + 1 : k + 2]
            if (k + 1) % every == 0:
                out.append(at)
        return out

    def observed(self, forcings: torch.Tensor) -> torch.Tensor:
        """Return the observed values over their errors' deviations, shape (p of all times,)."""
        states = self.states(forcings)
        return torch.cat(
            [
                seen.operator.apply(states[cycle - self.first])[0] / torch.from_numpy(seen.sd)
                for cycle, seen in self.used
            ]
        )

    def spread(self, slopes: torch.Tensor) -> torch.Tensor:
        """Return ``C a``, shape (k, d), of slopes of shape (k, d)."""
        owners: dict[int, list[int]] = {}
        for k, (covariance, _) in enumerate(self.covariances):
            owners.setdefault(id(covariance), []).append(k)
        out = torch.empty_like(slopes)
        for rows in owners.values():
            covariance = self.covariances[rows[0]][0]
            factors = torch.tensor([self.covariances[k][1] for k in rows], dtype=slopes.dtype)
            with torch.no_grad():
                out[rows] = factors[:, None] * _product(covariance, slopes[rows])
        return out


def minimum(
    window: Forcings,
    iterations: int,
    tolerance: float,
    between: Callable[[Observations], Array],
) -> tuple[list[Array], int]:
    """Return the states of a window's cycles at the minimum of its cost.

    Parameters
    ----------
    window : Forcings
    iterations : int
        Gauss-Newton steps: one is exact for linear dynamics and operators.
    tolerance : float
        Of the residual of each, relative.
    between : callable
        From the observations of a cycle to ``H B H^T``, shape (p, p): what a static covariance
        makes of each cycle's observations alone is the preconditioner.

    Returns
    -------
    states : list of ndarray, shape (d,)
        Of each cycle.
    iterations : int
        Of conjugate gradients, of all steps.
    """
    blocks = [_factored(between(seen), seen) for _, seen in window.used]
    values = np.concatenate([seen.values / seen.sd for _, seen in window.used])
    forcings = torch.zeros(len(window.covariances), window.start.size, dtype=torch.float64)
    count = 0
    for _ in range(iterations):
        linear = _Linear(window, forcings)
        toward = values - linear.observed + linear.forward(forcings)
        z, made = _solved(window, linear, toward, blocks, tolerance)
        forcings, count = window.spread(linear.back(z)), count + made
    with torch.no_grad():
        return [at[0].numpy() for at in window.states(forcings)], count


class _Linear:
    """A window linearised at its forcings."""

    def __init__(self, window: Forcings, forcings: torch.Tensor) -> None:
        self._at = forcings.clone().requires_grad_()
        self._seen = window.observed(self._at)
        self.observed = self._seen.detach().numpy()
        # G f is the derivative of G^T u in u: twice backward takes a third of forward mode's time.
        self._u = torch.zeros_like(self._seen).requires_grad_()
        (self._slope,) = torch.autograd.grad(self._seen, self._at, self._u, create_graph=True)

    def forward(self, forcings: torch.Tensor) -> Array:
        (out,) = torch.autograd.grad(self._slope, self._u, forcings, retain_graph=True)
        return np.asarray(out.numpy())

    def back(self, z: Array) -> torch.Tensor:
        along = torch.from_numpy(z)
        (out,) = torch.autograd.grad(self._seen, self._at, along, retain_graph=True)
        return out


def _solved(
    window: Forcings,
    linear: _Linear,
    toward: Array,
    blocks: list[tuple[Array, bool]],
    tolerance: float,
) -> tuple[Array, int]:
    """Solve ``(G C G^T + I) z = toward`` by preconditioned conjugate gradients."""
    edges = np.cumsum([len(factor) for factor, _ in blocks])[:-1]

    def preconditioned(r: Array) -> Array:
        parts = zip(blocks, np.split(r, edges), strict=True)
        return np.concatenate([linalg.cho_solve(block, part) for block, part in parts])

    z, r = np.zeros_like(toward), toward
    p = s = preconditioned(r)
    for i in range(_MOST):
        product = linear.forward(window.spread(linear.back(p))) + p
        along = (r @ s) / (p @ product)
        z, rest = z + along * p, r - along * product
        if np.linalg.norm(rest) <= tolerance * np.linalg.norm(toward):
            return z, i + 1
        new = preconditioned(rest)
        p = new + (rest @ new) / (r @ s) * p
        r, s = rest, new
    return z, _MOST


def _factored(between: Array, seen: Observations) -> tuple[Array, bool]:
    scaled = between / np.outer(seen.sd, seen.sd)
    factor: tuple[Array, bool] = linalg.cho_factor(scaled + np.eye(len(scaled)), lower=True)
    return factor


def _product(covariance: ModelError, states: torch.Tensor) -> torch.Tensor:
    if isinstance(covariance, LocalisedSample):
        return covariance.product(states)
    return covariance.root(covariance.root_transposed(states))
