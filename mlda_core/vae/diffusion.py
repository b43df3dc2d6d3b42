"""A diffusion model: the distribution whose draws, with noise, a network can denoise.

The network adds to the denoiser of N(0, I), which is what the preconditioning of Karras and others
makes of an output of zero; its last layer starts at zero, so that the model starts as N(0, I).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mlda_core.vae.latent_prior import CONTEXT, context_of

if TYPE_CHECKING:
    from azula.denoise import Denoiser

Array = NDArray[np.float64]

# Fourier pairs of the logarithm of noise over signal.
_NOISE_PAIRS = 4
# Mean and standard deviation of that logarithm in training: where the denoiser of a spread of one
# has most to say, and the noisy end of the schedule within three standard deviations.
_TRAINED_ABOUT, _TRAINED_WITHIN = 0.0, 1.5


@dataclass(frozen=True)
class DiffusionShape:
    """Shape of the denoiser's network.

    Parameters
    ----------
    hidden : int
        Units of each of the two hidden layers.
    """

    hidden: int = 192

    def __post_init__(self) -> None:
        if not 1 <= self.hidden <= 512:
            raise ValueError(f"a denoiser of {self.hidden} units")


class Backbone(nn.Module):
    """Map noisy latent vectors, the level of noise and the context to a correction.

    Parameters
    ----------
    n_latent, hidden : int
    """

    def __init__(self, n_latent: int, hidden: int) -> None:
        super().__init__()
        self.enter = nn.Linear(n_latent + 2 * _NOISE_PAIRS + CONTEXT, hidden)
        self.middle = nn.Linear(hidden, hidden)
        self.leave = nn.Linear(hidden, n_latent)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, x: Tensor, noise: Tensor, context: Tensor) -> Tensor:
        """Return the correction, (n, L).

        Parameters
        ----------
        x : Tensor, shape (n, L)
            Of unit variance.
        noise : Tensor, shape () or (n,)
            Logarithm of noise over signal.
        context : Tensor, shape (1 or n, 6)
        """
        level = noise.expand(len(x))[:, None]
        waves = level * (0.5 * torch.arange(1, _NOISE_PAIRS + 1))
        pairs = [torch.sin(waves), torch.cos(waves)]
        given = torch.cat([x, *pairs, context.expand(len(x), -1)], dim=1)
        h = nn.functional.silu(self.enter(given))
        h = h + nn.functional.silu(self.middle(h))
        out: Tensor = self.leave(h)
        return out


class _AtMonth(nn.Module):
    """The network of one calendar month."""

    def __init__(self, backbone: Backbone, context: Tensor) -> None:
        super().__init__()
        self.backbone, self.context = backbone, context

    def forward(self, x: Tensor, noise: Tensor) -> Tensor:
        out: Tensor = self.backbone(x, noise, self.context)
        return out


class Diffusion:
    """A diffusion model of latent vectors, by season.

    Parameters
    ----------
    n_latent : int
    shape : DiffusionShape
    """

    def __init__(self, n_latent: int, shape: DiffusionShape) -> None:
        self.n_latent, self._shape = n_latent, shape
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self._backbone = Backbone(n_latent, shape.hidden)

    @property
    def network(self) -> nn.Module:
        """The module that holds the weights."""
        return self._backbone

    @property
    def shape(self) -> dict[str, Any]:
        """Shape of the network as plain JSON values."""
        return asdict(self._shape)

    def loss(self, z: Tensor, context: Tensor, generator: Any) -> Tensor:
        """Return the weighted squared error of the denoised latent vectors, (n,).

        As ``azula.denoise.KarrasDenoiser.loss``, for each vector, with the noise drawn.
        """
        level = torch.randn(len(z), generator=generator) * _TRAINED_WITHIN + _TRAINED_ABOUT
        ratio = torch.exp(level)[:, None]
        scale = torch.rsqrt(1 + ratio**2)
        noise = torch.randn(z.shape, generator=generator)
        x = scale * (z + ratio * noise)
        # (z - c_skip x_t) / c_out: what the network ought to add.
        wanted = scale * (ratio * z - noise)
        return ((self._backbone(x, level, context) - wanted) ** 2).sum(dim=1)

    @torch.no_grad()
    def sample(self, n: int, month: int, seed: int) -> Array:
        """Draw latent vectors, (n, L)."""
        from mlda_core.vae.denoising import denoised

        noise = np.random.default_rng([seed, month]).standard_normal((n, self.n_latent))
        *_, drawn = denoised(self.denoiser(month), torch.from_numpy(noise).float())
        return drawn.numpy().astype(np.float64)

    def denoiser(self, month: int) -> Denoiser:
        """Return the denoiser of a calendar month."""
        from azula.denoise import KarrasDenoiser

        from mlda_core.vae.denoising import LogSchedule

        context = context_of(torch.tensor([month]))
        return KarrasDenoiser(_AtMonth(self._backbone, context), LogSchedule())
