"""VAE-Var whose codes have a normalising flow as their prior.

The control variable is the flow's N(0, I): the flow's map comes before the decoder of errors, as it
does for states (:mod:`mlda_core.vae.flow`), and the cost is that of VAE-Var.
"""

from __future__ import annotations

from dataclasses import dataclass

from mlda_core.cycling.error_model import ErrorModel
from mlda_core.cycling.method import Workspace
from mlda_core.cycling.methods.vae_var import VaeVar


@dataclass(frozen=True)
class VaeVarFlow(VaeVar):
    """Settings are those of VAE-Var."""

    key = "vae_var_flow"
    label = "VAE-Var, flow"
    sentence = "VAE-Var whose codes have a normalising flow as their prior"
    source = "Dinh, Sohl-Dickstein and Bengio 2017, https://doi.org/10.48550/arXiv.1605.08803"
    rank = 26

    def errors(self, work: Workspace) -> ErrorModel:
        """Return the learnt errors with the flow before their decoder; see VAE-Var's."""
        own = super().errors(work)
        return work.kept("bent errors", (own,), lambda: own.bent("flow"))


CYCLED = (VaeVarFlow(),)
