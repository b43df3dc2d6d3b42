"""What the filters in the latent space share: a filter of codes, and the rest beside it.

Codes are filtered by a method of :mod:`mlda_core.cycling.methods` that knows nothing of fields: it
is given whitened observations (:mod:`mlda_core.cycling.whitened_network`). The rest is an
autoregression of first order; with what the codes leave of the departures it gets the increment of
a static covariance. For linear decoders both together are the Kalman update of (z, r).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.errors import UserError
from mlda_core.cycling.covariance import Gaussian
from mlda_core.cycling.latent_space import LatentSpace
from mlda_core.cycling.method import Analysed, CycledMethod, Estimate, State, Workspace
from mlda_core.cycling.problem import Observations, Problem
from mlda_core.cycling.resampling import weighted_root
from mlda_core.cycling.whitened_network import WhitenedNetwork
from mlda_core.forecast.model_error import DiagonalCovariance

Array = NDArray[np.float64]
_REST = "rest"


@dataclass(frozen=True)
class LatentMethod(CycledMethod):
    """Its settings are those of the filter of codes.

    Parameters
    ----------
    inner : CycledMethod
        Of the codes; carries ``members``, or ``states`` with ``weights``.
    """

    inner: CycledMethod = field(kw_only=True)

    def configured(self, **settings: Any) -> Self:
        """Return the method with other settings of the filter of codes."""
        return type(self)(inner=self.inner.configured(**settings))

    def _space(self, work: Workspace) -> LatentSpace:
        space = work.problem.latent
        if space is None:
            raise UserError(
                f"The method '{self.key}' needs the latent space of a bundle, and this problem has "
                "none; give one, or use another method."
            )
        return space

    def _inside(self, work: Workspace) -> Workspace:
        """Return the problem of the codes: a standard normal at the start."""
        space = self._space(work)

        def make() -> Workspace:
            outer, size = work.problem, space.bundle.n_latent
            prior = Gaussian(np.zeros(size), DiagonalCovariance(np.ones(size)))
            # The observations say only when there are some; whitened ones are given one by one.
            inner = Problem(
                space.dynamics, outer.times, outer.observations, prior, prior, outer.every
            )
            return Workspace(inner)

        return work.kept("inside", (space,), make)

    def start(self, work: Workspace, generator: np.random.Generator) -> State:
        """Start the filter of codes, and no rest."""
        inside = self._inside(work)
        nothing = np.zeros(work.problem.dynamics.size)
        return {**self.inner.start(inside, generator), _REST: nothing}

    def forecast(
        self, work: Workspace, state: State, cycle: int, generator: np.random.Generator
    ) -> State:
        """Step the codes, and damp the rest."""
        damping = self._space(work).damping ** work.problem.every
        codes = self.inner.forecast(self._inside(work), _codes(state), cycle, generator)
        return {**codes, _REST: damping * state[_REST]}

    def estimate(self, work: Workspace, state: State, cycle: int) -> Estimate:
        """Return the decoded mean and the rest, with the spread of both."""
        space, time = self._space(work), work.problem.time(cycle)
        z = self.inner.estimate(self._inside(work), _codes(state), cycle).mean
        spread = np.sqrt(self._variance(work, state, cycle) + space.rest.variance)
        return Estimate(space.decode(z[None], time)[0] + state[_REST], spread)

    def analyse(
        self,
        work: Workspace,
        state: State,
        cycle: int,
        observations: Observations,
        generator: np.random.Generator,
    ) -> Analysed:
        """Filter the codes, then give the rest what they leave."""
        space, inside = self._space(work), self._inside(work)
        time = work.problem.time(cycle)
        operator = observations.operator
        network = work.kept(
            "network",
            (operator, observations.variance),
            lambda: WhitenedNetwork(space.rest, observations),
        )
        seen = work.kept(
            "seen by codes",
            (network, self._patterns(work, cycle)),
            lambda: network.of_codes(self._patterns(work, cycle)),
        )
        before = self.inner.estimate(inside, _codes(state), cycle).mean[None]
        # Taken at the mean of the background: the network adds to the patterns what it adds there.
        refined = space.decode(before, time) - space.decode(before, time, linear=True)
        left = observations.values - operator.observe(refined + state[_REST])[0]
        ones = np.ones(operator.size)
        given = Observations(seen, network.whitened(left), ones)
        done = self.inner.analyse(inside, _codes(state), cycle, given, generator)
        mean = space.decode(done.estimate.mean[None], time)[0]
        departures = observations.values - operator.observe((mean + state[_REST])[None])[0]
        rest = state[_REST] + network.rest_given(departures)
        after = {**done.state, _REST: rest}
        variance = self._variance(work, after, cycle) + network.variance_left(space.rest.variance)
        return Analysed(after, Estimate(mean + rest, np.sqrt(variance)), done.diagnostics)

    def _patterns(self, work: Workspace, cycle: int) -> Array:
        space, time = self._space(work), work.problem.time(cycle)
        month = space.bundle.calendar_month(space.season(time))
        return work.kept("patterns", (np.array(month),), lambda: space.patterns(time))

    def _variance(self, work: Workspace, state: State, cycle: int) -> Array:
        """Return the variance of decoded codes, by the decoder's linear part, shape (d,)."""
        states = state["members"] if "members" in state else state["states"]
        weights = state.get("weights", np.full(len(states), 1.0 / len(states)))
        root = weighted_root(states, weights)
        if len(root) > root.shape[1]:
            values, vectors = np.linalg.eigh(root.T @ root)
            root = (vectors * np.sqrt(values.clip(0.0))).T
        return np.asarray(np.einsum("nd,nd->d", *(2 * [root @ self._patterns(work, cycle)])))


def _codes(state: State) -> State:
    """Return what the filter of codes carries."""
    return {name: value for name, value in state.items() if name != _REST}
