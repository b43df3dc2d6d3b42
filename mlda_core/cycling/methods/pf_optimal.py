"""The particle filter with the optimal proposal.

Particles are drawn from ``p(x_t | x_t-1, y_t)`` and weighed by ``p(y_t | x_t-1)``, which for a
Gaussian model error and a linear observation operator are known (Doucet, Godsill and Andrieu 2000,
https://doi.org/10.1023/A:1008935410038, section II.D; Bocquet, Pires and Wu 2010,
https://doi.org/10.1175/2010MWR3164.1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import linalg

from mlda_core.climate.errors import UserError
from mlda_core.cycling.method import Estimate, State, Workspace
from mlda_core.cycling.operators import StateOperator
from mlda_core.cycling.particle_method import ParticleMethod
from mlda_core.cycling.problem import Observations
from mlda_core.cycling.resampling import bandwidth, jitter, weighted_root
from mlda_core.forecast.dynamics import advance
from mlda_core.forecast.model_error import ModelError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class OptimalFilter(ParticleMethod):
    """The model error of the last step is drawn given the observations.

    Parameters
    ----------
    kernel : float
        Factor on Scott's kernel width: a covariance added to the model error, for models without
        one, as in DAPPER's ``OptPF``.
    """

    kernel: float = 0.0

    key = "pf_optimal"
    label = "Particle filter, optimal proposal"
    sentence = "Particles drawn given the observations, weighed by what was likely before them"
    source = "Doucet et al. 2000, https://doi.org/10.1023/A:1008935410038"
    rank = 90

    def forecast(
        self, work: Workspace, state: State, cycle: int, generator: np.random.Generator
    ) -> State:
        """Step the particles; the error of the last step is drawn with the observations, if any."""
        problem = work.problem
        times = problem.steps(cycle - 1, cycle)
        before = advance(problem.dynamics, state["states"], times[:-1], generator)
        observed = problem.observations[cycle] is not None
        last = advance(problem.dynamics, before, times[-1:], None if observed else generator)
        return {**state, "states": last}

    def estimate(self, work: Workspace, state: State, cycle: int) -> Estimate:
        """Return the weighted mean and deviation, the error that is still to be drawn included."""
        found = super().estimate(work, state, cycle)
        error = work.problem.dynamics.model_error
        if cycle == 0 or error is None or work.problem.observations[cycle] is None:
            return found
        spread = weighted_root(state["states"], state["weights"])
        variance = np.einsum("nd,nd->d", spread, spread) + error.variance
        return Estimate(found.mean, np.sqrt(variance))

    def proposed(
        self,
        work: Workspace,
        state: State,
        cycle: int,
        observations: Observations,
        generator: np.random.Generator,
    ) -> tuple[Array, Array]:
        """Draw given the observations; see :meth:`ParticleMethod.proposed`."""
        operator = observations.operator
        if not operator.linear:
            raise UserError(
                "The optimal proposal is known for linear observation operators only; "
                "use pf-bootstrap for others."
            )
        states = state["states"]
        n, d = states.shape
        # At the start nothing was stepped, so there is no model error.
        error = work.problem.dynamics.model_error if cycle else None
        # Q = L L^T + R^T R: of the model, and of the kernel. `seen` is H of their roots.
        seen: Array = np.zeros((operator.size, 0))
        noise: Array = np.zeros((n, d))
        if error is not None:
            seen = work.kept("seen", (operator, error), lambda: _seen(error, operator, states[0]))
            noise += error.sample(n, generator)
        root = np.zeros((0, d))
        if self.kernel:
            root = self.kernel * bandwidth(n, d) * weighted_root(states, state["weights"])
            noise += jitter(root, n, generator)
        kernel_seen = operator.observe(root)
        s = seen @ seen.T + kernel_seen.T @ kernel_seen + np.diag(observations.variance)
        factor = linalg.cho_factor(s, lower=True)
        departures = observations.values - operator.observe(states)
        # One draw of the error and of the observations' errors, corrected by the gain, is a draw of
        # the proposal.
        draws = generator.standard_normal(departures.shape) * observations.sd
        missed = departures - operator.observe(noise) - draws
        solved = linalg.cho_solve(factor, missed.T).T
        moved = noise + solved @ kernel_seen.T @ root
        if error is not None:
            with torch.no_grad():
                moved += error.root(torch.from_numpy(solved @ seen)).numpy()
        half = linalg.solve_triangular(factor[0], departures.T, lower=True)
        log_determinant = 2 * np.log(np.diag(factor[0])).sum() + operator.size * np.log(2 * np.pi)
        return states + moved, -0.5 * ((half**2).sum(axis=0) + log_determinant)


def _seen(error: ModelError, operator: StateOperator, state: Array) -> Array:
    """Return ``H L``, shape (p, r)."""
    with torch.no_grad():
        matrix = torch.from_numpy(operator.matrix_at(state))
        return np.asarray(error.root_transposed(matrix).numpy())


CYCLED = (OptimalFilter(),)
