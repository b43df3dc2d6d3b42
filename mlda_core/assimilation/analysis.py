"""What an assimilation returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Float = NDArray[np.float32]


@dataclass(frozen=True)
class Cost:
    """The terms of the cost J(z).

    Parameters
    ----------
    prior : float
        ``1/2 |z - z_b|^2`` in the metric of the prior.
    observations : float
        ``1/2 d^T S^-1 d``, d the departures y - H G(z).
    """

    prior: float
    observations: float

    @property
    def total(self) -> float:
        """Sum of both."""
        return self.prior + self.observations


@dataclass(frozen=True)
class Fit:
    """How the observations fit.

    Parameters
    ----------
    n_used, n_withheld, n_thinned : int
        Observations that were assimilated, withheld, and left out by thinning.
    chi_squared : float
        ``d^T (H B H^T + R)^-1 d`` an observation, d the departures from the background: about 1
        where the errors are what the prior and R say. NaN without observations.
    degrees_of_freedom : float
        For signal, tr(H K) (Rodgers 2000, equation 2.80): how many independent numbers the
        observations tell.
    seconds : float
        That the analysis took.
    """

    n_used: int
    n_withheld: int
    n_thinned: int
    chi_squared: float
    degrees_of_freedom: float
    seconds: float


@dataclass(frozen=True, eq=False)
class Analysis:
    """The result of an assimilation. Anomalies are in display units, NaN where no variable is.

    Parameters
    ----------
    method : str
        One of ``METHODS``.
    month : int
        Calendar month 1..12.
    z : ndarray, shape (L,), optional
        The latent vector; None for methods without one.
    anomalies : ndarray of float32, shape (V, lat, lon)
        The analysis.
    latent_only : ndarray of float32, shape (V, lat, lon)
        Its decoded part alone; the analysis itself for methods without a latent vector.
    background : ndarray of float32, shape (V, lat, lon)
        The state before it.
    standardised : ndarray of float32, shape (V, lat, lon)
        The analysis as the networks see it.
    cost : Cost
        At the end.
    path : tuple of float
        Costs of the steps.
    converged : bool
    outcome : str
        What happened, in words.
    observations : DataFrame
        The table given, with ``background_departure``, ``analysis_departure`` (display units),
        ``misfit_sd`` (departure of each observation from what all others say, in standard
        deviations of that difference) and ``used``; of a robust analysis ``robust_weight`` too,
        which its error's variance was divided by.
    statistics : Fit
    sea_held : bool
        Whether the background is what the observed sea makes likely.
    spread_of : callable
        Makes the spread when it is asked for.
    notes : tuple of str
        What the check of the observations did that the user should know of.
    """

    method: str
    month: int
    z: NDArray[np.float64] | None
    anomalies: Float
    latent_only: Float
    background: Float
    standardised: Float
    cost: Cost
    path: tuple[float, ...]
    converged: bool
    outcome: str
    observations: pd.DataFrame
    statistics: Fit
    sea_held: bool
    spread_of: Callable[[], tuple[Float, Float]]
    notes: tuple[str, ...] = ()

    @property
    def increment(self) -> Float:
        """Analysis minus background, display units, (V, lat, lon)."""
        return np.asarray(self.anomalies - self.background)

    @cached_property
    def _spreads(self) -> tuple[Float, Float]:
        return self.spread_of()

    @property
    def spread(self) -> Float:
        """Posterior standard deviation, display units, (V, lat, lon).

        In closed form at the minimum with the Jacobian at z = 0 (Laplace's approximation).
        """
        return self._spreads[0]

    @property
    def climatological_spread(self) -> Float:
        """Standard deviation of the training months, display units, (V, lat, lon)."""
        return self._spreads[1]


@dataclass(frozen=True, eq=False)
class Step:
    """One step of a minimisation, for drawing.

    Parameters
    ----------
    index : int
        0 is the linear solution.
    z : ndarray, shape (L,), optional
    cost : Cost
    gradient_norm : float
        Norm of the gradient in the metric of the prior.
    words : str
        How it stands.
    fields_of : callable
        Makes the fields when they are drawn.
    analysis : Analysis, optional
        At the last step.
    """

    index: int
    z: NDArray[np.float64] | None
    cost: Cost
    gradient_norm: float
    words: str
    fields_of: Callable[[], Float]
    analysis: Analysis | None = None

    @cached_property
    def fields(self) -> Float:
        """Anomalies at this step, display units, (V, lat, lon)."""
        return self.fields_of()
