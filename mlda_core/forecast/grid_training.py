"""Training of the grid forecast: one step first, then several in a row."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from mlda_core.climate.annual_cycle import basis
from mlda_core.climate.seasons import Seasons
from mlda_core.forecast.grid_network import GridNetwork, GridNetworkConfig
from mlda_core.vae.checkpoint import (
    average_of,
    follow,
    load_checkpoint,
    one_cycle,
    save_checkpoint,
    tensors_of,
)
from mlda_core.vae.config import ConfigError
from mlda_core.vae.dataset import Months, TrainingData
from mlda_core.vae.training import explained


@dataclass(frozen=True)
class GridTraining:
    """Settings of the training.

    Parameters
    ----------
    epochs : int
        Of one step. From ten on the skill of VALIDATION days stands still while that of training
        days rises.
    rollout_epochs, rollout_steps : int
        Epochs after these in which the loss is the mean over several steps in a row, so that
        errors do not grow by what the network never saw.
    batch : int
    rate, rollout_rate : float
        Peak learning rates.
    weight_decay : float
        Of AdamW.
    noise : float
        Standard deviation of noise on the first state, standardised.
    ema : float
        Decay of the moving average of the weights, which is scored and kept.
    seed : int
    """

    epochs: int = 10
    rollout_epochs: int = 3
    rollout_steps: int = 3
    batch: int = 16
    rate: float = 2e-3
    rollout_rate: float = 4e-4
    weight_decay: float = 0.1
    noise: float = 0.1
    ema: float = 0.998
    seed: int = 0


@dataclass(frozen=True)
class GridProgress:
    """One line of the training log: skill is the explained variance of a step on VALIDATION."""

    epoch: int
    epochs: int
    loss: float
    skill: dict[str, float]
    seconds: float

    @property
    def score(self) -> float:
        """Mean skill."""
        return float(np.mean(list(self.skill.values())))


def season_features(seasons: Seasons, season: NDArray[np.int64], harmonics: int) -> Tensor:
    """Return what the network is told of seasons, shape (n, 1 + 2 harmonics)."""
    return torch.from_numpy(basis(seasons.phase(season), harmonics).astype(np.float32))


def runs_of(months: Months, seasons: Seasons, steps: int) -> NDArray[np.int64]:
    """Return the rows from which a number of consecutive steps of one member follow.

    Parameters
    ----------
    months : Months
        Ordered by member and time.
    seasons : Seasons
    steps : int

    Returns
    -------
    ndarray of int
    """
    times = seasons.step.times(months.names)
    follows = seasons.step.consecutive(times) & (np.diff(months.member) == 0)
    good = np.ones(max(len(months) - steps, 0), bool)
    for k in range(steps):
        good &= follows[k : k + good.size]
    return np.flatnonzero(good)


def train_grid(
    data: TrainingData,
    run: Path,
    *,
    shape: GridNetworkConfig | None = None,
    settings: GridTraining | None = None,
    report: Callable[[GridProgress], None] | None = None,
    tick: Callable[[int, int], None] | None = None,
) -> GridNetwork:
    """Train the grid forecast to the best skill of a step, resuming an interrupted run.

    The loss is the squared error of standardised anomalies, weighted by area and by the local
    spread: between the relative error, which the prior knows, and the error in display units,
    which is scored.

    Parameters
    ----------
    data : TrainingData
        With training and validation times.
    run : Path
        Folder for checkpoints and ``log.jsonl``.
    shape : GridNetworkConfig, optional
    settings : GridTraining, optional
    report : callable, optional
        Called after each epoch.
    tick : callable, optional
        Called after each batch with (batches done, in the epoch).

    Returns
    -------
    GridNetwork
        The moving average of the weights at the best epoch.

    Raises
    ------
    ConfigError
        If the data have no consecutive times, or the folder holds another run.
    """
    shape, settings = shape or GridNetworkConfig(), settings or GridTraining()
    seasons = data.normaliser.seasons
    train, held = data.train, data.observed.in_split("validation")
    rows = {n: runs_of(train, seasons, n) for n in (1, settings.rollout_steps)}
    if min(map(len, rows.values())) < settings.batch or not len(runs_of(held, seasons, 1)):
        raise ConfigError(
            f"The training or validation {seasons.step.plural} do not follow one another, and a "
            "forecast is trained on pairs; prepare data without gaps."
        )
    run.mkdir(parents=True, exist_ok=True)
    _check_run(run, data, shape, settings)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        network = network_of(data, shape)
    average = average_of(network)
    optimiser = torch.optim.AdamW(
        network.parameters(), settings.rate, weight_decay=settings.weight_decay, betas=(0.9, 0.99)
    )
    models = {"network": network, "average": average}
    state = load_checkpoint(run, models, optimiser) or {
        "epoch": 0,
        "step": 0,
        "best_epoch": 0,
        "best_score": -math.inf,
    }
    weights = _weights(data)
    x = torch.from_numpy(train.x)
    features = season_features(seasons, train.season, shape.harmonics)
    every = settings.epochs + settings.rollout_epochs
    for epoch in range(state["epoch"], every):
        began, first = time.perf_counter(), epoch < settings.epochs
        steps = 1 if first else settings.rollout_steps
        peak = settings.rate if first else settings.rollout_rate
        before = 0 if first else settings.epochs
        length = settings.epochs if first else settings.rollout_epochs
        generator = torch.Generator().manual_seed(settings.seed * 100_003 + epoch)
        batches = list(_batches(rows[steps], settings.batch, generator))
        total = 0.0
        for done, chosen in enumerate(batches):
            one_cycle(optimiser, [peak], (epoch - before + done / len(batches)) / length)
            noise = torch.randn(x[chosen].shape, generator=generator)
            at = x[chosen] + settings.noise * noise
            loss = torch.zeros(())
            for k in range(steps):
                at = network(at, features[chosen + k])
                error = weights * (at - x[chosen + k + 1]) ** 2
                loss = loss + error.sum((1, 2, 3)).mean() / steps
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            total += float(loss.detach()) / len(batches)
            state["step"] += 1
            follow(average, network, min(settings.ema, (1 + state["step"]) / (10 + state["step"])))
            if tick:
                tick(done + 1, len(batches))
        skill = step_skill(average, data, held)
        progress = GridProgress(epoch + 1, every, total, skill, time.perf_counter() - began)
        state["epoch"] = epoch + 1
        # The last epochs are better at several steps and may be a little worse at one: the best
        # of the rollouts is kept, where there are any.
        if not first and state["best_epoch"] <= settings.epochs:
            state["best_score"] = -math.inf
        if progress.score > state["best_score"]:
            state.update(best_score=progress.score, best_epoch=epoch + 1)
            save_file(tensors_of(average), run / "best.safetensors")
        with (run / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps({**asdict(progress), "score": progress.score}) + "\n")
        save_checkpoint(run, state, models, optimiser)
        if report:
            report(progress)
    average.load_state_dict(load_file(run / "best.safetensors"))
    return average.eval()


def network_of(data: TrainingData, shape: GridNetworkConfig) -> GridNetwork:
    """Return an untrained network for the data's variables and grid."""
    variables, *size = data.normaliser.mask.shape
    periodic = data.normaliser.grid.is_global
    return GridNetwork(variables, (size[0], size[1]), shape, periodic=periodic)


