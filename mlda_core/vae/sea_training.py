"""Training of the sea networks: from SST to the mean state under it."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from mlda_core.vae.dataset import Months, TrainingData
from mlda_core.vae.layers import halves_are_fast
from mlda_core.vae.sea import SeaConfig, SeaNetwork


@dataclass(frozen=True)
class SeaTraining:
    """Settings of the training; one network for each variable.

    Parameters
    ----------
    epochs, epochs_normalised, batch : int
        Epochs of variables without and with channel normalisation. There are 284 distinct
        observed seas, and the networks overfit: VALIDATION pressure is explained to .019 after 12
        epochs, to .005 after 24.
    rate, weight_decay : float
        Of AdamW, one cycle.
    mixed_weight : float
        Weight of a month under a mixed or patched sea, relative to one member under the observed
        sea.
    noise : float
        Standard deviation of noise on the standardised SST input.
    least_chaos : float
        Floor of the intra-ensemble variance. A cell is weighted by the inverse of the variance of
        members about their mean under one sea: cells that the sea controls count most.
    seed : int
    """

    epochs: int = 6
    epochs_normalised: int = 12
    batch: int = 32
    rate: float = 3e-3
    weight_decay: float = 0.3
    mixed_weight: float = 2.0
    noise: float = 0.05
    least_chaos: float = 0.15
    seed: int = 0


# Members' copies of one sea differ by up to 0.003 K in SPEEDY's files, and may by the 0.01 K of the
# coarsest packing; those of different months, or of coupled members, differ by tenths.
SAME_SEA = 0.02


def distinct_seas(months: Months, sea: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the distinct seas of the months: members of one experiment share theirs.

    Members have one sea in a month if theirs agree within :data:`SAME_SEA` kelvin in every cell;
    packing changes each a little.

    Returns
    -------
    first : ndarray of int, shape (u,)
        Index of one month for each sea.
    row : ndarray of int, shape (n,)
        Index of each month's sea.
    """
    kelvin = np.nan_to_num(months.anomalies[:, sea])
    first: list[int] = []
    row = np.empty(len(months), np.int64)
    of_month: dict[str, list[int]] = {}
    for i, name in enumerate(months.names):
        known = of_month.setdefault(str(name), [])
        for u in known:
            if np.abs(kelvin[i] - kelvin[first[u]]).max() <= SAME_SEA:
                row[i] = u
                break
        else:
            row[i] = len(first)
            known.append(len(first))
            first.append(i)
    return np.array(first, np.int64), row


def train_sea(
    data: TrainingData,
    sea: int,
    config: SeaConfig,
    settings: SeaTraining,
    *,
    variables: Sequence[str] | None = None,
    tick: Callable[[int, int], None] | None = None,
) -> SeaNetwork:
    """Fit the mean of the states under each sea, by squared error.

    Months under one sea are averaged first: the gradient is that of all of them, at an eighth of
    the cost with eight members. Each variable has its own network, trained alone: in a joint one,
    noise of the other variables hid the sea's effect on rain (.18 of validation variance explained
    after 14 epochs, .21 after 2 alone).

    Parameters
    ----------
    data : TrainingData
    sea : int
        Index of SST among the variables.
    config : SeaConfig
    settings : SeaTraining
    variables : sequence of str, optional
        CF names of those whose networks are trained; all by default. Others stay as they begin.
    tick : callable, optional
        Called with (steps done, steps in all).

    Returns
    -------
    SeaNetwork
        With the moving average of its weights.
    """
    samples = _samples(data, sea, settings)
    torch.manual_seed(settings.seed)
    network = SeaNetwork(data.normaliser, sea, config)
    average = copy.deepcopy(network).requires_grad_(False)
    per_epoch = math.ceil(len(samples.x) / settings.batch)
    steps = {
        name: per_epoch
        * (settings.epochs_normalised if name in config.normalised else settings.epochs)
        for name in network.parts
        if variables is None or name in variables
    }
    before, total = 0, sum(steps.values())
    for name, count in steps.items():
        torch.manual_seed(settings.seed + list(network.parts).index(name))
        for step in _train_one(network, average, name, samples, settings, count):
            if tick:
                tick(before + step, total)
        before += count
    return average.eval()


