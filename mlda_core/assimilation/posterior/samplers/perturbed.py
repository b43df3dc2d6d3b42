"""Randomise, then minimise: perturbed observations and prior, one minimisation a member.

Exact where the decoder is linear; elsewhere an approximation that needs no weights as long as the
decoder is nearly so (randomised maximum likelihood: Oliver, He and Reynolds 1996; Bardsley and
others 2014, https://doi.org/10.1137/140964023, for the weights).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from mlda_core.assimilation.posterior.conditioning import residual_error
from mlda_core.assimilation.posterior.sampler import Progress, Sampled, Sampler

if TYPE_CHECKING:
    from mlda_core.assimilation.assimilator import Assimilator
    from mlda_core.assimilation.posterior.draws import Draws
    from mlda_core.assimilation.problem import Problem


class Perturbed(Sampler):
    """An analysis of perturbed observations, from a perturbed prior mean, for each member."""

    def sample(self, engine: Assimilator, problem: Problem, draws: Draws) -> Iterator[Progress]:
        """Minimise all members' costs in one batch; see :meth:`Sampler.sample`."""
        # Here, for the list of samplers must load without torch.
        from mlda_core.assimilation.posterior.batch_cost import BatchCost

        gain, observed = problem.gain, problem.observed
        fit = BatchCost(engine.bundle, problem, observed.value - draws.misfit, draws.zeta)
        departures = engine.departures(problem, problem.x_b) - draws.misfit
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
        sampled = Sampled(np.asarray(x + error, np.float32), fit.z(last.x), words)
        yield Progress(1, 1, sampled)


SAMPLER = Perturbed(
    "perturbed",
    "Perturbed observations",
    "An analysis of perturbed observations and a perturbed prior for each member",
    "Oliver, He and Reynolds 1996; Bardsley and others 2014, https://doi.org/10.1137/140964023",
    rank=20,
    needs_decoder=True,
)
