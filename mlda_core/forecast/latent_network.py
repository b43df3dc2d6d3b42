"""A small residual network that steps latent vectors."""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mlda_core.climate.seasons import Seasons
from mlda_core.forecast.dynamics import Time
from mlda_core.forecast.grid_training import season_features
from mlda_core.forecast.latent_states import Pairs
from mlda_core.forecast.model_error import FactoredCovariance
from mlda_core.vae.checkpoint import average_of, follow, one_cycle


@dataclass(frozen=True)
class LatentNetworkConfig:
    """Shape of the network.

    Parameters
    ----------
    width : int
        Of its hidden layer.
    harmonics : int
        Fourier pairs of the year.
    """

    width: int = 256
    harmonics: int = 1

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class LatentTraining:
    """Settings of the training.

    Parameters
    ----------
    epochs, batch : int
        Greatest length of training, and pairs in a batch.
    rate, weight_decay : float
        Of AdamW.
    dropout : float
        Of the hidden layer: 2,500 pairs are few for 100,000 weights.
    patience : int
        Epochs without a better score on VALIDATION pairs before training stops.
    seed : int
    """

    epochs: int = 80
    batch: int = 64
    rate: float = 1e-3
    weight_decay: float = 0.1
    dropout: float = 0.3
    patience: int = 10
    seed: int = 0


class LatentNetwork(nn.Module):
    """A linear step, corrected by a network that starts at zero."""

    def __init__(self, n_latent: int, config: LatentNetworkConfig, dropout: float = 0.0) -> None:
        super().__init__()
        self.config = config
        self.linear = nn.Linear(n_latent, n_latent, bias=False)
        features = 1 + 2 * config.harmonics
        self.enter = nn.Linear(n_latent + features, config.width)
        self.drop = nn.Dropout(dropout)
        self.leave = nn.Linear(config.width, n_latent)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, z: Tensor, features: Tensor) -> Tensor:
        """Map latent vectors (n, L) and features of the season to the next ones."""
        hidden = nn.functional.silu(self.enter(torch.cat([z, features], dim=1)))
        out: Tensor = self.linear(z) + self.leave(self.drop(hidden))
        return out


def train_latent(
    train: Pairs,
    held: Pairs,
    seasons: Seasons,
    start: NDArray[np.float64],
    *,
    shape: LatentNetworkConfig | None = None,
    settings: LatentTraining | None = None,
) -> tuple[LatentNetwork, int]:
    """Train from a linear model on, until held-out pairs say stop.

    Parameters
    ----------
    train, held : Pairs
    seasons : Seasons
    start : ndarray, shape (L, L)
        The linear step to start from.
    shape : LatentNetworkConfig, optional
    settings : LatentTraining, optional

    Returns
    -------
    LatentNetwork
        The moving average of the weights at the best epoch.
    int
        That epoch; 0 is the linear model itself.
    """
    shape, settings = shape or LatentNetworkConfig(), settings or LatentTraining()
    generator = torch.Generator().manual_seed(settings.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        network = LatentNetwork(start.shape[0], shape, settings.dropout)
        with torch.no_grad():
            network.linear.weight.copy_(torch.from_numpy(start))
        average = average_of(network).eval()
        optimiser = torch.optim.AdamW(
            network.parameters(), settings.rate, weight_decay=settings.weight_decay
        )
        data = _tensors(train, seasons, shape.harmonics)
        best, best_epoch = copy.deepcopy(average.state_dict()), 0
        least = loss_of(average, held, seasons)
        for epoch in range(1, settings.epochs + 1):
            order = torch.randperm(len(train.before), generator=generator)
            for done, rows in enumerate(order.split(settings.batch)):
                part = (epoch - 1 + done * settings.batch / len(order)) / settings.epochs
                one_cycle(optimiser, [settings.rate], part)
                z, features, after = (one[rows] for one in data)
                loss = ((network(z, features) - after) ** 2).mean()
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                optimiser.step()
                follow(average, network, 0.99)
            found = loss_of(average, held, seasons)
            if found < least:
                best, best_epoch, least = copy.deepcopy(average.state_dict()), epoch, found
            if epoch - best_epoch >= settings.patience:
                break
    average.load_state_dict(best)
    return average.eval(), best_epoch


@torch.no_grad()
def loss_of(network: LatentNetwork, pairs: Pairs, seasons: Seasons) -> float:
    """Return the part of the variance of the next latent vectors that is not explained."""
    z, features, after = _tensors(pairs, seasons, network.config.harmonics)
    return float(((network(z, features) - after) ** 2).sum() / (after**2).sum())


def _tensors(pairs: Pairs, seasons: Seasons, harmonics: int) -> tuple[Tensor, Tensor, Tensor]:
    features = season_features(seasons, pairs.season, harmonics)
    return torch.from_numpy(pairs.before).float(), features, torch.from_numpy(pairs.after).float()


@dataclass(frozen=True, eq=False)
class LatentDynamics:
    """Steps latent vectors by a network.

    Parameters
    ----------
    network : LatentNetwork
    seasons : Seasons
    error : ndarray, shape (L, L)
        Covariance of the error of a step.
    name : str
    """

    network: LatentNetwork
    seasons: Seasons
    error: NDArray[np.float64]
    name: str = "latent"

    @property
    def size(self) -> int:
        """Length of a latent vector."""
        return len(self.error)

    @cached_property
    def model_error(self) -> FactoredCovariance:
        """Of one step."""
        return FactoredCovariance.of_matrix(self.error)

    def step(self, states: Tensor, time: Time) -> Tensor:
        """Step states; see :meth:`mlda_core.forecast.dynamics.Dynamics.step`."""
        season = self.seasons.of_time(time)
        features = season_features(self.seasons, season, self.network.config.harmonics)
        z = states.to(self.network.linear.weight.dtype)
        out: Tensor = self.network(z, features.to(z.dtype).expand(len(z), -1))
        return out.to(states.dtype)
