"""Base classes of analysis methods: their metadata and their computations.

Each method is one file of :mod:`mlda_core.assimilation.methods`; the command line, the page, the
scores and the documentation use its metadata.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

    from mlda_core.assimilation.analysis import Step
    from mlda_core.assimilation.options import Setting
    from mlda_core.assimilation.prior import Prior, PriorRequest
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.bundle.statistics import TunedParameters
    from mlda_core.climate.interpolation import Places
    from mlda_core.observations.standardised import Observed

Float = NDArray[np.float32]
Array = NDArray[np.float64]
T = TypeVar("T")
Latent = Literal["none", "decoder", "linear"]
# Evaluations with a column for each of some methods; the keys of ``scores.json`` are their own.
Evaluation = Literal[
    "assimilation", "spread", "coverage", "response", "learning_curve", "single_observation"
]
EVERY_EVALUATION: tuple[Evaluation, ...] = get_args(Evaluation)


class Engine(Protocol):
    """What a method may ask of the assimilator that runs it."""

    @property
    def bundle(self) -> Bundle:
        """The bundle."""

    def kept(self, name: str, make: Callable[[], T]) -> T:
        """Return an object that depends on the bundle only, made at first use."""

    def gaussian_steps(self, table: pd.DataFrame, month: int, setting: Setting) -> Iterator[Step]:
        """Assimilate with a Gaussian prior; see :meth:`Method.steps`."""

    def gaussian_states(
        self, places: Places, variance: Array, values: Array, month: int, setting: Setting
    ) -> tuple[Float, Float]:
        """Assimilate months with a Gaussian prior; see :meth:`Method.states`."""


class Sea(Protocol):
    """What a method may ask of the observed sea."""

    def is_observed(self, observed: Observed, month: int) -> bool:
        """Whether SST is observed well enough to condition the background on it."""

    def mean(self, observed: Observed, month: int) -> Float:
        """Return the state that the sea network gives for the observed sea, shape (cells,)."""


class Backgrounds(Protocol):
    """What a method may ask of the preparation that it gives a prior mean to."""

    @property
    def bundle(self) -> Bundle:
        """The bundle."""

    @property
    def sea(self) -> Sea:
        """The observed sea."""

    def origin(self, month: int) -> Float:
        """Return the decoded z = 0, standardised, shape (cells,)."""


@dataclass(frozen=True)
class Method(ABC):
    """A method of analysis.

    Parameters
    ----------
    key : str
        Its name in Python, files and links; the command line writes hyphens for underscores.
    label : str
        Name in menus and tables.
    sentence : str
        Description in one line without a full stop.
    source : str
        Reference to the literature.
    rank : int
        Sort order in lists.
    latent : {"none", "decoder", "linear"}
        Kind of latent vector estimated.
    latent_only : bool
        Whether the analysis is the decoded state alone, without the residual analysis.
    needs_sea : bool
        Whether observations of SST are required.
    scored_in : tuple of str
        Evaluations that include it by default. Each costs hours for each method, so only
        ``assimilation`` has all; it is empty for what every evaluation scores as its zero.
    """

    key: str
    label: str
    sentence: str
    source: str
    rank: int
    latent: Latent = "none"
    latent_only: bool = False
    needs_sea: bool = False
    scored_in: tuple[Evaluation, ...] = ("assimilation",)

    # Whether it has a posterior covariance: spread, cost, influence of an observation.
    posterior: ClassVar[bool] = False
    # Whether the difference of two analyses estimates the response to an SST change.
    responds: ClassVar[bool] = False
    # Whether it takes observations of other kinds than values at places.
    takes_kinds: ClassVar[bool] = False
    # Number of months in a table of scores; None for all.
    most_scored_months: ClassVar[int | None] = None

    @abstractmethod
    def steps(
        self, engine: Engine, table: pd.DataFrame, month: int, setting: Setting
    ) -> Iterator[Step]:
        """Assimilate one month step by step.

        Parameters
        ----------
        engine : Engine
        table : DataFrame
            Checked observations.
        month : int
            Calendar month 1..12.
        setting : Setting

        Yields
        ------
        Step
            The last has the analysis.

        Raises
        ------
        StateError
            If the observations are unsuitable for the method.
        """

    @abstractmethod
    def states(
        self,
        engine: Engine,
        places: Places,
        variance: Array,
        values: Array,
        month: int,
        setting: Setting,
    ) -> tuple[Float, Float]:
        """Assimilate many months of one network, without diagnostics.

        Parameters
        ----------
        engine : Engine
        places : Places
            Of p observations.
        variance : ndarray, shape (p,)
            Of their errors, standardised.
        values : ndarray, shape (m, p)
            Standardised anomalies, one row for each month.
        month : int
            Calendar month 1..12 of all.
        setting : Setting

        Returns
        -------
        x : ndarray of float32, shape (m, V, lat, lon)
            Standardised analyses.
        sd : ndarray of float32, shape (V, lat, lon)
            Spread over which the physical estimate is averaged.
        """

    def only_decodes(self, setting: Setting) -> bool:
        """Whether the analysis is the decoded state alone, without the residual analysis."""
        decoded = self.posterior and self.latent != "none"
        return self.latent_only or (decoded and not setting.residual)

    def usable(self, bundle: Bundle, places: Places | None = None) -> bool:
        """Whether a bundle, and a network if given, provide what the method needs."""
        if not self.needs_sea:
            return True
        if bundle.sea_row < 0:
            return False
        return places is None or bool((places.variable == bundle.sea_row).any())


class GaussianMethod(Method):
    """A method defined by a Gaussian prior; the assimilator computes the analysis.

    ``x = x_b + G(z) - G(z_b) + e``; see :class:`mlda_core.assimilation.prior.Prior`.
    """

    posterior = True
    responds = True
    takes_kinds = True
    # Whether the localisation changes where the sea is observed although the mean does not.
    sea_localisation: ClassVar[bool] = False

    def steps(
        self, engine: Engine, table: pd.DataFrame, month: int, setting: Setting
    ) -> Iterator[Step]:
        """Assimilate by the assimilator's minimisation; see :meth:`Method.steps`."""
        yield from engine.gaussian_steps(table, month, setting)

    def states(
        self,
        engine: Engine,
        places: Places,
        variance: Array,
        values: Array,
        month: int,
        setting: Setting,
    ) -> tuple[Float, Float]:
        """Assimilate many months of one network; see :meth:`Method.states`."""
        return engine.gaussian_states(places, variance, values, month, setting)

    def prior_key(self, setting: Setting) -> str:
        """Cache key of the prior, equal for methods with the same prior."""
        del setting
        return self.key.removesuffix("_latent_only")

    @abstractmethod
    def prior(self, request: PriorRequest, setting: Setting) -> Prior:
        """Build the prior."""

    def decoder_fraction(
        self, settings: TunedParameters, n_places: int, setting: Setting, *, sea_held: bool
    ) -> float:
        """Fraction of the decoder's covariance in the prior's; 0 without a decoder."""
        del settings, n_places, setting, sea_held
        return 0.0

    def mean(
        self, backgrounds: Backgrounds, observed: Observed, month: int, setting: Setting
    ) -> tuple[Float, Array, bool]:
        """Return the prior mean.

        Returns
        -------
        x_b : ndarray of float32, shape (cells,)
            Standardised.
        z_b : ndarray, shape (L,)
            Its latent vector.
        sea_held : bool
            Whether it is conditional on the observed sea.
        """
        del observed, month, setting
        bundle = backgrounds.bundle
        return np.zeros(bundle.mask.size, np.float32), np.zeros(bundle.n_latent), False
