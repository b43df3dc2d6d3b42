"""Minimisation of the cost by preconditioned L-BFGS, one step at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
# Stop when the quadratic model predicts a smaller relative decrease of the cost than this: a tenth
# of the resolution of float32 decodings.
TOLERANCE = 1e-5
MEMORY = 8
ARMIJO = 1e-4
# Below the tolerance the single-precision cost cannot rank steps, but its gradient still points to
# the minimum. The gradient's squared norm, in the preconditioner's metric, is that of the remaining
# distance: 3e-5 of a standard deviation, three times the limit of single precision.
_POLISHED = 1e-9


@dataclass(frozen=True)
class Point:
    """An iterate of a minimisation.

    Parameters
    ----------
    x : ndarray, shape (L,)
    cost : float
    gradient : ndarray, shape (L,)
    index : int
        Number of gradient steps so far.
    converged : bool
    words : str
        Progress, or why it ended, as text.
    """

    x: Vector
    cost: float
    gradient: Vector
    index: int
    converged: bool
    words: str


def minimise(
    value_and_gradient: Callable[[Vector], tuple[float, Vector]],
    start: Vector,
    preconditioner: NDArray[np.float64],
    *,
    max_steps: int = 50,
    polish: bool = False,
) -> Iterator[Point]:
    """Minimise by L-BFGS (Nocedal and Wright 2006, algorithm 7.4), preconditioned.

    The initial inverse Hessian is ``preconditioner``, not a multiple of the identity; with that
    of the linear problem and a nearly linear decoder, 2 to 6 steps suffice.

    Parameters
    ----------
    value_and_gradient : callable
        Of the cost.
    start : ndarray, shape (L,)
    preconditioner : ndarray, shape (L, L)
        An approximate inverse Hessian, positive definite.
    max_steps : int
    polish : bool
        Whether to continue by the gradient alone once the cost has converged: for differences
        of two minima, which are small relative to either.

    Yields
    ------
    Point
        The start, then each step; the last one has the outcome.
    """
    x = np.array(start, dtype=np.float64)
    cost, gradient = value_and_gradient(x)
    pairs: list[tuple[Vector, Vector]] = []
    for index in range(max_steps + 1):
        direction = -_apply(gradient, pairs, preconditioner)
        promised = -0.5 * float(direction @ gradient)
        if promised <= TOLERANCE * max(cost, 1.0):
            if polish:
                at = x, cost, gradient
                x, cost, gradient = _polish(value_and_gradient, at, pairs, preconditioner)
            yield Point(x, cost, gradient, index, True, f"converged in {_steps(index)}")
            return
        if index == max_steps:
            yield Point(x, cost, gradient, index, False, f"stopped after {_steps(index)}")
            return
        yield Point(x, cost, gradient, index, False, f"{_steps(index)} so far")
        length = 1.0
        for _ in range(20):
            trial = x + length * direction
            new_cost, new_gradient = value_and_gradient(trial)
            if new_cost <= cost - ARMIJO * length * 2 * promised:
                break
            length *= 0.5
        else:
            words = f"converged in {_steps(index)}, as far as single precision tells"
            small = promised <= 1e-3 * max(cost, 1.0)
            if polish and small:
                at = x, cost, gradient
                x, cost, gradient = _polish(value_and_gradient, at, pairs, preconditioner)
            yield Point(x, cost, gradient, index, small, words if small else "found no way down")
            return
        s, y = trial - x, new_gradient - gradient
        if s @ y > 1e-10 * np.sqrt((s @ s) * (y @ y)):
            pairs.append((s, y))
            del pairs[:-MEMORY]
        x, cost, gradient = trial, new_cost, new_gradient


def _polish(
    value_and_gradient: Callable[[Vector], tuple[float, Vector]],
    at: tuple[Vector, float, Vector],
    pairs: list[tuple[Vector, Vector]],
    preconditioner: NDArray[np.float64],
) -> tuple[Vector, float, Vector]:
    """Take full L-BFGS steps while the gradient decreases, and return its smallest point.

    Ends after three steps without a decrease by a tenth: a single step may be worse, and ending
    there was too early for a uniformly warmed sea (a pressure response of .56 hPa was then off by
    .02).
    """
    x, cost, gradient = at
    pairs = list(pairs)
    best, least = at, float(gradient @ preconditioner @ gradient)
    idle = 0
    for _ in range(40):
        if least <= _POLISHED or idle >= 3:
            break
        step = -_apply(gradient, pairs, preconditioner)
        x = x + step
        cost, new = value_and_gradient(x)
        y = new - gradient
        if step @ y > 1e-10 * np.sqrt((step @ step) * (y @ y)):
            pairs.append((step, y))
            del pairs[:-MEMORY]
        gradient = new
        norm = float(gradient @ preconditioner @ gradient)
        idle = 0 if norm < 0.81 * least else idle + 1
        if norm < least:
            best, least = (x, cost, gradient), norm
    return best


def _steps(count: int) -> str:
    return f"{count} step{'' if count == 1 else 's'}"


def _apply(
    gradient: Vector, pairs: list[tuple[Vector, Vector]], preconditioner: NDArray[np.float64]
) -> Vector:
    """Two-loop recursion."""
    q = gradient.copy()
    taken = []
    for s, y in reversed(pairs):
        alpha = (s @ q) / (s @ y)
        q -= alpha * y
        taken.append(alpha)
    out: Vector = preconditioner @ q
    for (s, y), alpha in zip(pairs, reversed(taken), strict=True):
        out += s * (alpha - (y @ out) / (s @ y))
    return out
