"""What a prior of the latent vector can do, and the base class of the kinds of priors.

Each kind is one file of :mod:`mlda_core.vae.priors`. The latent vectors are whitened so that
N(0, I) describes held-out months; the other kinds are trained on the codes of training months, with
the calendar month as an input.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.errors import UserError

if TYPE_CHECKING:
    from azula.denoise import Denoiser
    from torch import Tensor, nn

Array = NDArray[np.float64]

# The prior of the analysis where nothing else is said.
DEFAULT_PRIOR = "gaussian"


class PriorError(UserError):
    """A prior cannot be had or used; the message is one sentence with the remedy."""


class LatentPrior(Protocol):
    """A distribution of latent vectors, by calendar month.

    Those with a density are :class:`WithDensity` too, those that an analysis can be made with
    :class:`WithTransport`, and those with a score :class:`WithDenoiser`.
    """

    n_latent: int

    def sample(self, n: int, month: int, seed: int) -> Array:
        """Draw latent vectors.

        Parameters
        ----------
        n : int
        month : int
            Calendar month 1..12.
        seed : int

        Returns
        -------
        ndarray, shape (n, L)
        """


@runtime_checkable
class WithDensity(Protocol):
    """A prior whose density is known."""

    def log_density(self, z: Array, calendar: NDArray[np.int64]) -> Array:
        """Return the log density of latent vectors.

        Parameters
        ----------
        z : ndarray, shape (n, L)
        calendar : ndarray of int, shape (n,)
            Calendar months 1..12.

        Returns
        -------
        ndarray, shape (n,)
        """


class Transport(Protocol):
    """A smooth, invertible map from draws of N(0, I) to draws of a prior."""

    def forward(self, base: Tensor) -> Tensor:
        """Map draws of N(0, I), (n, L), to latent vectors."""

    def inverse(self, z: Tensor) -> Tensor:
        """Map latent vectors, (n, L), to draws of N(0, I)."""


@runtime_checkable
class WithTransport(Protocol):
    """A prior that is the image of N(0, I) under a map: the map is a part of the decoder then."""

    def transport(self, month: int) -> Transport | None:
        """Return the map of a calendar month 1..12; None if the prior is N(0, I) itself."""


@runtime_checkable
class WithDenoiser(Protocol):
    """A prior whose score is known at all levels of noise, by its denoiser (Tweedie's formula)."""

    def denoiser(self, month: int) -> Denoiser:
        """Return the denoiser of a calendar month 1..12: the mean of z given z with noise."""


@dataclass(frozen=True)
class PriorKind(ABC):
    """A kind of prior.

    Parameters
    ----------
    key : str
        Its name in Python, files and commands.
    label : str
        Name in tables.
    sentence : str
        Description in one line without a full stop.
    source : str
        Reference to the literature.
    rank : int
        Sort order in lists.
    package : str
        Library of the extra ``priors`` that it needs; '' if none.
    """

    key: str
    label: str
    sentence: str
    source: str
    rank: int
    package: str = ""

    # Whether it has weights, which `mlda prior train` makes.
    trained: ClassVar[bool] = True
    # Whether an analysis can be made with it: it is :class:`WithTransport`.
    analysis: ClassVar[bool] = True

    @abstractmethod
    def build(self, n_latent: int, shape: Mapping[str, Any]) -> Any:
        """Build the prior; one with weights is a :class:`TrainedPrior`.

        Parameters
        ----------
        n_latent : int
            Length of the latent vector.
        shape : mapping
            Of its network, as in a bundle's ``config.json``; empty for the default.

        Raises
        ------
        PriorError
            If its library is not installed.
        TypeError, ValueError
            If the shape is none of its own.
        """

    def require(self) -> None:
        """Raise PriorError unless the library that it needs is installed."""
        if not self.package:
            return
        try:
            importlib.import_module(self.package)
        except ImportError as error:
            raise PriorError(
                f"The {self.key} prior needs the library {self.package}, which is not installed; "
                "add it with: pip install 'mlda-climate[priors]'"
            ) from error


class TrainedPrior(LatentPrior, Protocol):
    """A prior with weights."""

    @property
    def network(self) -> nn.Module:
        """The module that holds the weights."""

    @property
    def shape(self) -> dict[str, Any]:
        """Shape of the network as plain JSON values."""

    def loss(self, z: Tensor, context: Tensor, generator: Any) -> Tensor:
        """Return the loss of each latent vector, shape (n,).

        Parameters
        ----------
        z : Tensor, shape (n, L)
        context : Tensor, shape (n, 6)
            From :func:`context_of`.
        generator : torch.Generator
            Of what the loss draws.
        """


# Fourier pairs of the calendar month.
HARMONICS = 2
CONTEXT = 2 + 2 * HARMONICS


def context_of(month: Tensor, *, mixed: bool | Tensor = False) -> Tensor:
    """Return what a network is told of a month: its season, and the kind of its sea.

    Months under mixed seas have twice the variance of those under the observed one, so that they
    can help to train only if they are marked; draws are of months under the observed sea.

    Parameters
    ----------
    month : Tensor of int, shape (n,)
        Calendar months 1..12.
    mixed : bool or Tensor of bool, shape (n,)
        Whether the sea is a mixed one.

    Returns
    -------
    Tensor, shape (n, 6)
    """
    import torch

    from mlda_core.vae.layers import month_features

    season = month_features(month, HARMONICS)
    flag = torch.as_tensor(mixed, dtype=season.dtype).expand(len(season))
    return torch.cat([season, flag[:, None]], dim=1)
