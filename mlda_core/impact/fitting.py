"""Fit of an impact head's ensemble of perceptrons.

Loss: the continuous ranked probability score of the standardised value (Gneiting and Raftery 2007,
J. Am. Stat. Assoc. 102, 359), which is less affected by single floods than the logarithmic score.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from mlda_core.impact.head import LOG_SPREAD, ImpactError, Scale, Weights, inputs_of
from mlda_core.impact.samples import Samples

# Cross-validation in 3-year blocks, 4 folds, each member leaving out one: monthly flows are
# autocorrelated.
BLOCK, FOLDS = 3, 4
# Candidate factors on the spread, applied after training.
SPREADS = tuple(np.exp(np.arange(-8, 6) / 10).tolist())


@dataclass(frozen=True)
class Training:
    """Settings of the training.

    Parameters
    ----------
    n_latent : int
        Number of leading latents used; 0 to choose it by the early-stopping months.
    memory : int
        Number of preceding months used, by the mean of their codes.
    hidden : int
        Hidden units of each perceptron.
    members : int
        Perceptrons of the ensemble.
    weight_decay, learning_rate : float
        Of Adam with decoupled decay.
    dropout : float
        Dropout rate of latents and hidden units.
    steps, patience, every : int
        Maximum steps, steps without improvement before stopping, and steps between tests.
    seed : int
    """

    n_latent: int = 0
    memory: int = 0
    hidden: int = 16
    members: int = 8
    weight_decay: float = 0.1
    learning_rate: float = 1e-2
    dropout: float = 0.3
    steps: int = 1500
    patience: int = 200
    every: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("hidden", "members", "steps"):
            if getattr(self, name) < 1:
                raise ImpactError(f"'{name}' is {getattr(self, name)}; give at least 1.")
        if self.n_latent < 0 or not 0 <= self.dropout < 1:
            raise ImpactError("A head sees latents from 1 on and drops less than all of them.")
        if not 0 <= self.memory <= 24:
            raise ImpactError(
                f"A memory of {self.memory} months is not within 0 to 24; correct it."
            )


def fit_weights(
    fit: Samples, stop: Samples, scale: Scale, training: Training
) -> tuple[Weights, float]:
    """Train an ensemble.

    Each member leaves out a quarter of the training years, and stops early on these and on the
    other held-out months. The members' predictions for the years they left out calibrate the
    spread: it would be too narrow for years used in the fit.

    Parameters
    ----------
    fit, stop : Samples
        Months to fit, and held-out months for early stopping.
    scale : Scale
    training : Training
        With ``n_latent`` of at least 1.

    Returns
    -------
    Weights
    float
        Mean standardised CRPS of the ensemble in held-out months.
    """
    generator = torch.Generator().manual_seed(training.seed)
    n, hidden, members = training.n_latent, training.hidden, training.members
    inputs, target = _tensors(fit, scale, n)
    stop_inputs, stop_target = _tensors(stop, scale, n)
    noise = torch.from_numpy(fit.sd[:, :, :n].reshape(len(fit), -1)).float()
    fold = torch.from_numpy(fit.years // BLOCK % FOLDS)
    left_out = fold[None] == (torch.arange(members) % FOLDS)[:, None]
    fitted = (~left_out).float() / (~left_out).sum(dim=1, keepdim=True)
    held = torch.cat([left_out.float(), torch.ones(members, len(stop))], dim=1)
    held = held / held.sum(dim=1, keepdim=True)
    every_input = torch.cat([inputs, stop_inputs]).expand(members, -1, -1)
    every_target = torch.cat([target, stop_target])
    latents, width = noise.shape[1], inputs.shape[1]
    first = torch.randn(members, hidden, width, generator=generator) / math.sqrt(width)
    # Output weights are initialised to zero: mean 0 and spread 1, the climatology.
    shapes = [(members, hidden), (members, 2, hidden), (members, 2), (members, width)]
    values = [first, *(torch.zeros(shape) for shape in shapes)]
    for value in values:
        value.requires_grad_(True)
    decayed = {"params": [values[i] for i in (0, 2, 4)], "weight_decay": training.weight_decay}
    free = {"params": [values[i] for i in (1, 3)], "weight_decay": 0.0}
    optimiser = torch.optim.AdamW([decayed, free], lr=training.learning_rate)
    best = torch.full((members,), torch.inf)
    kept = [v.detach().clone() for v in values]
    last_gain = 0
    for step in range(training.steps + 1):
        if step % training.every == 0:
            with torch.no_grad():
                losses = (_crps(*_forward(values, every_input), every_target) * held).sum(dim=1)
                gains = losses < best - 1e-5
                if gains.any():
                    last_gain = step
                best = torch.where(gains, losses, best)
                for own, value in zip(kept, values, strict=True):
                    own[gains] = value.detach()[gains]
            if step - last_gain >= training.patience:
                break
        drawn = inputs.expand(members, -1, -1).clone()
        shape = (members, len(inputs), latents)
        drawn[..., :latents] += noise * torch.randn(shape, generator=generator)
        drawn[..., :latents] *= _kept(shape, training.dropout, generator)
        hide = _kept((members, len(inputs), hidden), training.dropout, generator)
        loss = (_crps(*_forward(values, drawn, hide), target) * fitted).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        centre, spread = (v.double() for v in _forward(kept, every_input))
    found = [
        (float(_crps(*_pooled(centre, factor * spread, held > 0), every_target).nanmean()), factor)
        for factor in SPREADS
    ]
    loss_found, factor = min(found)
    arrays = [v.double().numpy() for v in kept]
    arrays[3][:, 1] += np.log(factor)
    return Weights(*arrays), loss_found


def _tensors(part: Samples, scale: Scale, n_latent: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return inputs and standardised values, (n, I) and (n,)."""
    inputs = inputs_of(part.z, part.calendar, n_latent)
    values = scale.forward(part.values, part.calendar)
    return torch.from_numpy(inputs).float(), torch.from_numpy(values).float()


def _pooled(
    centre: torch.Tensor, spread: torch.Tensor, by: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mean and spread of the mixture of selected members, (n,) each; NaN without any."""
    weight = by.double() / by.sum(dim=0)
    mean = (weight * centre).sum(dim=0)
    variance = (weight * (spread**2 + (centre - mean) ** 2)).sum(dim=0)
    return mean, torch.sqrt(variance)


def _kept(shape: tuple[int, ...], dropout: float, generator: torch.Generator) -> torch.Tensor:
    return (torch.rand(shape, generator=generator) >= dropout).float() / (1 - dropout)


def _forward(
    values: list[torch.Tensor], inputs: torch.Tensor, hide: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mean and spread, (E, n) each, of inputs (E, n, I), like :class:`Weights` unpooled."""
    into, into_bias, out, out_bias, past = values
    hidden = torch.tanh(inputs @ into.mT + into_bias[:, None])
    if hide is not None:
        hidden = hidden * hide
    given = hidden @ out.mT + out_bias[:, None]
    straight = (inputs @ past[:, :, None])[..., 0]
    return given[..., 0] + straight, torch.exp(given[..., 1].clamp(*LOG_SPREAD))


def _crps(mean: torch.Tensor, spread: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """CRPS of a normal distribution (Gneiting et al. 2005, Mon. Wea. Rev. 133, 1098)."""
    w = (value - mean) / spread
    below = 2 * torch.special.ndtr(w) - 1
    density = torch.exp(-0.5 * w**2) / math.sqrt(2 * math.pi)
    return spread * (w * below + 2 * density - 1 / math.sqrt(math.pi))
