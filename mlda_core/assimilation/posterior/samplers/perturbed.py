"""Randomise, then minimise: perturbed observations and prior, one minimisation a member.

With errors that are not normal, each member first draws auxiliary normal observations that stand
for the rows: for a report the latent value within its class (Albert and Chib 1993), drawn from its
posterior in the linearised problem; given these the member's problem is a normal one.

Exact where the decoder is linear; elsewhere an approximation that needs no weights as long as the
decoder is nearly so (randomised maximum likelihood: Oliver, He and Reynolds 1996; Bardsley and
others 2014, https://doi.org/10.1137/140964023, for the weights).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.posterior.conditioning import residual_error
from mlda_core.assimilation.posterior.sampler import Progress, Sampled, Sampler
from mlda_core.assimilation.posterior.slice_sampling import draw_at_observations

if TYPE_CHECKING:
    from mlda_core.assimilation.posterior.draws import Draws
    from mlda_core.assimilation.problem import Problem

Array = NDArray[np.float64]


class Perturbed(Sampler):
    """An analysis of perturbed observations, from a perturbed prior mean, for each member."""

    takes_reports: ClassVar[bool] = True

    def sample(self, problem: Problem, draws: Draws) -> Iterator[Progress]:
        """Minimise all members' costs in one batch; see :meth:`Sampler.sample`."""
        # Here, for the list of samplers must load without torch.
        from mlda_core.assimilation.posterior.batch_cost import BatchCost

        problem, draws, values = _utilities(problem, draws)
        gain = problem.gain
        fit = BatchCost(problem, values - draws.misfit, draws.zeta)
        departures = problem.departures(problem.x_b) - draws.misfit
        departures = departures + (values - problem.observed.value)
        # The linear problem's solution about each member's own prior mean.
        start = (
            draws.zeta
            + ((departures - draws.zeta @ gain.latent.T) @ gain.whitener.T @ gain.whitened)
            @ gain.inverse_hessian
        )
        last = yield from fit.minima(start)
        x, left = fit.states(last.x)
        # `left` holds the perturbation already, which residual_error takes away.
        error = residual_error(gain, draws, left + draws.misfit)
        slow = int((~last.converged).sum())
        words = f"{len(x)} minimisations" + (f", {slow} not converged" if slow else "")
        if len(problem.modes) > 1:
            words += f"; {len(problem.modes)} minima were found, and members are about the lowest"
        sampled = Sampled(np.asarray(x + error, np.float32), fit.z(last.x), words)
        yield Progress(1, 1, sampled)


def _utilities(problem: Problem, draws: Draws) -> tuple[Problem, Draws, Array]:
    """Return the normal problem of all members, its draws, and each member's observations (n, p).

    Without errors that are not normal, these are the problem's own.
    """
    observed, stated = problem.observed, problem.stated
    n = len(draws.zeta)
    if stated is None or observed.likelihoods is None:
        return problem, draws, np.broadcast_to(observed.value, (n, len(observed)))
    likelihoods = observed.likelihoods
    at = draw_at_observations(problem.modes[0], likelihoods, n, [draws.seed, 6])
    values, variance = likelihoods.utility(at, np.random.default_rng([draws.seed, 7]))
    noise = draws.noise / np.sqrt(problem.gain.variance) * np.sqrt(variance)
    normal = replace(problem, gain=problem.gain.with_variance(variance))
    return normal, replace(draws, noise=noise), values


SAMPLER = Perturbed(
    "perturbed",
    "Perturbed observations",
    "An analysis of perturbed observations and a perturbed prior for each member",
    "Oliver, He and Reynolds 1996; Bardsley and others 2014, https://doi.org/10.1137/140964023",
    rank=20,
    needs_decoder=True,
)
