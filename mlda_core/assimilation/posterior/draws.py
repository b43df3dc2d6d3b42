"""Draws from the prior and of the observation errors, from which samplers make members."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Draws:
    """Independent draws of everything that is uncertain, one row for each member.

    Parameters
    ----------
    zeta : ndarray, shape (n, L)
        N(0, I): the latent vector in the metric of the prior.
    error : ndarray of float32, shape (n, cells)
        N(0, B): the representation error, standardised.
    error_at : ndarray, shape (n, p)
        The same fields at the places of the observations.
    noise : ndarray, shape (n, p)
        N(0, R): errors of the observations, standardised.
    seed : int
        That they were drawn with.
    plain : Draws, optional
        The same draws of the prior as it stands, where these are scaled as the observations say.
    """

    zeta: Array
    error: Float
    error_at: Array
    noise: Array
    seed: int
    plain: Draws | None = None

    @property
    def misfit(self) -> Array:
        """Draws from N(0, S) of what an observation says beyond the decoded state, (n, p)."""
        return self.error_at + self.noise
