"""A normalising flow: N(0, I) bent by affine couplings, so that its density is known.

A coupling layer shifts and scales half of the numbers by functions of the other half, and is as
quick to invert as to apply; an autoregressive flow would take a hundred passes in one direction.
The last layer of each network starts at zero, so that the flow starts as N(0, I).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mlda_core.vae.latent_prior import CONTEXT, context_of

Array = NDArray[np.float64]


@dataclass(frozen=True)
class FlowShape:
    """Shape of the flow.

    Parameters
    ----------
    transforms : int
        Couplings.
    hidden : int
        Units of the hidden layer of each.
    """

    transforms: int = 4
    hidden: int = 32

    def __post_init__(self) -> None:
        if not (1 <= self.transforms <= 32 and 1 <= self.hidden <= 512):
            raise ValueError(f"a flow of {self.transforms} couplings of {self.hidden} units")


class FlowTransport:
    """The flow of one calendar month as a map; see :class:`Transport`."""

    def __init__(self, flow: Any, month: int) -> None:
        self._flow, self._month = flow, torch.tensor([month])

    def forward(self, base: Tensor) -> Tensor:
        """Map draws of N(0, I), (n, L), to latent vectors."""
        mapped: Tensor = self._transform(len(base)).inv(base)
        return mapped

    def inverse(self, z: Tensor) -> Tensor:
        """Map latent vectors, (n, L), to draws of N(0, I)."""
        mapped: Tensor = self._transform(len(z))(z)
        return mapped

    def _transform(self, n: int) -> Any:
        return self._flow.transform(context_of(self._month).expand(n, -1))


class Flow:
    """A flow from N(0, I), by season.

    Parameters
    ----------
    n_latent : int
    shape : FlowShape
    """

    def __init__(self, n_latent: int, shape: FlowShape) -> None:
        from zuko.flows import NICE

        self.n_latent, self._shape = n_latent, shape
        with torch.random.fork_rng(devices=[]):
            # The masks, which say what half moves, are drawn; they are saved with the weights.
            torch.manual_seed(0)
            self._flow = NICE(
                n_latent,
                CONTEXT,
                transforms=shape.transforms,
                randmask=True,
                hidden_features=(shape.hidden,),
                activation=nn.SiLU,
            )
        for coupling in self._flow.transform.transforms:
            nn.init.zeros_(coupling.hyper[-1].weight)
            nn.init.zeros_(coupling.hyper[-1].bias)

    @property
    def network(self) -> nn.Module:
        """The module that holds the weights."""
        module: nn.Module = self._flow
        return module

    @property
    def shape(self) -> dict[str, Any]:
        """Shape of the network as plain JSON values."""
        return asdict(self._shape)

    def loss(self, z: Tensor, context: Tensor, generator: Any) -> Tensor:
        """Return the negative log density of each latent vector, (n,)."""
        del generator
        lost: Tensor = -self._flow(context).log_prob(z)
        return lost

    @torch.no_grad()
    def sample(self, n: int, month: int, seed: int) -> Array:
        """Draw latent vectors, (n, L)."""
        base = np.random.default_rng([seed, month]).standard_normal((n, self.n_latent))
        drawn = self.transport(month).forward(torch.from_numpy(base).float())
        return drawn.numpy().astype(np.float64)

    @torch.no_grad()
    def log_density(self, z: Array, calendar: NDArray[np.int64]) -> Array:
        """Return the log density of latent vectors (n, L), shape (n,)."""
        context = context_of(torch.from_numpy(calendar))
        found = self._flow(context).log_prob(torch.from_numpy(z).float())
        return np.asarray(found.numpy(), np.float64)

    def transport(self, month: int) -> FlowTransport:
        """Return the map of a calendar month."""
        return FlowTransport(self._flow, month)
