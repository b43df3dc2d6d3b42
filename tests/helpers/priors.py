"""Priors of the latent vector that are not N(0, I), and codes to train them on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from mlda_core.vae.prior_training import Codes
from mlda_core.vae.priors import PRIORS


def jolted(key: str, n_latent: int, size: float, shape: Mapping[str, Any] | None = None) -> Any:
    """Return a prior whose weights are moved by draws of the standard deviation ``size``."""
    prior = PRIORS[key].build(n_latent, shape or {})
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in prior.network.parameters():
            weight.add_(size * torch.randn(weight.shape, generator=generator))
    return prior


# Of the latent vectors of made-up codes.
LENGTH = 4


def made_up_codes(n: int, *, seed: int = 0, mixed: bool = False) -> Codes:
    """Codes whose first number is skewed, whose second follows the season, and the rest N(0, I)."""
    rng = np.random.default_rng(seed)
    calendar = rng.integers(1, 13, n)
    z = rng.standard_normal((n, LENGTH))
    z[:, 0] = rng.gamma(2.0, size=n) / np.sqrt(2.0) - np.sqrt(2.0)
    z[:, 1] = 0.6 * z[:, 1] + np.cos(2 * np.pi * (calendar - 0.5) / 12)
    if mixed:
        z *= 3.0
    return Codes(z, np.full_like(z, 0.05), calendar, np.full(n, mixed))
