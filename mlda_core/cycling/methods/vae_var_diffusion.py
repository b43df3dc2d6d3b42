"""VAE-Var whose codes are drawn from a diffusion prior, guided by the observations.

The analysis is the mean of a few draws of codes given the observations, each denoised by moment
matching posterior sampling (:mod:`mlda_core.assimilation.posterior.moment_matching`), and what the
rest gets of what they leave. The spread is that of VAE-Var: a few draws tell little of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from mlda_core.climate.errors import UserError
from mlda_core.cycling.error_model import ErrorModel
from mlda_core.cycling.methods.vae_var import NearNone, VaeVar
from mlda_core.vae.latent_prior import WithDenoiser

Array = NDArray[np.float64]


@dataclass(frozen=True)
class VaeVarDiffusion(VaeVar):
    """Settings are those of VAE-Var, ``factor`` and ``iterations`` aside, and one.

    Parameters
    ----------
    draws : int
        Of codes, in pairs of opposite noise, so that their mean has little of it.
    """

    draws: int = 8

    key = "vae_var_diffusion"
    label = "VAE-Var, diffusion"
    sentence = "VAE-Var whose codes are drawn from a diffusion prior guided by the observations"
    source = "Rozet and others 2024, https://doi.org/10.48550/arXiv.2405.13712"
    rank = 27

    def __post_init__(self) -> None:
        """Refuse settings that mean nothing."""
        super().__post_init__()
        if self.draws < 2 or self.draws % 2:
            raise UserError("Draws come in pairs; give an even number of them, 2 or more.")
        if self.factor != 1:
            raise UserError("A diffusion prior has a spread of its own; leave factor out.")

    def codes(
        self,
        errors: ErrorModel,
        month: int,
        decode: Callable[[torch.Tensor], torch.Tensor],
        near: NearNone,
        departures: Array,
        generator: np.random.Generator,
    ) -> tuple[Array, dict[str, float]]:
        """Return draws of the codes given the observations; see VAE-Var's."""
        # Here, for the list of methods must load without azula.
        from mlda_core.assimilation.posterior.moment_matching import MomentMatching
        from mlda_core.vae.denoising import denoised

        prior = errors.prior("diffusion")
        if not isinstance(prior, WithDenoiser):
            raise UserError("The prior of the codes of errors has no denoiser; train it again.")
        network = near.network
        left_axes, singular, axes = np.linalg.svd(near.seen, full_matrices=False)

        def misfit(codes: torch.Tensor) -> torch.Tensor:
            seen = network.operator.observe(decode(codes.double()).detach().numpy())
            return torch.from_numpy(network.whitened((departures - seen).T).T @ left_axes).float()

        guided = MomentMatching(
            prior.denoiser(month),
            misfit,
            torch.from_numpy(singular).float(),
            torch.from_numpy(axes).float(),
        )
        half = generator.standard_normal((self.draws // 2, errors.n_latent))
        noise = torch.from_numpy(np.concatenate((half, -half))).float()
        *_, drawn = denoised(guided, noise)
        return drawn.numpy().astype(np.float64), {}


CYCLED = (VaeVarDiffusion(),)
