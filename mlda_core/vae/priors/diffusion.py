"""A diffusion model of the latent vectors; see :mod:`mlda_core.vae.diffusion`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from mlda_core.vae.latent_prior import PriorKind

if TYPE_CHECKING:
    from mlda_core.vae.diffusion import Diffusion


class DiffusionKind(PriorKind):
    """A diffusion model."""

    analysis: ClassVar[bool] = False

    def build(self, n_latent: int, shape: Mapping[str, Any]) -> Diffusion:
        """Build it; see :meth:`PriorKind.build`."""
        self.require()
        # Here, for the list of priors must load without torch.
        from mlda_core.vae.diffusion import Diffusion, DiffusionShape

        return Diffusion(n_latent, DiffusionShape(**shape))


PRIOR = DiffusionKind(
    "diffusion",
    "Diffusion",
    "A diffusion model with a small network, by season; for the sampler guided",
    "Karras and others 2022, https://arxiv.org/abs/2206.00364",
    rank=30,
    package="azula",
)
