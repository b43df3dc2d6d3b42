"""A particle in a double well: the smallest system whose density has two modes.

``dx = (x - x^3) dt + sigma dW``, by the Euler-Maruyama scheme: wells at -1 and 1, a barrier at 0.
Miller, Ghil and Gauthiez 1994,
https://doi.org/10.1175/1520-0469(1994)051<1037:ADAISN>2.0.CO;2, section 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from mlda_core.forecast.dynamics import Time
from mlda_core.forecast.model_error import DiagonalCovariance


@dataclass(frozen=True, eq=False)
class DoubleWell:
    """See the module.

    Parameters
    ----------
    dt : float
        Length of a step.
    sigma : float
        Of the noise; ``sigma^2 / 2`` is the diffusion.
    """

    dt: float
    sigma: float

    name = "double-well"
    size = 1

    @cached_property
    def model_error(self) -> DiagonalCovariance:
        """Variance ``sigma^2 dt`` of a step."""
        return DiagonalCovariance(np.array([self.sigma**2 * self.dt]))

    def tendency(self, states: torch.Tensor) -> torch.Tensor:
        """Return the drift of states, shape (n, 1)."""
        return states - states**3

    def step(self, states: torch.Tensor, time: Time) -> torch.Tensor:
        """Step states; see :meth:`mlda_core.forecast.dynamics.Dynamics.step`."""
        del time
        return states + self.dt * self.tendency(states)
