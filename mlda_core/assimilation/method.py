"""What a method of analysis is: its record, and what it does with observations.

A method is one file of :mod:`mlda_core.assimilation.methods`; the command line, the page, the
scores and the documentation read its record from there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

    from mlda_core.assimilation.analysis import Step
    from mlda_core.assimilation.assimilator import Assimilator
    from mlda_core.assimilation.options import Setting
    from mlda_core.assimilation.prior import Prior, PriorRequest
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.bundle.statistics import Settings
    from mlda_core.climate.interpolation import Places
    from mlda_core.observations.standardised import Observed

Float = NDArray[np.float32]
Array = NDArray[np.float64]
Latent = Literal["none", "decoder", "linear"]


@dataclass(frozen=True)
class Method(ABC):
    """A method of analysis.

    Parameters
    ----------
    key : str
        Its name in Python, files and links; the command line writes hyphens for underscores.
    label : str
        What people read in menus and tables.
    sentence : str
        What it is, in one line without a full stop.
    source : str
        The paper that describes it.
    rank : int
        Its place in lists.
    latent : {"none", "decoder", "linear"}
        Whose latent vector is estimated.
    latent_only : bool
        Whether the analysis is the decoded state alone, without the residual analysis.
    needs_sea : bool
        Whether it can do nothing without observations of the sea surface temperature.
    """

    key: str
    label: str
    sentence: str
    source: str
    rank: int
    latent: Latent = "none"
    latent_only: bool = False
    needs_sea: bool = False

    # Whether it has a posterior covariance: a spread, a cost, the influence of one observation.
    posterior: ClassVar[bool] = False
    # Whether the difference of two of its analyses says what a change of the sea does.
    responds: ClassVar[bool] = False
    # Whether tables of scores have a column of it.
    scored: ClassVar[bool] = True
    # Of months that a table of scores takes: None is all of them.
    most_scored_months: ClassVar[int | None] = None

    @abstractmethod
    def steps(
        self, engine: Assimilator, table: pd.DataFrame, month: int, setting: Setting
    ) -> Iterator[Step]:
        """Assimilate one month step by step.

        Parameters
        ----------
        engine : Assimilator
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
            If the observations are none that the method can use.
        """

    @abstractmethod
    def states(
        self,
        engine: Assimilator,
        places: Places,
        variance: Array,
        values: Array,
        month: int,
        setting: Setting,
    ) -> tuple[Float, Float]:
        """Assimilate many months that one network observed, without statistics.

        Parameters
        ----------
        engine : Assimilator
        places : Places
            Of p observations.
        variance : ndarray, shape (p,)
            Of their errors, standardised.
        values : ndarray, shape (m, p)
            Standardised anomalies, a row a month.
        month : int
            Calendar month 1..12 of all.
        setting : Setting

        Returns
        -------
        x : ndarray of float32, shape (m, V, lat, lon)
            Standardised analyses.
        sd : ndarray of float32, shape (V, lat, lon)
            Spread over which the physical estimate is the mean.
        """

    def usable(self, bundle: Bundle, places: Places | None = None) -> bool:
        """Whether a bundle, and a network if one is given, have what the method needs."""
        if not self.needs_sea:
            return True
        if bundle.sea_row < 0:
            return False
        return places is None or bool((places.variable == bundle.sea_row).any())


class GaussianMethod(Method):
    """A method that is a Gaussian prior: the assimilator does the rest.

    ``x = x_b + G(z) - G(z_b) + e``; see :class:`mlda_core.assimilation.prior.Prior`.
    """

    posterior = True
    responds = True
    # Whether the localisation differs where the sea is observed, though the mean does not.
    sea_localisation: ClassVar[bool] = False

    def steps(
        self, engine: Assimilator, table: pd.DataFrame, month: int, setting: Setting
    ) -> Iterator[Step]:
        """Assimilate by the assimilator's own minimisation; see :meth:`Method.steps`."""
        yield from engine.gaussian_steps(table, month, setting)

    def states(
        self,
        engine: Assimilator,
        places: Places,
        variance: Array,
        values: Array,
        month: int,
        setting: Setting,
    ) -> tuple[Float, Float]:
        """Assimilate many months of one network; see :meth:`Method.states`."""
        return engine.gaussian_states(places, variance, values, month, setting)

    def prior_key(self, setting: Setting) -> str:
        """Under which name a prior is kept: methods of one prior share it."""
        del setting
        return self.key.removesuffix("_latent_only")

    @abstractmethod
    def prior(self, request: PriorRequest, setting: Setting) -> Prior:
        """Make the prior."""

    def decoder_fraction(
        self, settings: Settings, n_places: int, setting: Setting, *, sea_held: bool
    ) -> float:
        """Fraction of the decoder's own covariance in the prior's: 0 where there is no decoder."""
        del settings, n_places, setting, sea_held
        return 0.0

    def mean(
        self, engine: Assimilator, observed: Observed, month: int, setting: Setting
    ) -> tuple[Float, Array, bool]:
        """Return the mean before the observations.

        Returns
        -------
        x_b : ndarray of float32, shape (cells,)
            Standardised.
        z_b : ndarray, shape (L,)
            Its latent vector.
        sea_held : bool
            Whether the observed sea set it.
        """
        del observed, month, setting
        bundle = engine.bundle
        return np.zeros(bundle.mask.size, np.float32), np.zeros(bundle.n_latent), False
