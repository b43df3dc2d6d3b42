"""A normalising flow on the latent vectors; see :mod:`mlda_core.vae.flow`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlda_core.vae.latent_prior import PriorKind

if TYPE_CHECKING:
    from mlda_core.vae.flow import Flow


class FlowKind(PriorKind):
    """A normalising flow."""

    def build(self, n_latent: int, shape: Mapping[str, Any]) -> Flow:
        """Build it; see :meth:`PriorKind.build`."""
        self.require()
        # Here, for the list of priors must load without torch.
        from mlda_core.vae.flow import Flow, FlowShape

        return Flow(n_latent, FlowShape(**shape))


PRIOR = FlowKind(
    "flow",
    "Flow",
    "A normalising flow of affine couplings, by season",
    "Dinh, Sohl-Dickstein and Bengio 2017, https://arxiv.org/abs/1605.08803",
    rank=20,
    package="zuko",
)
