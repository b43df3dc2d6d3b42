"""A latent space for cycled methods: states as decoded codes, and what codes leave out.

A state is ``x = G(z) + r``: the decoder's large scales, and the rest, whose covariance is a
localised sample. The rest is large and lasts (half of it from a day to the next), so that a filter
of the codes alone, with the rest as white noise, makes worse analyses than one without memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlda_core.bundle.bundle import Bundle
from mlda_core.cycling.covariance import LocalisedSample
from mlda_core.forecast.koopman import LinearDynamics

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LatentSpace:
    """Decoder, dynamics of the codes, and the rest.

    Parameters
    ----------
    bundle : Bundle
    dynamics : LinearDynamics
        Of the codes, with its model error.
    damping : ndarray, shape (d,)
        Factor on the rest after a step.
    rest : LocalisedSample
        Covariance of the rest.
    """

    bundle: Bundle
    dynamics: LinearDynamics
    damping: Array
    rest: LocalisedSample

    def season(self, time: object) -> int:
        """Return the season of a time."""
        return int(self.bundle.seasons.of_time(time)[0])

    def decode(self, z: Array, time: object, *, linear: bool = False) -> Array:
        """Return the states of codes, shape (n, d), of shape (n, L)."""
        found = self.bundle.decode_standardised(z, self.season(time), linear=linear)
        return found.reshape(len(z), -1).astype(np.float64)

    def patterns(self, time: object) -> Array:
        """Return the states of unit codes by the decoder's linear part, shape (L, d)."""
        return self.decode(np.eye(self.bundle.n_latent), time, linear=True)
