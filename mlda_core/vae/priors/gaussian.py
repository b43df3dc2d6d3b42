"""N(0, I), for which the latent vectors of a bundle are whitened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mlda_core.vae.latent_prior import PriorKind, Transport

if TYPE_CHECKING:
    from azula.denoise import Denoiser

Array = NDArray[np.float64]


class Gaussian:
    """N(0, I) in every month.

    Parameters
    ----------
    n_latent : int
    """

    def __init__(self, n_latent: int) -> None:
        self.n_latent = n_latent

    def sample(self, n: int, month: int, seed: int) -> Array:
        """Draw latent vectors, (n, L)."""
        return np.random.default_rng([seed, month]).standard_normal((n, self.n_latent))

    def log_density(self, z: Array, calendar: NDArray[np.int64]) -> Array:
        """Return the log density of latent vectors (n, L), shape (n,)."""
        del calendar
        return np.asarray(-0.5 * (z**2).sum(axis=1) - 0.5 * self.n_latent * np.log(2 * np.pi))

    def transport(self, month: int) -> Transport | None:
        """Return None: nothing is to be mapped."""
        del month
        return None

    def denoiser(self, month: int) -> Denoiser:
        """Return the exact denoiser."""
        import torch
        from azula.denoise import GaussianDenoiser
        from azula.linalg.covariance import IsotropicCovariance

        from mlda_core.vae.denoising import LogSchedule

        del month
        return GaussianDenoiser(torch.zeros(self.n_latent), IsotropicCovariance(1.0), LogSchedule())


class GaussianKind(PriorKind):
    """N(0, I)."""

    trained: ClassVar[bool] = False

    def build(self, n_latent: int, shape: Mapping[str, Any]) -> Gaussian:
        """Build it; see :meth:`PriorKind.build`."""
        if shape:
            raise ValueError("N(0, I) has no network")
        return Gaussian(n_latent)


PRIOR = GaussianKind(
    "gaussian",
    "N(0, I)",
    "A standard normal distribution, the same in every month",
    "Kingma and Welling 2014, https://arxiv.org/abs/1312.6114",
    rank=10,
)
