"""The last step of an assimilation: its analysis, with the diagnostics of the fit."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.analysis import Analysis, Cost, Fit, Step
from mlda_core.assimilation.diagnostics import judge
from mlda_core.assimilation.preparation import Prepared
from mlda_core.assimilation.problem import Problem
from mlda_core.assimilation.shape import Shape
from mlda_core.assimilation.solver import Point
from mlda_core.assimilation.spread import mean_anomalies, spreads

Float = NDArray[np.float32]
Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Minimum:
    """Where a minimisation ended.

    Parameters
    ----------
    point : Point
        The end, in zeta.
    cost : Cost
        Its terms.
    path : list of float
        Costs on the way, from the first start.
    latent : ndarray of float32, shape (cells,)
        The state there without representation error, standardised.
    left : ndarray, shape (p,)
        Departures from it.
    z : ndarray, shape (L,), optional
        The latent vector; None without a decoder.
    shape : Shape, optional
        How far the posterior is from a normal one; None where all errors are normal.
    """

    point: Point
    cost: Cost
    path: list[float]
    latent: Float
    left: Array
    z: Array | None
    shape: Shape | None = None


def last_step(problem: Problem, prepared: Prepared, found: Minimum) -> Step:
    """Return the last step, which has the analysis.

    Parameters
    ----------
    problem : Problem
        Whose minimum it is: that of ``prepared``, or with errors that are not normal the one of
        the pseudo-observations at the mode.
    prepared : Prepared
    found : Minimum

    Returns
    -------
    Step
    """
    x = problem.with_residual(found.latent, found.left)
    bundle, gain, point = problem.bundle, problem.gain, found.point
    departures = problem.departures(problem.x_b)
    background = mean_anomalies(problem, problem.x_b, "prior")
    anomalies = mean_anomalies(problem, x)
    table, worst = judge(problem, prepared.table, x, departures, background, anomalies)
    fit = Fit(
        n_used=problem.used.size,
        n_withheld=int(prepared.table["withheld"].to_numpy(bool).sum()),
        n_thinned=prepared.n_thinned,
        chi_squared=_chi_squared(problem, departures),
        degrees_of_freedom=gain.degrees_of_freedom if departures.size else 0.0,
        seconds=time.perf_counter() - prepared.began,
    )
    words = f"{point.words}; {worst}" if worst else point.words
    if not problem.used.size:
        words = "nothing is observed: this is the background"
    whole = found.latent is x
    analysis = Analysis(
        method=problem.setting.method,
        month=problem.month,
        z=found.z,
        anomalies=anomalies,
        latent_only=anomalies if whole else mean_anomalies(problem, found.latent, "latent"),
        background=background,
        standardised=x.reshape(bundle.mask.shape),
        cost=found.cost,
        path=tuple(found.path),
        converged=point.converged,
        outcome=words,
        observations=table,
        statistics=fit,
        sea_held=problem.sea_held,
        spread_of=lambda: spreads(problem, x),
        bundle=bundle,
        shape=found.shape,
    )
    norm = float(np.linalg.norm(point.gradient))
    return Step(point.index + 1, found.z, found.cost, norm, words, lambda: anomalies, analysis)


def _chi_squared(problem: Problem, departures: Array) -> float:
    """Chi-squared an observation, of those with normal errors; NaN where there are none."""
    normal = problem.observed.quadratic
    if not normal.any():
        return float("nan")
    if normal.all():
        return problem.gain.chi_squared(departures)
    return problem.gain.of_rows(normal).chi_squared(departures[normal])
