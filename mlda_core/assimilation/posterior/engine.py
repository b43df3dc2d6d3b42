"""What a sampler may ask of the assimilator that runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from mlda_core.assimilation.gain import Gain
    from mlda_core.assimilation.problem import Problem
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.observations.standardised import Observed

Float = NDArray[np.float32]
Array = NDArray[np.float64]


class Engine(Protocol):
    """The part of :class:`mlda_core.assimilation.assimilator.Assimilator` that samplers use."""

    @property
    def bundle(self) -> Bundle:
        """The bundle."""

    def minimum(self, problem: Problem) -> tuple[Array, Float]:
        """Return the minimum of the cost: zeta, and the state of shape (cells,)."""

    def departures(self, problem: Problem, x: Float) -> Array:
        """Return the observations used minus a state (cells,) at their places, standardised."""

    def of_sea(self, observed: Observed) -> NDArray[np.bool_]:
        """Return which observations make a background that is conditional on the sea."""

    def sea_gain(self, observed: Observed, month: int) -> Gain:
        """Return the gain of the SST observations under ensemble OI, for the sea's cells."""
