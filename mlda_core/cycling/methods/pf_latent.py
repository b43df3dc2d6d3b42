"""Particle filters of codes: the bootstrap filter, and that with the optimal proposal.

See :mod:`.pf_bootstrap` and :mod:`.pf_optimal`; with linear dynamics of codes and their normal
error the optimal proposal is exact.
"""

from __future__ import annotations

from mlda_core.cycling.latent_method import LatentMethod
from mlda_core.cycling.methods.pf_bootstrap import BootstrapFilter
from mlda_core.cycling.methods.pf_optimal import OptimalFilter


class LatentBootstrap(LatentMethod):
    """Particles are codes; see :class:`LatentMethod`."""

    key = "pf_bootstrap_latent"
    label = "Particle filter of codes"
    sentence = "Particles in the latent space, weighed by the observations"
    source = BootstrapFilter.source
    rank = 85


class LatentOptimal(LatentMethod):
    """Particles are codes, drawn given the observations; see :class:`LatentMethod`."""

    key = "pf_optimal_latent"
    label = "Particle filter of codes, optimal proposal"
    sentence = "Particles in the latent space, drawn given the observations"
    source = OptimalFilter.source
    rank = 95


CYCLED = (
    LatentBootstrap(inner=BootstrapFilter(particles=10_000)),
    LatentOptimal(inner=OptimalFilter(particles=10_000)),
)
