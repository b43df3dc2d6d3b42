"""What a kind of forecast model is: its metadata, its training, and how it is built again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from mlda_core.climate.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

    from mlda_core.bundle.bundle import Bundle
    from mlda_core.forecast.dynamics import Dynamics
    from mlda_core.vae.dataset import TrainingData

Tick = Callable[[str, int, int], None]


class ForecastError(UserError):
    """A forecast cannot be trained or made; the message is one sentence with the remedy."""


@dataclass(frozen=True)
class Trained:
    """What a training leaves to be kept in a bundle.

    Parameters
    ----------
    tensors : dict of Tensor
    shape : dict
        Plain JSON values, from which the networks are built again.
    provenance : dict
        How it was trained, as plain JSON values.
    """

    tensors: dict[str, Tensor]
    shape: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ForecastKind(ABC):
    """A kind of forecast model of a bundle's states.

    Parameters
    ----------
    key : str
        Its name in Python and files.
    label : str
        Name in tables.
    sentence : str
        Description in one line without a full stop.
    source : str
        Reference to the literature.
    rank : int
        Sort order in lists.
    """

    key: str
    label: str
    sentence: str
    source: str
    rank: int

    # Whether it is trained and kept in a bundle.
    trained: ClassVar[bool] = True

    def train(
        self, bundle: Bundle, data: TrainingData, run: Path, *, seed: int, tick: Tick | None = None
    ) -> Trained:
        """Train on the training times of a bundle's data.

        Parameters
        ----------
        bundle : Bundle
        data : TrainingData
            Its own.
        run : Path
            Folder for checkpoints, of a training that can be resumed.
        seed : int
        tick : callable, optional
            Called with (stage, done, in all).

        Raises
        ------
        ForecastError
            If there is nothing to train.
        """
        del bundle, data, run, seed, tick
        raise ForecastError(f"The forecast '{self.key}' has nothing to be trained; use another.")

    @abstractmethod
    def build(
        self, bundle: Bundle, tensors: Mapping[str, Tensor], shape: Mapping[str, Any]
    ) -> Dynamics:
        """Return the model on standardised states, flattened to (V * lat * lon)."""
