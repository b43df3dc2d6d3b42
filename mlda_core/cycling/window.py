"""The cost of a window of 4D-Var, and its minimum.

The control v is a priori N(0, I): the first ``rank`` of its numbers move the start of the window by
the root of B, the others, with a weak constraint, each step by the root of Q.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import linalg

from mlda_core.cycling.covariance import Covariance
from mlda_core.cycling.problem import Observations, Problem
from mlda_core.forecast.model_error import ModelError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Window:
    """A window and what is known of it.

    Parameters
    ----------
    problem : Problem
    first, last : int
        Its cycles.
    start : ndarray, shape (d,)
        Background at its start.
    covariance : Covariance
        B, at its start.
    used : sequence of (int, Observations)
        The cycles whose observations are assimilated, in order.
    errors : ndarray, shape (steps, d), optional
        A priori means of the model errors; with them, the constraint is weak.
    """

    problem: Problem
    first: int
    last: int
    start: Array
    covariance: Covariance
    used: Sequence[tuple[int, Observations]]
    errors: Array | None = None

    @property
    def rank(self) -> int:
        """Number of control values."""
        return self.covariance.rank + self.steps * (self._q.rank if self._q else 0)

    @property
    def steps(self) -> int:
        """Number of steps of the forecast model."""
        return (self.last - self.first) * self.problem.every

    @property
    def _q(self) -> ModelError | None:
        return None if self.errors is None else self.problem.dynamics.model_error

    @property
    def scaled_values(self) -> Array:
        """Observed values over their errors' deviations, shape (p of all times)."""
        return np.concatenate([o.values / o.sd for _, o in self.used])

    def states(self, control: torch.Tensor) -> Iterator[tuple[int, torch.Tensor]]:
        """Step through the window.

        Parameters
        ----------
        control : Tensor, shape (n, rank)

        Yields
        ------
        cycle : int
            From the first to the last.
        states : Tensor, shape (n, d)
        """
        of_start = self.covariance.rank
        at = torch.from_numpy(self.start) + self.covariance.root(control[:, :of_start])
        yield self.first, at
        for k, time in enumerate(self.problem.steps(self.first, self.last)):
            at = self.problem.dynamics.step(at, time)
            if (q := self._q) is not None:
                at = at + self._error(q, control, k)
            if (k + 1) % self.problem.every == 0:
                yield self.first + (k + 1) // self.problem.every, at

    def _error(self, q: ModelError, control: torch.Tensor, k: int) -> torch.Tensor:
        begin = self.covariance.rank + k * q.rank
        drawn = q.root(control[:, begin : begin + q.rank])
        return drawn if self.errors is None else torch.from_numpy(self.errors[k]) + drawn

    def model_errors(self, control: Array) -> Array:
        """Return the model errors of a control, shape (steps, d)."""
        out = np.zeros((self.steps, self.start.size))
        if (q := self._q) is None:
            return out
        with torch.no_grad():
            at = torch.from_numpy(control[None])
            for k in range(self.steps):
                out[k] = self._error(q, at, k)[0].numpy()
        return out

    def ends(self, control: Array) -> tuple[Array, Array]:
        """Return the states at the start and at the end of the window, shape (d,) each."""
        with torch.no_grad():
            states = [at[0].numpy() for _, at in self.states(torch.from_numpy(control[None]))]
        return np.array(states[0]), np.array(states[-1])

    def scaled(self, control: torch.Tensor) -> torch.Tensor:
        """Return the observed values over their errors' deviations, shape (n, p of all times)."""
        wanted = dict(self.used)
        seen = [
            wanted[cycle].operator.apply(states) / torch.from_numpy(wanted[cycle].sd)
            for cycle, states in self.states(control)
            if cycle in wanted
        ]
        return torch.cat(seen, dim=-1)

    def value_and_gradient(self, control: Array) -> tuple[float, Array]:
        """Return the cost ``|v|^2 / 2 + |(y - h(v)) / sd|^2 / 2`` and its gradient."""
        at = torch.from_numpy(control[None].copy()).requires_grad_()
        departures = torch.from_numpy(self.scaled_values) - self.scaled(at)[0]
        cost = 0.5 * (at**2).sum() + 0.5 * (departures**2).sum()
        (gradient,) = torch.autograd.grad(cost, at)
        return float(cost.item()), np.asarray(gradient[0].numpy())

    def linearised(self, control: Array) -> tuple[Array, Array]:
        """Return the departures, shape (p,), and the derivative of ``h / sd``, shape (p, rank).

        One pass forward and one back of p copies of the control.
        """
        copies = torch.from_numpy(np.repeat(control[None], self.scaled_values.size, axis=0))
        copies.requires_grad_()
        seen = self.scaled(copies)
        (slope,) = torch.autograd.grad(seen.diagonal().sum(), copies)
        departures = self.scaled_values - seen[0].detach().numpy()
        return departures, np.asarray(slope.numpy())


def gauss_newton(
    window: Window, start: Array, iterations: int, tolerance: float
) -> tuple[Array, int]:
    """Minimise the cost by full Gauss-Newton steps, each solved exactly.

    Parameters
    ----------
    window : Window
    start : ndarray, shape (rank,)
    iterations : int
        At most.
    tolerance : float
        Stop when the mean square of a step is below it.

    Returns
    -------
    control : ndarray, shape (rank,)
    iterations : int
        Made.
    """
    v = start
    for i in range(iterations):
        departures, slope = window.linearised(v)
        p, r = slope.shape
        toward = departures + slope @ v
        # The smaller of the two equal forms.
        if p <= r:
            solved = linalg.solve(slope @ slope.T + np.eye(p), toward, assume_a="pos")
            new = slope.T @ solved
        else:
            new = linalg.solve(slope.T @ slope + np.eye(r), slope.T @ toward, assume_a="pos")
        moved, v = new - v, new
        if np.mean(moved**2) < tolerance:
            return v, i + 1
    return v, iterations
