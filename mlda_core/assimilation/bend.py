"""A prior that is N(0, I) bent: the map from zeta ~ N(0, I) to the latent vector."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mlda_core.vae.latent_prior import Transport

Array = NDArray[np.float64]


class Bend:
    """``m(zeta) = f(zeta) - f(0)``, f the transport from N(0, I) to the prior.

    The analysis searches zeta, in which the prior is N(0, I) again: the decoder after f is just
    another decoder. f(0) belongs to the background, so that m(0) = 0.

    Parameters
    ----------
    transport : Transport
    n_latent : int
    """

    def __init__(self, transport: Transport, n_latent: int) -> None:
        self._transport = transport
        with torch.no_grad():
            self._centre = transport.forward(torch.zeros(1, n_latent))

    @property
    def centre(self) -> Array:
        """f(0), shape (L,)."""
        return self._centre[0].numpy().astype(np.float64)

    def forward(self, zeta: Tensor) -> Tensor:
        """Map zeta (n, L) to departures of the latent vector, differentiably."""
        return self._transport.forward(zeta) - self._centre

    def departures(self, zeta: Array) -> Array:
        """Map zeta (n, L) to departures of the latent vector."""
        with torch.no_grad():
            moved = self.forward(torch.from_numpy(zeta).float())
        return moved.numpy().astype(np.float64)

    def zeta(self, departures: Array) -> Array:
        """Return the zeta (n, L) of departures of the latent vector."""
        with torch.no_grad():
            found = self._transport.inverse(torch.from_numpy(departures).float() + self._centre)
        return found.numpy().astype(np.float64)

    def pull(self, zeta: Array, slope: Array) -> Array:
        """Return the gradient by zeta (n, L) of what has the gradient ``slope`` by m(zeta)."""
        at = torch.from_numpy(zeta).float().requires_grad_()
        (pulled,) = torch.autograd.grad(self.forward(at), at, torch.from_numpy(slope).float())
        return pulled.numpy().astype(np.float64)

    @cached_property
    def tangent(self) -> Array:
        """Derivative of m at 0, shape (L, L): row k is that of number k."""
        n = self._centre.shape[1]
        # Row k of the batch gives the gradient of number k.
        return self.pull(np.zeros((n, n)), np.eye(n))
