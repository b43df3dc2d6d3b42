"""The mode of a posterior whose observations have errors that are not normal.

With f = H x at the observations and the representation error there u ~ N(0, Q), ``Q = H B H^T``,
the cost is ``J = 1/2 |zeta|^2 + 1/2 u^T Q^-1 u + sum_i -log p(row_i | f_i)``, of the mode of the
state itself. With normal errors its minimum over u is the cost of
:class:`mlda_core.assimilation.cost.DecodedCost`.

Each round puts a normal observation with the row's slope and a positive curvature in the place of
each row (iterated weighted least squares; Rasmussen and Williams 2006, sections 3.4 and 3.5, for
Gaussian processes), and minimises by the same minimiser; the step is shortened until the cost
falls. At the end the pseudo-observations have the rows' own curvatures, so that the linear problem
about them is Laplace's approximation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.analysis import Cost
from mlda_core.assimilation.cost import DecodedCost
from mlda_core.assimilation.minimisation import descend, starts
from mlda_core.assimilation.problem import Mode, Problem
from mlda_core.climate.interpolation import ObservationError
from mlda_core.observations.likelihoods import Likelihoods

if TYPE_CHECKING:
    from mlda_core.assimilation.gain import Gain

Array = NDArray[np.float64]

# Rounds end when the cost falls by less than this part of it, a tenth of single precision's noise.
TOLERANCE = 1e-6
MOST_ROUNDS = 60
_MOST_HALVINGS = 12


class ModeSearch:
    """Search for minima of the cost of one problem.

    Parameters
    ----------
    problem : Problem
        With likelihoods, and the gain of the rows' stated errors.

    Raises
    ------
    ValueError
        If all rows have normal errors at places: the problem is then its own linear one.
    """

    def __init__(self, problem: Problem) -> None:
        found = problem.observed.likelihoods
        if found is None:
            raise ValueError("all observations are values; there is nothing to iterate")
        self.problem = problem
        self.likelihoods: Likelihoods = found
        self.gain: Gain = problem.gain
        bundle = problem.bundle
        shape = bundle.mask.shape
        places = problem.observed.places
        self.origin = np.asarray(
            bundle.operator.apply(places, problem.x_b.reshape(shape)), np.float64
        )

    def pseudo(self, at: Array, curvature: Array) -> Problem:
        """Return the problem with pseudo-observations of f in the rows' places."""
        value, variance = self.likelihoods.pseudo(at, curvature)
        every, used = self.problem.every, self.problem.used
        values, variances = every.value.copy(), every.variance.copy()
        values[used], variances[used] = value, variance
        return replace(
            self.problem,
            every=replace(every, value=values, variance=variances),
            gain=self.gain.with_variance(variance),
            weight=None,
        )

    def searches(self) -> Iterator[Iterator[Mode]]:
        """Minimise from every start: of f, and of zeta where the decoder is curved.

        Yields
        ------
        iterator of Mode
            Of each start as of :meth:`search`.
        """
        zeta: list[Array | None] = [None]
        if self.gain.prior.turn is not None:
            # None is the linear solution.
            zeta += starts(self.problem, np.zeros(self.problem.z_b.size))[1:]
        for at in self.starts():
            for start in zeta:
                yield self.search(at, start)

    def search(self, at: Array, start: Array | None = None) -> Iterator[Mode]:
        """Minimise round by round: first the linearised problem, which needs no decoder.

        Parameters
        ----------
        at : ndarray, shape (p,)
            Of f, for the first curvatures.
        start : ndarray, shape (L,), optional
            Of zeta, if not at the linear problem's minimum.

        Yields
        ------
        Mode
            After each round; the last has converged, if it could.
        """
        length = self.gain.latent.shape[1]
        rounds = self.rounds(np.zeros(length), at, self._linear)
        if self.gain.prior.turn is None:
            yield from rounds
            return
        *_, linear = rounds
        # Its cost is of another decoder, so it is no round of the minimisation.
        yield replace(linear, rounds=0, converged=False)
        yield from self.rounds(linear.zeta if start is None else start, linear.at, self._solve)

    def rounds(
        self, start: Array, at: Array, solve: Callable[[Problem, Array], tuple[Array, Array]]
    ) -> Iterator[Mode]:
        """Minimise round by round.

        Parameters
        ----------
        start : ndarray, shape (L,)
            Of zeta.
        at : ndarray, shape (p,)
            Of f, for the first curvatures.
        solve : callable
            Minimises with pseudo-observations from a zeta; returns zeta and the state there at the
            observations, without representation error.

        Yields
        ------
        Mode
            After each round; the last has converged, if it could.
        """
        zeta, weights = np.array(start, np.float64), np.zeros(len(at))
        cost = Cost(np.inf, 0.0)
        q = self.gain.error_covariance
        for number in range(1, MOST_ROUNDS + 1):
            problem = self.pseudo(at, self.likelihoods.weight(at))
            ahead, seen = solve(problem, zeta)
            observe = self._observed_linearly if solve == self._linear else self._observe
            toward = problem.gain.residual_weights(problem.observed.value - seen)
            length, before = 1.0, cost
            for _ in range(_MOST_HALVINGS):
                new_zeta = zeta + length * (ahead - zeta)
                new_weights = weights + length * (toward - weights)
                whole = length == 1.0
                new_at = (seen if whole else observe(new_zeta)) + q @ new_weights
                new_cost = self._cost(new_zeta, new_weights, new_at)
                # The first round has nothing to fall from.
                if new_cost.total <= before.total or not np.isfinite(before.total):
                    zeta, weights, at, cost = new_zeta, new_weights, new_at, new_cost
                    break
                length *= 0.5
            fallen = before.total - cost.total
            done = fallen <= TOLERANCE * max(cost.total, 1.0)
            if done or number == MOST_ROUNDS:
                last = self.pseudo(at, self.likelihoods.curvature(at))
                yield Mode(zeta, weights, at, cost, number, bool(done), last)
                return
            yield Mode(zeta, weights, at, cost, number, False, problem)

    def starts(self) -> list[Array]:
        """Return values of f to start from: the background, and where it matters what is said.

        With a likelihood that is not log-concave the minimum found depends on whether a row is
        believed at first.
        """
        starts = [self.origin]
        if not self.likelihoods.log_concave:
            said = self.likelihoods.terms.value
            starts.append(np.where(np.isnan(said), self.origin, said))
        return starts

    def weighed(self, zeta: Array) -> Cost:
        """Return the cost of a latent vector, least over the representation error."""
        seen = self._observe(zeta)
        modes = [
            list(self.rounds(zeta, at, lambda _, held: (held, seen)))[-1]
            for at in (seen, *self.starts()[1:])
        ]
        return min((mode.cost for mode in modes), key=lambda cost: cost.total)

    def _solve(self, problem: Problem, zeta: Array) -> tuple[Array, Array]:
        """Minimise with pseudo-observations; return zeta and the decoded state at places."""
        fit = DecodedCost(problem)
        *_, last = descend(problem, fit, zeta)
        return last.x, problem.observed.value - fit.at(last.x)[1]

    def _linear(self, problem: Problem, zeta: Array) -> tuple[Array, Array]:
        """Minimise with pseudo-observations and the linearised decoder, in closed form."""
        del zeta
        found = problem.gain.linear_solution(problem.observed.value - self.origin)
        return found, self._observed_linearly(found)

    def _observed_linearly(self, zeta: Array) -> Array:
        return np.asarray(self.origin + self.gain.latent @ zeta)

    def _observe(self, zeta: Array) -> Array:
        """Return the decoded state at the observations, without representation error."""
        fit = DecodedCost(self.problem)
        return np.asarray(self.problem.observed.value - fit.at(zeta)[1])

    def _cost(self, zeta: Array, weights: Array, at: Array) -> Cost:
        u = self.gain.error_covariance @ weights
        rows = float(self.likelihoods.cost(at).sum())
        total = Cost(0.5 * float(zeta @ zeta), 0.5 * float(weights @ u) + rows)
        if not np.isfinite(total.total):
            raise ObservationError(
                "An observation is too far from all that the model can make to be weighed; raise "
                "its error or withhold it."
            )
        return total


