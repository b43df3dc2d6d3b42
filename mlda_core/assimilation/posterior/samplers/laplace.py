"""Laplace's approximation: the posterior of the problem linearised at the prior mean.

The spread of an analysis is this distribution's standard deviation, in closed form.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlda_core.assimilation.posterior.conditioning import linear_departures
from mlda_core.assimilation.posterior.sampler import Progress, Sampled, Sampler

if TYPE_CHECKING:
    from mlda_core.assimilation.assimilator import Assimilator
    from mlda_core.assimilation.posterior.draws import Draws
    from mlda_core.assimilation.problem import Problem


class Laplace(Sampler):
    """Draws about the analysis, in closed form."""

    def sample(self, engine: Assimilator, problem: Problem, draws: Draws) -> Iterator[Progress]:
        """Add linear departures to the analysis; see :meth:`Sampler.sample`."""
        zeta, x = engine.minimum(problem)
        departures, moved = linear_departures(problem.gain, draws)
        turn = problem.gain.prior.turn
        z = None if turn is None else problem.z_b + (zeta + departures) @ turn.T
        yield Progress(1, 1, Sampled(x + moved, z, "drawn in closed form about the analysis"))


SAMPLER = Laplace(
    "laplace",
    "Laplace",
    "A normal distribution about the analysis, in closed form",
    "MacKay 2003, Information Theory, Inference and Learning Algorithms, chapter 27",
    rank=10,
)
