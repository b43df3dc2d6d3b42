"""Minimisations from draws of the prior, so that every minimum of the cost is found and kept.

Members are drawn about the distinct minima, each as often as its share of the posterior in
Laplace's approximation: ``exp(-J)`` with the Hessian of the linearised problem for all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.posterior.conditioning import linear_departures
from mlda_core.assimilation.posterior.sampler import Progress, Sampled, Sampler

if TYPE_CHECKING:
    from mlda_core.assimilation.posterior.draws import Draws
    from mlda_core.assimilation.problem import Mode, Problem

Array = NDArray[np.float64]

STARTS = 20
# Searches with errors that are not normal, each of several minimisations, one after another.
STARTS_OF_MODES = 8
# Two ends of minimisations are one minimum within this distance, in posterior standard deviations
# of the linearised problem, a number: ends of one lie within .003 (20 starts, two VALIDATION
# months of 30 stations).
SAME = 0.3


class Multistart(Sampler):
    """Members about each distinct minimum."""

    takes_reports: ClassVar[bool] = True

    def sample(self, problem: Problem, draws: Draws) -> Iterator[Progress]:
        """Minimise from prior draws, then draw about the minima; see :meth:`Sampler.sample`."""
        if problem.stated is not None:
            yield from _about_modes(problem, draws)
            return
        # Here, for the list of samplers must load without torch.
        from mlda_core.assimilation.posterior.batch_cost import BatchCost

        gain, observed = problem.gain, problem.observed
        # Whatever the number of members; the first is the analysis' own start.
        rng = np.random.default_rng([draws.seed, 5])
        departures = problem.departures(problem.x_b)
        first = gain.linear_solution(departures)
        starts = np.vstack([first, rng.standard_normal((STARTS - 1, first.size))])
        n = len(starts)
        fit = BatchCost(problem, np.tile(observed.value, (n, 1)), np.zeros_like(starts))
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


def _about_modes(problem: Problem, draws: Draws) -> Iterator[Progress]:
    """Search from draws of the prior where errors are not normal, and draw about the minima.

    Curvatures differ from minimum to minimum, so shares are those of Laplace's approximation with
    each one's own determinant.
    """
    # Here, for the list of samplers must load without torch.
    from mlda_core.assimilation.cost import DecodedCost
    from mlda_core.assimilation.mode import ModeSearch, distinct_modes

    stated = problem.stated
    if stated is None:
        raise ValueError("all errors are normal")
    search = ModeSearch(stated)
    rng = np.random.default_rng([draws.seed, 5])
    gain = stated.gain
    prior = gain.error_covariance + gain.latent @ gain.latent.T
    values, vectors = np.linalg.eigh(prior)
    root = vectors * np.sqrt(np.clip(values, 0.0, None))
    ends = list(problem.modes)
    for done in range(STARTS_OF_MODES):
        at = search.origin + root @ rng.standard_normal(len(values))
        zeta = rng.standard_normal((gain.latent.shape[1],))
        ends.append(list(search.search(at, zeta))[-1])
        yield Progress(done + 1, STARTS_OF_MODES + 1)
    modes = distinct_modes(ends)
    logs = np.array([-mode.cost.total - 0.5 * _log_determinant(mode) for mode in modes])
    share = np.exp(logs - logs.max())
    which = _shares(share / share.sum(), len(draws.zeta), rng)
    x = np.empty_like(draws.error)
    z = np.empty((len(which), problem.z_b.size))
    for i, mode in enumerate(modes):
        mine = np.flatnonzero(which == i)
        if not mine.size:
            continue
        own, fit = mode.problem.gain, DecodedCost(mode.problem)
        scale = np.sqrt(own.variance / problem.gain.variance)
        away, moved = linear_departures(own, replace(draws, noise=draws.noise * scale))
        centre, left = fit.at(mode.zeta)
        centre = centre + own.residual_weights(left).astype(np.float32) @ own.columns
        x[mine] = centre + moved[mine]
        z[mine] = problem.latents(mode.zeta + away[mine])
    count = len(modes)
    words = f"{len(ends)} searches, {count} distinct {'minimum' if count == 1 else 'minima'}"
    yield Progress(1, 1, Sampled(x, z, words, count))


def _log_determinant(mode: Mode) -> float:
    """Return log det(I + W Q), Q the prior's covariance at the observations, W the curvatures."""
    gain = mode.problem.gain
    prior = gain.error_covariance + gain.latent @ gain.latent.T
    root = 1.0 / np.sqrt(gain.variance)
    inner = np.eye(len(root)) + root[:, None] * prior * root
    return float(np.linalg.slogdet(inner)[1])


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
