"""The grid forecast as dynamics: a network that steps standardised states."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from mlda_core.climate.seasons import Seasons
from mlda_core.forecast.dynamics import Time
from mlda_core.forecast.grid_network import GridNetwork
from mlda_core.forecast.grid_training import season_features
from mlda_core.forecast.model_error import ModelError

# States of a step at once: 32 take 200 MB with gradients.
_AT_ONCE = 32


@dataclass(frozen=True, eq=False)
class GridDynamics:
    """Steps states of the grid by a network.

    Parameters
    ----------
    network : GridNetwork
    seasons : Seasons
    fields : tuple of int
        (V, lat, lon), of which a state is the flattened array.
    model_error : ModelError, optional
        Of one step, standardised.
    name : str
    """

    network: GridNetwork
    seasons: Seasons
    fields: tuple[int, int, int]
    model_error: ModelError | None = None
    name: str = "grid"

    @property
    def size(self) -> int:
        """Number of components of a state."""
        return int(np.prod(self.fields))

    def step(self, states: torch.Tensor, time: Time) -> torch.Tensor:
        """Step states; see :meth:`mlda_core.forecast.dynamics.Dynamics.step`."""
        season = self.seasons.of_time(time)
        features = season_features(self.seasons, season, self.network.config.harmonics)
        parts = [
            self.network(part.float().view(-1, *self.fields), features.expand(len(part), -1))
            for part in states.split(_AT_ONCE)
        ]
        return torch.cat(parts).flatten(1).to(states.dtype)
