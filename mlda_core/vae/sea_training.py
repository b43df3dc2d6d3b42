"""Training of the network from a sea to the mean of the states under it."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import torch
from numpy.typing import NDArray

from mlda_core.vae.dataset import Months, TrainingData
from mlda_core.vae.sea import SeaConfig, SeaNetwork


@dataclass(frozen=True)
class SeaTraining:
    """How the network is trained.

    Parameters
    ----------
    epochs, batch : int
        With 40 epochs the explained variance of VALIDATION pressure fell from .02 to -.04 after
        the twelfth: there are 290 distinct observed seas.
    rate, weight_decay : float
        Of AdamW, one cycle.
    mixed_weight : float
        Weight of a month under a mixed sea, that of one member under the observed sea being 1.
    noise : float
        Standard deviation of noise on the sea, standardised.
    seed : int
    """

    epochs: int = 14
    batch: int = 32
    rate: float = 3e-3
    weight_decay: float = 0.3
    mixed_weight: float = 2.0
    noise: float = 0.05
    seed: int = 0


def distinct_seas(months: Months, sea: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the months' distinct seas: members of one experiment share theirs.

    Returns
    -------
    first : ndarray of int, shape (u,)
        A month of each sea.
    row : ndarray of int, shape (n,)
        Which sea each month has.
    """
    keys = np.array(
        [
            f"{month} {blake2b(np.round(x[sea], 3).tobytes(), digest_size=16).hexdigest()}"
            for x, month in zip(months.x, months.calendar, strict=True)
        ]
    )
    _, first, row = np.unique(keys, return_index=True, return_inverse=True)
    return first, row


def train_sea(
    data: TrainingData,
    sea: int,
    config: SeaConfig,
    settings: SeaTraining,
    *,
    tick: Callable[[int, int], None] | None = None,
) -> SeaNetwork:
    """Fit the mean of the states under each sea, by squared error.

    Months under one sea are averaged first: the gradient is that of all of them, at an eighth of
    the cost with eight members.

    Parameters
    ----------
    data : TrainingData
    sea : int
        Row of the sea's temperature.
    config : SeaConfig
    settings : SeaTraining
    tick : callable, optional
        Called with (steps done, steps in all).

    Returns
    -------
    SeaNetwork
        The running mean of its weights.
    """
    normaliser = data.normaliser
    x, calendar, weight = _samples(data, sea, settings.mixed_weight)
    spread = torch.from_numpy(np.nan_to_num(normaliser.spread[:, sea])).float()
    area = torch.from_numpy(normaliser.weights).float().clone()
    area[sea] = 0.0
    torch.manual_seed(settings.seed)
    network = SeaNetwork(
        torch.from_numpy(normaliser.mask), sea, config, periodic=normaliser.grid.is_global
    )
    average = copy.deepcopy(network).requires_grad_(False)
    optimiser = torch.optim.AdamW(
        network.parameters(), settings.rate, (0.9, 0.99), weight_decay=settings.weight_decay
    )
    per_epoch = math.ceil(len(x) / settings.batch)
    steps = settings.epochs * per_epoch
    network.fast = True
    for step in range(steps):
        if step % per_epoch == 0:
            order = torch.randperm(len(x))
        part = step / steps
        fall = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * part))
        for group in optimiser.param_groups:
            group["lr"] = settings.rate * min(1.0, part / 0.05) * fall
        at = step % per_epoch * settings.batch
        rows = order[at : at + settings.batch]
        target, month = x[rows], calendar[rows]
        given = target[:, sea]
        given = given + settings.noise * torch.randn_like(given) * network.mask[sea]
        guess = network(given, given * spread[month - 1], month)
        lost = (area * (guess - target) ** 2).sum(dim=(1, 2, 3))
        loss = (weight[rows] * lost).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        with torch.no_grad():
            decay = min(0.995, (1 + step) / (10 + step))
            for mine, theirs in zip(average.parameters(), network.parameters(), strict=True):
                mine.lerp_(theirs, 1 - decay)
        if tick:
            tick(step + 1, steps)
    return average.eval()


def _samples(
    data: TrainingData, sea: int, mixed_weight: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Mean state of each distinct sea, calendar month, and weight (mean 1)."""
    observed = data.train
    first, row = distinct_seas(observed, sea)
    count = np.bincount(row)
    mean = np.zeros((len(first), *observed.x.shape[1:]), np.float32)
    np.add.at(mean, row, observed.x)
    parts = [np.asarray(mean / count[:, None, None, None], np.float32)]
    calendars, weights = [observed.calendar[first]], [count.astype(np.float32)]
    if data.mixed is not None:
        parts.append(data.mixed.x)
        calendars.append(data.mixed.calendar)
        weights.append(np.full(len(data.mixed), mixed_weight, np.float32))
    weight = np.concatenate(weights)
    return (
        torch.from_numpy(np.concatenate(parts)),
        torch.from_numpy(np.concatenate(calendars)),
        torch.from_numpy(weight / weight.mean()),
    )
