"""Minimisation of many costs at once by preconditioned L-BFGS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.solver import ARMIJO, MEMORY, TOLERANCE

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
MOST_HALVINGS = 8


@dataclass(frozen=True, eq=False)
class BatchPoint:
    """An iterate of all minimisations.

    Parameters
    ----------
    x : ndarray, shape (n, L)
    cost : ndarray, shape (n,)
    converged : ndarray of bool, shape (n,)
    """

    x: Array
    cost: Array
    converged: NDArray[np.bool_]


def minimise_batch(
    evaluate: Callable[[Array, Rows], tuple[Array, Array]],
    start: Array,
    preconditioner: Array,
    *,
    max_steps: int = 50,
) -> Iterator[BatchPoint]:
    """Minimise each member's cost; as :func:`mlda_core.assimilation.solver.minimise`, all at once.

    Parameters
    ----------
    evaluate : callable
        Costs (k,) and gradients (k, L) of points (k, L) of the members ``rows`` (k,).
    start : ndarray, shape (n, L)
    preconditioner : ndarray, shape (L, L)
        An approximate inverse Hessian, positive definite, of all members.
    max_steps : int

    Yields
    ------
    BatchPoint
        After each step of those that have not converged.
    """
    x = np.array(start, dtype=np.float64)
    n = len(x)
    cost, gradient = evaluate(x, np.arange(n))
    done = np.zeros(n, bool)
    pairs: list[tuple[Array, Array, Array]] = []
    for step in range(max_steps + 1):
        direction = -_apply(gradient, pairs, preconditioner)
        promised = -0.5 * (direction * gradient).sum(axis=1)
        done |= promised <= TOLERANCE * np.maximum(cost, 1.0)
        yield BatchPoint(x.copy(), cost.copy(), done.copy())
        if done.all() or step == max_steps:
            return
        rows = np.flatnonzero(~done)
        length = np.ones(n)
        new_x, new_cost, new_gradient = x.copy(), cost.copy(), gradient.copy()
        waiting = rows
        for _ in range(MOST_HALVINGS):
            trial = x[waiting] + length[waiting, None] * direction[waiting]
            trial_cost, trial_gradient = evaluate(trial, waiting)
            least = cost[waiting] - ARMIJO * length[waiting] * 2 * promised[waiting]
            good = trial_cost <= least
            there = waiting[good]
            new_x[there], new_cost[there] = trial[good], trial_cost[good]
            new_gradient[there] = trial_gradient[good]
            waiting = waiting[~good]
            length[waiting] *= 0.5
            if not waiting.size:
                break
        # No way down as far as single precision tells: at a minimum if little was promised.
        done[waiting[promised[waiting] <= 1e-3 * np.maximum(cost[waiting], 1.0)]] = True
        if waiting.size and not done[waiting].all() and waiting.size == rows.size:
            yield BatchPoint(x.copy(), cost.copy(), done.copy())
            return
        s, y = new_x - x, new_gradient - gradient
        product = (s * y).sum(axis=1)
        curved = product > 1e-10 * np.sqrt((s * s).sum(axis=1) * (y * y).sum(axis=1))
        pairs.append((s, y, np.where(curved, product, np.inf)))
        del pairs[:-MEMORY]
        x, cost, gradient = new_x, new_cost, new_gradient


def _apply(
    gradient: Array, pairs: list[tuple[Array, Array, Array]], preconditioner: Array
) -> Array:
    """Two-loop recursion, member by member; a pair without curvature has an infinite product."""
    q = gradient.copy()
    taken = []
    for s, y, product in reversed(pairs):
        alpha = (s * q).sum(axis=1) / product
        q -= alpha[:, None] * y
        taken.append(alpha)
    out = q @ preconditioner
    for (s, y, product), alpha in zip(pairs, reversed(taken), strict=True):
        out += (
            s * (alpha - np.where(np.isinf(product), 0.0, (y * out).sum(axis=1) / product))[:, None]
        )
    return np.asarray(out)
