"""Training of priors on the codes of training months."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mlda_core.vae.latent_prior import TrainedPrior, context_of

Array = NDArray[np.float64]
Tick = Callable[[int, int], None]

# Draws of each code's posterior when a set of months is scored.
DRAWS = 8


@dataclass(frozen=True, eq=False)
class Codes:
    """Posteriors of the latent vectors of months.

    Parameters
    ----------
    mean, sd : ndarray, shape (n, L)
    calendar : ndarray of int, shape (n,)
        Calendar months 1..12.
    mixed : ndarray of bool, shape (n,)
        Whether the month's sea is a mixed one.
    """

    mean: Array
    sd: Array
    calendar: NDArray[np.int64]
    mixed: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.mean)

    def joined(self, other: Codes) -> Codes:
        """Return both sets as one."""
        return Codes(
            np.concatenate([self.mean, other.mean]),
            np.concatenate([self.sd, other.sd]),
            np.concatenate([self.calendar, other.calendar]),
            np.concatenate([self.mixed, other.mixed]),
        )

    def where(self, chosen: NDArray[np.bool_]) -> Codes:
        """Return the months selected by a mask."""
        return Codes(self.mean[chosen], self.sd[chosen], self.calendar[chosen], self.mixed[chosen])

    def drawn(self, seed: int) -> Array:
        """Draw a latent vector of each month's posterior, (n, L)."""
        noise = np.random.default_rng(seed).standard_normal(self.mean.shape)
        return np.asarray(self.mean + self.sd * noise)


@dataclass(frozen=True)
class PriorTraining:
    """Settings of the training of a prior.

    Parameters
    ----------
    epochs, batch : int
        Greatest length of training, and months in a batch.
    rate : float
        Peak learning rate.
    weight_decay : float
        Of AdamW. Without much of it a flow is a nat better on training months and a nat worse on
        others within ten epochs.
    patience : int
        Epochs without a better score on the months held out before training stops.
    seed : int
    """

    epochs: int = 60
    batch: int = 256
    rate: float = 3e-4
    weight_decay: float = 0.3
    patience: int = 12
    seed: int = 0


@dataclass(frozen=True)
class PriorHistory:
    """What a training did.

    Parameters
    ----------
    epochs, best_epoch : int
        Epochs trained, and the one that was kept; 0 is the start, N(0, I).
    loss_at_start, loss : float
        Mean loss over the months held out, before training and at the best epoch.
    """

    epochs: int
    best_epoch: int
    loss_at_start: float
    loss: float


def train_prior(
    prior: TrainedPrior,
    codes: Codes,
    held_out: Codes,
    settings: PriorTraining,
    *,
    tick: Tick | None = None,
) -> PriorHistory:
    """Train a prior in place, and leave it as it was best on the months held out.

    Each epoch sees another draw of every code's posterior. The moving average of the weights is
    scored and kept.

    Parameters
    ----------
    prior : TrainedPrior
        Fresh, so that it starts as N(0, I).
    codes : Codes
        Of training months.
    held_out : Codes
        Of months that decide when to stop, under the observed sea.
    settings : PriorTraining
    tick : callable, optional
        Called with (epochs done, most epochs).

    Returns
    -------
    PriorHistory
    """
    network = prior.network
    generator = torch.Generator().manual_seed(settings.seed)
    mean, sd = (torch.from_numpy(a).float() for a in (codes.mean, codes.sd))
    context = context_of(torch.from_numpy(codes.calendar), mixed=torch.from_numpy(codes.mixed))
    optimiser = torch.optim.AdamW(
        network.parameters(), settings.rate, weight_decay=settings.weight_decay
    )
    average = copy.deepcopy(network.state_dict())
    best = copy.deepcopy(average)
    at_start = least = loss_of(prior, held_out)
    per_epoch = math.ceil(len(codes) / settings.batch)
    step = best_epoch = epoch = 0
    for epoch in range(1, settings.epochs + 1):
        order = torch.randperm(len(codes), generator=generator)
        for rows in order.split(settings.batch):
            done = step / (settings.epochs * per_epoch)
            fall = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done))
            for group in optimiser.param_groups:
                group["lr"] = settings.rate * min(1.0, done / 0.05) * fall
            z = mean[rows] + sd[rows] * torch.randn(mean[rows].shape, generator=generator)
            loss = prior.loss(z, context[rows], generator).mean() / mean.shape[1]
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            step += 1
            decay = min(0.99, (1 + step) / (10 + step))
            for name, value in network.state_dict().items():
                if value.is_floating_point():
                    average[name].lerp_(value, 1 - decay)
        trained = copy.deepcopy(network.state_dict())
        network.load_state_dict(average)
        found = loss_of(prior, held_out)
        network.load_state_dict(trained)
        if tick:
            tick(epoch, settings.epochs)
        if found < least:
            best, least, best_epoch = copy.deepcopy(average), found, epoch
        if epoch - best_epoch >= settings.patience:
            break
    network.load_state_dict(best)
    network.eval().requires_grad_(False)
    return PriorHistory(epoch, best_epoch, at_start, least)


@torch.no_grad()
def loss_of(prior: TrainedPrior, codes: Codes) -> float:
    """Return the mean loss over months, with the same draws at every call."""
    generator = torch.Generator().manual_seed(1)
    context = context_of(torch.from_numpy(codes.calendar), mixed=torch.from_numpy(codes.mixed))
    total = 0.0
    for seed in range(DRAWS):
        z = torch.from_numpy(codes.drawn(seed)).float()
        total += float(prior.loss(z, context, generator).mean()) / DRAWS
    return total


def packed(network: torch.nn.Module) -> dict[str, Tensor]:
    """Return a network's tensors as they are stored: numbers in half precision."""
    stored: dict[str, Any] = network.state_dict()
    return {k: (v.half() if v.is_floating_point() else v).contiguous() for k, v in stored.items()}


def unpack(network: torch.nn.Module, stored: dict[str, Tensor]) -> None:
    """Load stored tensors into a network.

    Raises
    ------
    ValueError
        If they hold numbers that are not finite.
    RuntimeError
        If names or shapes are not those of the network.
    """
    for name, value in stored.items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise ValueError(f"{name} holds a number that is not finite")
    network.load_state_dict(
        {k: v.float() if v.is_floating_point() else v for k, v in stored.items()}
    )
    network.eval().requires_grad_(False)
