"""Steps of an assimilation whose errors are not normal: rounds of the normal problem."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.analysis import Step
from mlda_core.assimilation.cost import DecodedCost
from mlda_core.assimilation.last_step import Minimum, last_step
from mlda_core.assimilation.mode import ModeSearch, about_modes, distinct_modes
from mlda_core.assimilation.preparation import Prepared
from mlda_core.assimilation.problem import Mode, Problem
from mlda_core.assimilation.solver import Point
from mlda_core.assimilation.spread import mean_anomalies
from mlda_core.assimilation.steps import background_step
from mlda_core.assimilation.tilted import shape_of

Float = NDArray[np.float32]
Array = NDArray[np.float64]


def mode_steps(prepared: Prepared) -> Generator[Step, None, Problem]:
    """Search for the mode round by round, from each start.

    Parameters
    ----------
    prepared : Prepared
        With the errors as stated.

    Yields
    ------
    Step
        The last has the analysis.

    Returns
    -------
    Problem
        That of the pseudo-observations at the mode, which members of an ensemble are drawn about.
    """
    problem = prepared.problem
    if problem.setting.start == "background":
        yield background_step(problem)
    search = ModeSearch(problem)
    path: list[float] = []
    ends: list[Mode] = []
    for rounds in search.searches():
        for mode in rounds:
            last = mode
            if not ends and mode.rounds:
                path.append(mode.cost.total)
            yield _round_step(mode)
        ends.append(last)
    modes = distinct_modes(ends)
    best = modes[0]
    shape = shape_of(best, search.likelihoods, len(modes))
    latent, left = _state_at(best)
    steps = f"{best.rounds} round{'' if best.rounds == 1 else 's'}"
    words = f"converged in {steps}" if best.converged else f"stopped after {steps}"
    if said := shape.words(problem.used):
        words = f"{words}; {said}"
    point = Point(
        best.zeta,
        best.cost.total,
        np.zeros_like(best.zeta),
        best.rounds,
        best.converged,
        words,
    )
    z = problem.latent(best.zeta)
    # Without the other modes and their gains, which the analysis would keep in memory.
    normal = replace(best.problem, weight=problem.weight)
    yield last_step(normal, prepared, Minimum(point, best.cost, path, latent, left, z, shape))
    return about_modes(problem, modes)


def _state_at(mode: Mode) -> tuple[Float, Array]:
    """Return the decoded state (cells,) at a mode, and departures of pseudo-observations."""
    problem = mode.problem
    if problem.gain.prior.turn is not None:
        return DecodedCost(problem).at(mode.zeta)
    factor = problem.gain.prior.factor
    x = problem.x_b
    if factor is not None:
        x = x + mode.zeta.astype(np.float32) @ factor
    return x, problem.departures(x)


def _round_step(mode: Mode) -> Step:
    problem = mode.problem

    def fields() -> Float:
        x, left = _state_at(mode)
        return mean_anomalies(problem, problem.with_residual(x, left))

    z = problem.latent(mode.zeta)
    words = f"{mode.rounds} round{'' if mode.rounds == 1 else 's'} so far"
    if not mode.rounds:
        words = "linear solution"
    return Step(mode.rounds, z, mode.cost, 0.0, words, fields)
