"""Minimisations from draws of the prior, so that every minimum of the cost is found and kept.

Members are drawn about the distinct minima, each as often as its share of the posterior in
Laplace's approximation: ``exp(-J)`` with the Hessian of the linearised problem for all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.posterior.conditioning import linear_departures
from mlda_core.assimilation.posterior.sampler import Progress, Sampled, Sampler

if TYPE_CHECKING:
    from mlda_core.assimilation.assimilator import Assimilator
    from mlda_core.assimilation.posterior.draws import Draws
    from mlda_core.assimilation.problem import Problem

Array = NDArray[np.float64]

STARTS = 20
# Two ends of minimisations are one minimum within this distance, in posterior standard deviations
# of the linearised problem, a number: ends of one lie within .003 (20 starts, two VALIDATION
# months of 30 stations).
SAME = 0.3


class Multistart(Sampler):
    """Members about each distinct minimum."""

    def sample(self, engine: Assimilator, problem: Problem, draws: Draws) -> Iterator[Progress]:
        """Minimise from prior draws, then draw about the minima; see :meth:`Sampler.sample`."""
        # Here, for the list of samplers must load without torch.
        from mlda_core.assimilation.posterior.batch_cost import BatchCost

        gain, observed = problem.gain, problem.observed
        # Whatever the number of members; the first is the analysis' own start.
        rng = np.random.default_rng([draws.seed, 5])
        departures = engine.departures(problem, problem.x_b)
        first = gain.linear_solution(departures)
        starts = np.vstack([first, rng.standard_normal((STARTS - 1, first.size))])
        n = len(starts)
        fit = BatchCost(
            engine.bundle, problem, np.tile(observed.value, (n, 1)), np.zeros_like(starts)
        )
        last = yield from fit.minima(starts)
        # An end that has not converged is no minimum; without any the lowest has to do.
        ends = np.flatnonzero(last.converged)
        if not ends.size:
            ends = np.array([int(last.cost.argmin())])
        chosen = ends[distinct(last.x[ends], last.cost[ends], gain.inverse_hessian)]
        weight = np.exp(last.cost[chosen].min() - last.cost[chosen])
        which = chosen[_shares(weight / weight.sum(), len(draws.zeta), rng)]
        x, left = fit.states(last.x[chosen])
        place = {int(c): i for i, c in enumerate(chosen)}
        index = np.array([place[int(w)] for w in which])
        centre = x + (left @ gain.whitener.T @ gain.whitener).astype(np.float32) @ gain.columns
        away, moved = linear_departures(gain, draws)
        z = fit.z(last.x[which] + away)
        count = len(chosen)
        words = f"{n} starts, {count} distinct {'minimum' if count == 1 else 'minima'}"
        if slow := int((~last.converged).sum()):
            words += f", {slow} not converged"
        sampled = Sampled(np.asarray(centre[index] + moved, np.float32), z, words, count)
        yield Progress(1, 1, sampled)


def distinct(x: Array, cost: Array, inverse_hessian: Array) -> NDArray[np.int64]:
    """Return one row of each distinct minimum, the lowest first.

    Parameters
    ----------
    x : ndarray, shape (n, L)
        Ends of minimisations.
    cost : ndarray, shape (n,)
    inverse_hessian : ndarray, shape (L, L)

    Returns
    -------
    ndarray of int
    """
    hessian = np.linalg.inv(inverse_hessian)
    kept: list[int] = []
    for i in np.argsort(cost, kind="stable"):
        away = x[kept] - x[i]
        squared = np.einsum("kl,lm,km->k", away, hessian, away)
        if not (squared < SAME**2 * x.shape[1]).any():
            kept.append(int(i))
    return np.array(kept, np.int64)


def _shares(weight: Array, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw n indices by systematic resampling: each as often as its weight, to within one."""
    at = (rng.uniform() + np.arange(n)) / n
    return np.minimum(np.searchsorted(np.cumsum(weight), at), len(weight) - 1)


SAMPLER = Multistart(
    "multistart",
    "Several starts",
    "Minimisations from draws of the prior; members about each distinct minimum",
    "Gelman and others 2013, Bayesian Data Analysis, section 13.3; docs/posterior.md",
    rank=30,
    needs_decoder=True,
)
