"""What is cycled: a forecast model, its times, the observations of each, and what is believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.errors import UserError
from mlda_core.cycling.covariance import Climatology, Covariance, Gaussian, LocalisedSample
from mlda_core.cycling.error_model import ErrorModel
from mlda_core.cycling.latent_space import LatentSpace
from mlda_core.cycling.localisation import Localisation
from mlda_core.cycling.operators import StateOperator
from mlda_core.forecast.dynamics import Dynamics

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Observations:
    """The observations of one time, with independent errors.

    Parameters
    ----------
    operator : StateOperator
        The same object at all times with the same network.
    values : ndarray, shape (p,)
    variance : ndarray, shape (p,)
        Of their errors.
    """

    operator: StateOperator
    values: Array
    variance: Array

    def __post_init__(self) -> None:
        """Refuse values that do not fit their operator."""
        shape = (self.operator.size,)
        if self.values.shape != shape or self.variance.shape != shape:
            raise UserError(
                f"An operator of {shape[0]} observations got {self.values.size} values and "
                f"{self.variance.size} variances; give as many of each."
            )
        if not np.isfinite(self.values).all() or not (self.variance > 0).all():
            raise UserError(
                "An observation is not a number or its error variance is not positive; "
                "leave it out of that time."
            )

    @cached_property
    def sd(self) -> Array:
        """Standard deviation of the errors, shape (p,)."""
        return np.sqrt(self.variance)


@dataclass(frozen=True, eq=False)
class Problem:
    """A case of cycled assimilation, synthetic or real.

    Cycle 0 is the start, cycle c is ``every`` steps of the forecast model after cycle c - 1.

    Parameters
    ----------
    dynamics : Dynamics
    times : sequence
        Of the steps, ``every * cycles + 1`` of them: numbers, or dates of any calendar.
    observations : sequence
        :class:`Observations` of each cycle from 0 on, None where there are none.
    initial : Gaussian
        Of the state at the start.
    climatology : Climatology
        What is believed without observations; a :class:`Gaussian` where there is no season.
    every : int
        Steps of the forecast model from one cycle to the next.
    localisation : Localisation, optional
    background : Covariance, optional
        Of background errors, the same in all years; that of the climatology by default.
    latent : LatentSpace, optional
        For the methods that filter codes.
    errors : ErrorModel, optional
        Learnt model of background errors, for the methods that analyse in its codes.
    """

    dynamics: Dynamics
    times: Sequence[object] | NDArray[np.generic]
    observations: Sequence[Observations | None]
    initial: Gaussian
    climatology: Climatology
    every: int = 1
    localisation: Localisation | None = None
    background: Covariance | None = None
    latent: LatentSpace | None = None
    errors: ErrorModel | None = None

    def __post_init__(self) -> None:
        """Refuse a start of another size, and times that do not fit the observations."""
        if self.every < 1:
            raise UserError("A cycle has one step of the forecast model or more; give every >= 1.")
        wanted = self.every * self.cycles + 1
        if len(self.times) != wanted:
            raise UserError(
                f"{self.cycles} cycles of {self.every} steps have {wanted} times, not "
                f"{len(self.times)}; give one for each step and the start."
            )
        if self.initial.mean.shape != (self.dynamics.size,):
            raise UserError(
                f"The start has shape {self.initial.mean.shape}, but a state of "
                f"{self.dynamics.name} {self.dynamics.size} components; give one of that size."
            )

    @property
    def cycles(self) -> int:
        """Number of cycles after the start."""
        return len(self.observations) - 1

    def time(self, cycle: int) -> object:
        """Return the time of a cycle."""
        return self.times[cycle * self.every]

    def steps(self, first: int, last: int) -> Sequence[object] | NDArray[np.generic]:
        """Return the times that the steps from one cycle to another start from."""
        return self.times[first * self.every : last * self.every]

    def background_at(self, cycle: int) -> Covariance:
        """Return the static covariance of background errors at a cycle."""
        if isinstance(self.background, LocalisedSample):
            return self.background.at(self.time(cycle))
        if self.background is not None:
            return self.background
        return self.climatology.at(self.time(cycle)).covariance