@torch.no_grad()
def step_skill(network: GridNetwork, data: TrainingData, months: Months) -> dict[str, float]:
    """Return the explained variance of a step, display units, by variable."""
    seasons = data.normaliser.seasons
    rows = runs_of(months, seasons, 1)
    features = season_features(seasons, months.season, network.config.harmonics)
    made = [
        network(torch.from_numpy(months.x[part]), features[part]).numpy()
        for part in np.split(rows, range(32, rows.size, 32))
    ]
    after = np.zeros(len(months), bool)
    after[rows + 1] = True
    return explained(data, months.where(after), np.concatenate(made), None)


def _batches(
    rows: NDArray[np.int64], size: int, generator: torch.Generator
) -> Iterator[NDArray[np.int64]]:
    order = torch.randperm(len(rows), generator=generator).numpy()
    for start in range(0, len(rows) - size + 1, size):
        yield rows[order[start : start + size]]


def _weights(data: TrainingData) -> Tensor:
    """Weights of the cells in the loss, each variable summing to 1 / V, (V, lat, lon)."""
    spread = np.nan_to_num(np.asarray(data.normaliser.spread).mean(axis=0))
    weights = data.normaliser.weights * spread
    weights /= weights.sum(axis=(1, 2), keepdims=True) * len(weights)
    return torch.from_numpy(weights.astype(np.float32))


def _check_run(
    run: Path, data: TrainingData, shape: GridNetworkConfig, settings: GridTraining
) -> None:
    """Refuse to resume a run that was started with other settings or data."""
    digest = hashlib.sha256(np.ascontiguousarray(data.train.x[::50]).tobytes())
    digest.update(" ".join(data.observed.names).encode())
    mine = json.dumps(
        {"shape": shape.to_dict(), "training": asdict(settings), "data": digest.hexdigest()},
        indent=1,
    )
    path = run / "run.json"
    if path.exists() and path.read_text(encoding="utf-8") != mine:
        raise ConfigError(
            f"{run} holds a run with other settings or data; give another folder with --run, or "
            "delete it to start again."
        )
    path.write_text(mine, encoding="utf-8")
