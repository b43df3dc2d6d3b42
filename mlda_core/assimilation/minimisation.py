"""The minimum of the cost of one prepared assimilation, from the starts that its decoder needs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.cost import DecodedCost
from mlda_core.assimilation.problem import Problem, interpolate
from mlda_core.assimilation.solver import Point, minimise

Float = NDArray[np.float32]
Array = NDArray[np.float64]

# From this nonlinearity index on, minimisations from different starts differ (design: 0.5).
NONLINEAR = 0.5
STARTS = 3


def starts(problem: Problem, first: Array) -> list[Array]:
    """Return where minimisations start: several places where the decoder is curved.

    Parameters
    ----------
    problem : Problem
    first : ndarray, shape (L,)
        Of zeta; the others are drawn from its prior.
    """
    found = [first]
    if problem.bundle.settings.nonlinearity >= NONLINEAR:
        rng = np.random.default_rng(0)
        found += [rng.standard_normal(first.size) for _ in range(STARTS - 1)]
    return found


def descend(problem: Problem, fit: DecodedCost, start: Array) -> Iterator[Point]:
    """Minimise from one start, preconditioned by the linear problem.

    Parameters
    ----------
    problem : Problem
    fit : DecodedCost
        Its cost.
    start : ndarray, shape (L,)
        Of zeta.

    Yields
    ------
    Point
        As of :func:`mlda_core.assimilation.solver.minimise`.
    """
    return minimise(
        fit.value_and_gradient,
        start,
        problem.gain.inverse_hessian,
        max_steps=problem.setting.max_steps,
        polish=problem.setting.polish,
    )


def minimum(problem: Problem) -> tuple[Array, Float]:
    """Return the minimum of the cost, starting from the linear solution.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    zeta : ndarray, shape (L,)
    x : ndarray of float32, shape (cells,)
        The analysis at the minimum, standardised.
    """
    departures = problem.departures(problem.x_b)
    if problem.gain.prior.turn is None:
        x, left, zeta = interpolate(problem.gain, problem.x_b, departures)
    else:
        fit = DecodedCost(problem)
        ends = []
        for start in starts(problem, problem.gain.linear_solution(departures)):
            *_, last = descend(problem, fit, start)
            ends.append(last)
        zeta = min(ends, key=lambda end: end.cost).x
        x, left = fit.at(zeta)
    return zeta, problem.with_residual(x, left)
