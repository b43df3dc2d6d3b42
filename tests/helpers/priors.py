"""Priors of the latent vector that are not N(0, I), without a training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from mlda_core.vae.priors import PRIORS


def jolted(key: str, n_latent: int, size: float, shape: Mapping[str, Any] | None = None) -> Any:
    """Return a prior whose weights are moved by draws of the standard deviation ``size``."""
    prior = PRIORS[key].build(n_latent, shape or {})
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in prior.network.parameters():
            weight.add_(size * torch.randn(weight.shape, generator=generator))
    return prior