def _train_one(
    network: SeaNetwork,
    average: SeaNetwork,
    name: str,
    samples: _Samples,
    settings: SeaTraining,
    steps: int,
) -> Iterator[int]:
    """Train the network of one variable, yielding the number of steps done."""
    row, sea, part = network.rows[name], network.sea, network.parts[name]
    optimiser = torch.optim.AdamW(
        part.parameters(), settings.rate, (0.9, 0.99), weight_decay=settings.weight_decay
    )
    network.fast = halves_are_fast(torch.device("cpu"))
    per_epoch = math.ceil(len(samples.x) / settings.batch)
    for step in range(steps):
        if step % per_epoch == 0:
            order = torch.randperm(len(samples.x))
        done = step / steps
        fall = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done))
        for group in optimiser.param_groups:
            group["lr"] = settings.rate * min(1.0, done / 0.05) * fall
        at = step % per_epoch * settings.batch
        rows = order[at : at + settings.batch]
        month, given = samples.calendar[rows], samples.x[rows, sea]
        given = given + settings.noise * torch.randn_like(given) * network.mask[sea]
        guess = network.one(name, given, given * samples.spread[month - 1], month)
        lost = (samples.area[row] * (guess - samples.x[rows, row]) ** 2).sum(dim=(1, 2))
        loss = (samples.weight[rows] * lost).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(part.parameters(), 5.0)
        optimiser.step()
        with torch.no_grad():
            decay = min(0.995, (1 + step) / (10 + step))
            pairs = zip(average.parts[name].parameters(), part.parameters(), strict=True)
            for mine, theirs in pairs:
                mine.lerp_(theirs, 1 - decay)
        yield step + 1


@dataclass(frozen=True, eq=False)
class _Samples:
    """Mean state of each distinct sea (n, V, lat, lon), its calendar month, and its weight.

    ``area`` are cell weights (V, lat, lon), ``spread`` is that of SST, (12, lat, lon).
    """

    x: torch.Tensor
    calendar: torch.Tensor
    weight: torch.Tensor
    area: torch.Tensor
    spread: torch.Tensor


def _samples(data: TrainingData, sea: int, settings: SeaTraining) -> _Samples:
    observed = data.train
    first, row = distinct_seas(observed, sea)
    count = np.bincount(row)
    mean = np.zeros((len(first), *observed.x.shape[1:]), np.float32)
    np.add.at(mean, row, observed.x)
    mean /= count[:, None, None, None].astype(np.float32)
    chaos = np.zeros(mean.shape[1:])
    for i, x in enumerate(observed.x):
        chaos += (x - mean[row[i]]) ** 2
    freedom = int((count - 1).sum())
    parts = [mean]
    calendars, weights = [observed.calendar[first]], [count.astype(np.float32)]
    if data.mixed is not None:
        parts.append(data.mixed.x)
        calendars.append(data.mixed.calendar)
        weights.append(np.full(len(data.mixed), settings.mixed_weight, np.float32))
    weight = np.concatenate(weights)
    area = np.asarray(data.normaliser.weights, np.float64).copy()
    if freedom > 0:
        area /= np.maximum(chaos / freedom, settings.least_chaos)
        # Normalise each variable's weights to one: the step sizes assume it.
    area /= np.maximum(area.sum(axis=(1, 2), keepdims=True), 1e-12)
    return _Samples(
        torch.from_numpy(np.concatenate(parts)),
        torch.from_numpy(np.concatenate(calendars)),
        torch.from_numpy(weight / weight.mean()),
        torch.from_numpy(area).float(),
        torch.from_numpy(np.nan_to_num(data.normaliser.spread[:, sea])).float(),
    )