def distinct_modes(ends: list[Mode]) -> list[Mode]:
    """Return the distinct minima among ends of searches, the lowest first.

    Two are one where the state at no observation differs by half a posterior standard deviation.
    Ends that have not converged count only where none has.
    """
    converged = [end for end in ends if end.converged] or ends
    kept: list[Mode] = []
    for end in sorted(converged, key=lambda e: e.cost.total):
        gain = end.problem.gain
        spread = gain.variance - gain.variance**2 * np.diag(gain.total_inverse)
        sd = np.sqrt(np.maximum(spread, 1e-9))
        if all((np.abs(end.at - other.at) > 0.5 * sd).any() for other in kept):
            kept.append(end)
    return kept


def modes_of(problem: Problem) -> list[Mode]:
    """Return the distinct minima of a cost with other errors than normal ones, lowest first.

    Parameters
    ----------
    problem : Problem
        With the gain of the stated errors.

    Returns
    -------
    list of Mode
        From all starts of :meth:`ModeSearch.searches`.
    """
    return distinct_modes([list(rounds)[-1] for rounds in ModeSearch(problem).searches()])


def about_modes(problem: Problem, modes: list[Mode]) -> Problem:
    """Return the normal problem at the lowest of the modes of a problem."""
    return replace(modes[0].problem, weight=problem.weight, stated=problem, modes=tuple(modes))
