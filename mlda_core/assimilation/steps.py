"""Steps of an assimilation with a Gaussian prior and normal errors.

In closed form where the latent part is linear, by minimising over zeta where it is a decoder's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.analysis import Step
from mlda_core.assimilation.cost import DecodedCost
from mlda_core.assimilation.last_step import Minimum, last_step
from mlda_core.assimilation.minimisation import descend, starts
from mlda_core.assimilation.preparation import Prepared
from mlda_core.assimilation.problem import Problem, cost_of_linear, interpolate
from mlda_core.assimilation.solver import Point
from mlda_core.assimilation.spread import mean_anomalies

Float = NDArray[np.float32]
Array = NDArray[np.float64]


def background_step(problem: Problem) -> Step:
    """Return the state before any observation, without a residual analysis."""
    departures = problem.departures(problem.x_b)
    # At z_b the cost of the linear problem is that of the decoder.
    cost = cost_of_linear(problem.gain, np.zeros(problem.z_b.size), departures)

    def fields() -> Float:
        return mean_anomalies(problem, problem.x_b, "prior")

    z = None if problem.gain.prior.turn is None else problem.z_b
    return Step(0, z, cost, 0.0, "the background", fields)


def closed_form_steps(prepared: Prepared) -> Iterator[Step]:
    """Optimal interpolation, for methods whose latent part is linear.

    Parameters
    ----------
    prepared : Prepared

    Yields
    ------
    Step
        The last has the analysis.
    """
    problem = prepared.problem
    if problem.setting.start == "background":
        yield background_step(problem)
    gain = problem.gain
    departures = problem.departures(problem.x_b)
    latent, left, zeta = interpolate(gain, problem.x_b, departures)
    cost = cost_of_linear(gain, zeta, left)
    point = Point(zeta, cost.total, np.zeros_like(zeta), 0, True, "solved in closed form")
    found = Minimum(point, cost, [cost.total], latent, left, z=None)
    yield last_step(problem, prepared, found)


def decoded_steps(prepared: Prepared) -> Iterator[Step]:
    """Minimise over zeta with the decoder, from as many starts as it needs.

    Parameters
    ----------
    prepared : Prepared

    Yields
    ------
    Step
        The last has the analysis.
    """
    problem = prepared.problem
    departures = problem.departures(problem.x_b)
    from_background = problem.setting.start == "background"
    if from_background:
        zeta = np.zeros(problem.z_b.size)
    else:
        zeta = problem.gain.linear_solution(departures)
        yield _linear_step(problem, zeta, departures)
    fit = DecodedCost(problem)
    best: Point | None = None
    path: list[float] = []
    ends: list[float] = []
    for start in starts(problem, zeta):
        last: Point | None = None
        for point in descend(problem, fit, start):
            last = point
            if start is zeta:
                path.append(point.cost)
            if from_background and start is zeta and not point.index:
                yield background_step(problem)
                continue
            yield _decoded_step(problem, fit, point)
        if last is not None:
            ends.append(last.cost)
            if best is None or last.cost < best.cost:
                best = last
    if best is None:
        raise RuntimeError("a minimisation made no step")
    if len(ends) > 1 and max(ends) - min(ends) > 0.01 * min(ends) + 0.5:
        best = replace(
            best, words=f"{best.words}; {len(ends)} starts disagree, the lowest is shown"
        )
    latent, left = fit.at(best.x)
    z = problem.latent(best.x)
    yield last_step(problem, prepared, Minimum(best, fit.cost(best.x), path, latent, left, z))


def _linear_step(problem: Problem, zeta: Array, departures: Array) -> Step:
    """Return the minimum with the linearised decoder."""
    gain = problem.gain
    left = departures - gain.latent @ zeta
    factor = gain.prior.factor

    def fields() -> Float:
        x = problem.x_b
        if factor is not None:
            x = x + zeta.astype(np.float32) @ factor
        return mean_anomalies(problem, problem.with_residual(x, left))

    cost = cost_of_linear(gain, zeta, left)
    return Step(0, problem.latent(zeta), cost, 0.0, "linear solution", fields)


def _decoded_step(problem: Problem, fit: DecodedCost, point: Point) -> Step:
    def fields() -> Float:
        x, left = fit.at(point.x)
        return mean_anomalies(problem, problem.with_residual(x, left))

    norm = float(np.linalg.norm(point.gradient))
    z, cost = problem.latent(point.x), fit.cost(point.x)
    return Step(point.index + 1, z, cost, norm, point.words, fields)
