"""Laplace's approximation: the posterior of the problem linearised at the prior mean.

The spread of an analysis is this distribution's standard deviation, in closed form.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from mlda_core.assimilation.posterior.conditioning import linear_departures
from mlda_core.assimilation.posterior.sampler import Progress, Sampled, Sampler

if TYPE_CHECKING:
    from mlda_core.assimilation.posterior.draws import Draws
    from mlda_core.assimilation.problem import Problem


class Laplace(Sampler):
    """Draws about the analysis, in closed form; curvatures of likelihoods are at the mode."""

    takes_reports: ClassVar[bool] = True

    def sample(self, problem: Problem, draws: Draws) -> Iterator[Progress]:
        """Add linear departures to the analysis; see :meth:`Sampler.sample`."""
        # Here, for the list of samplers must load without torch.
        from mlda_core.assimilation.minimisation import minimum

        zeta, x = minimum(problem)
        departures, moved = linear_departures(problem.gain, draws)
        z = problem.latents(zeta + departures)
        yield Progress(1, 1, Sampled(x + moved, z, "drawn in closed form about the analysis"))


SAMPLER = Laplace(
    "laplace",
    "Laplace",
    "A normal distribution about the analysis, in closed form",
    "MacKay 2003, Information Theory, Inference and Learning Algorithms, chapter 27",
    rank=10,
)
