"""States in the latent space: codes of a grid state, and the small scales that they leave out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from mlda_core.bundle.bundle import Bundle
from mlda_core.bundle.checks import decode_all
from mlda_core.bundle.codes import codes_of
from mlda_core.forecast.dynamics import Time
from mlda_core.forecast.grid_training import runs_of
from mlda_core.vae.dataset import Months, TrainingData

Float = NDArray[np.float32]


class LatentStep(Protocol):
    """A step of latent vectors."""

    def step(self, states: torch.Tensor, time: Time) -> torch.Tensor:
        """Step latent vectors, shape (n, L)."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Latent vectors of times and of the steps after them.

    Parameters
    ----------
    before, after : ndarray, shape (n, L)
    season : ndarray of int, shape (n,)
        Of the first of each pair.
    """

    before: NDArray[np.float64]
    after: NDArray[np.float64]
    season: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class LatentData:
    """What a model of latent vectors is estimated from.

    Parameters
    ----------
    train, held : Pairs
        Of the training and of the VALIDATION times.
    damping, rest : ndarray of float32, shape (V, lat, lon)
        See :func:`persistence_of_rest`.
    """

    train: Pairs
    held: Pairs
    damping: Float
    rest: Float


def latent_data(bundle: Bundle, data: TrainingData) -> LatentData:
    """Encode the training and the VALIDATION times."""
    held = data.observed.in_split("validation")
    codes = codes_of(bundle, data.train).mean
    return LatentData(
        pairs_of(bundle, data.train, codes),
        pairs_of(bundle, held, codes_of(bundle, held).mean),
        *persistence_of_rest(bundle, data, codes),
    )


def pairs_of(bundle: Bundle, months: Months, codes: NDArray[np.float64]) -> Pairs:
    """Return the pairs of consecutive states."""
    rows = runs_of(months, bundle.seasons, 1)
    return Pairs(codes[rows], codes[rows + 1], months.season[rows])


def persistence_of_rest(
    bundle: Bundle, data: TrainingData, codes: NDArray[np.float64]
) -> tuple[Float, Float]:
    """Return how much of what the codes leave out persists for a step, and its variance.

    The regression of the rest on the rest of the step before, in each cell of the training times:
    damped persistence, an autoregression of first order. Without it, cycling is worse than no
    memory at all: the codes hold the large scales only.

    Parameters
    ----------
    bundle : Bundle
    data : TrainingData
    codes : ndarray, shape (n, L)
        Of the training times.

    Returns
    -------
    damping, variance : ndarray of float32, shape (V, lat, lon)
    """
    train = data.train
    rows = runs_of(train, bundle.seasons, 1)
    product, square = (np.zeros(bundle.mask.shape) for _ in range(2))
    for start in range(0, rows.size, 96):
        part = rows[start : start + 96]
        now, after = (
            train.x[at] - decode_all(bundle, codes[at], train.season[at]) for at in (part, part + 1)
        )
        product += (now * after).sum(axis=0)
        square += (now**2).sum(axis=0)
    damping = np.divide(product, square, out=np.zeros_like(square), where=square > 0)
    variance = square / max(rows.size, 1)
    return np.clip(damping, 0.0, 1.0).astype(np.float32), variance.astype(np.float32)


@dataclass(frozen=True, eq=False)
class DecodedDynamics:
    """A latent model on the states of the grid: encode, step, decode, and damp the rest.

    Parameters
    ----------
    bundle : Bundle
    latent : LatentStep
    damping : Tensor, shape (V, lat, lon)
        Of what the codes leave out.
    name : str
    """

    bundle: Bundle
    latent: LatentStep
    damping: torch.Tensor
    name: str
    model_error: None = None

    @property
    def size(self) -> int:
        """Number of components of a state."""
        return self.bundle.mask.size

    def step(self, states: torch.Tensor, time: Time) -> torch.Tensor:
        """Step states; see :meth:`mlda_core.forecast.dynamics.Dynamics.step`."""
        unit = self.bundle.seasons.step.unit
        times = np.asarray([time], f"datetime64[{unit}]")
        x = states.float().view(-1, *self.bundle.mask.shape)
        z = self.bundle.code_of(x, self._month(times, len(x)))
        rest = x - self.bundle.decoder(z, self._month(times, len(x)))
        after = self.bundle.decoder(self.latent.step(z, time), self._month(times + 1, len(x)))
        return (after + self.damping * rest).flatten(1).to(states.dtype)

    def _month(self, times: NDArray[np.datetime64], n: int) -> torch.Tensor:
        seasons = self.bundle.seasons
        month = seasons.calendar_months(seasons.of_times(times))
        return torch.from_numpy(month).expand(n)
