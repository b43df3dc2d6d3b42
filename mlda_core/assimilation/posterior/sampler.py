"""Base class of the samplers of the posterior: their metadata and what they return."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from mlda_core.assimilation.posterior.draws import Draws
    from mlda_core.assimilation.problem import Problem
    from mlda_core.bundle.bundle import Bundle

Float = NDArray[np.float32]
Array = NDArray[np.float64]

# Members by default, and the least and the most that can be asked for.
MEMBERS, LEAST_MEMBERS, MOST_MEMBERS = 50, 2, 500
# By default: a key of ``SAMPLERS``.
SAMPLER = "laplace"
# What the probability of can be asked for, by key: label, and threshold in standardised anomalies
# of past months (the quintiles of a normal distribution), below it where negative; 0 is the
# climatology itself.
EVENTS: dict[str, tuple[str, float]] = {
    "above": ("Above usual", 0.0),
    "upper": ("Upper fifth", 0.8416),
    "lower": ("Lower fifth", -0.8416),
}


@dataclass(frozen=True, eq=False)
class Sampled:
    """Result of a sampler.

    Parameters
    ----------
    x : ndarray of float32, shape (n, cells)
        Members, standardised.
    z : ndarray, shape (n, L), optional
        Their latent vectors; None for methods without a decoder.
    words : str
        Outcome, as text.
    n_minima : int
        Number of distinct minima of the cost that members come from.
    """

    x: Float
    z: Array | None
    words: str
    n_minima: int = 1


@dataclass(frozen=True)
class Progress:
    """How far a sampler is.

    Parameters
    ----------
    done, total : int
        Steps.
    sampled : Sampled, optional
        At the end.
    """

    done: int
    total: int
    sampled: Sampled | None = None


@dataclass(frozen=True)
class Sampler(ABC):
    """A sampler of the posterior.

    Parameters
    ----------
    key : str
        Its name in Python, files and links.
    label : str
        Name in menus and tables.
    sentence : str
        Description in one line without a full stop.
    source : str
        Reference to the literature.
    rank : int
        Sort order in lists.
    needs_decoder : bool
        Whether the method must search the decoder's latent space; others are Gaussian already.
    """

    key: str
    label: str
    sentence: str
    source: str
    rank: int
    needs_decoder: bool = False

    # Whether it is right with errors that are not normal: if `problem.stated` is given.
    takes_reports: ClassVar[bool] = False

    def check(self, bundle: Bundle) -> None:  # noqa: B027 - most need nothing
        """Check that a bundle, and what is installed, has what the sampler needs; nothing is read.

        Raises
        ------
        PriorError, BundleError
            If it has not; the sentence says what to install or to train.
        """

    @abstractmethod
    def sample(self, problem: Problem, draws: Draws) -> Iterator[Progress]:
        """Make a member of each draw.

        Parameters
        ----------
        problem : Problem
            With errors that are not normal, about the mode, and ``stated`` as they were stated.
        draws : Draws

        Yields
        ------
        Progress
            The last has the members. Closing the generator cancels.
        """
