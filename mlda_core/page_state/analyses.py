"""From the observations of a state to its analysis, and what is made from that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlda_core.page_state.observations import ObservationSettings
from mlda_core.page_state.snapshot import Z_LIMIT

if TYPE_CHECKING:
    from mlda_core.assimilation.analysis import Analysis, Cost, Step
    from mlda_core.assimilation.assimilator import Assimilator
    from mlda_core.assimilation.posterior.ensemble import Ensemble, EnsembleStep
    from mlda_core.bundle.bundle import Bundle


@lru_cache(maxsize=4)
def engine_of(bundle: Bundle) -> Assimilator:
    """Return the bundle's assimilation, shared by all sessions."""
    from mlda_core.assimilation.assimilator import Assimilator

    return Assimilator(bundle)


@dataclass(frozen=True, eq=False)
class AnalysisRequest:
    """What is to be analysed; the same task is the same object.

    Parameters
    ----------
    month : str
        ``YYYY-MM``.
    observations : DataFrame
        As the library takes them; never changed.
    method : str
        One of the library's methods.
    residual : bool
        With residual analysis.
    localisation : float
        Factor on the localisation radius.
    source : ObservationSettings, optional
        The network and what was done to it: what the page says the analysis is of.
    """

    month: str
    observations: pd.DataFrame
    method: str
    residual: bool
    localisation: float
    source: ObservationSettings | None = None

    @classmethod
    def of(cls, month: str, observations: pd.DataFrame, source: ObservationSettings) -> Self:
        """Return what the settings of Observe ask for, given the observations that they stand for.

        Parameters
        ----------
        month : str
            ``YYYY-MM``, or ``YYYY-MM-DD`` of a bundle of days.
        observations : DataFrame
            Of `mlda_core.page_state.tables.resolve`.
        source : ObservationSettings
        """
        return cls(
            month=month,
            observations=observations,
            method=source.method,
            residual=source.residual,
            localisation=source.localisation,
            source=source,
        )

    @property
    def settings(self) -> dict[str, Any]:
        """What the library takes beside the observations and the month."""
        return {
            "method": self.method,
            "residual": self.residual,
            "localisation": self.localisation,
        }

    @cached_property
    def assimilated(self) -> frozenset[str]:
        """The variables of the observations that are not withheld."""
        return assimilated(self.observations)

    def steps(self, bundle: Bundle, *, stepwise: bool = False) -> Iterator[Step]:
        """Analyse step by step; closing the generator cancels.

        Parameters
        ----------
        bundle : Bundle
        stepwise : bool
            From the background. From the linear solution a VAE takes one step or two, and none of
            them is seen.
        """
        start = "background" if stepwise else "linear"
        return engine_of(bundle).steps(self.observations, self.month, start=start, **self.settings)

    def first(self, count: int, bundle: Bundle) -> Analysis:
        """Return the analysis of the first rows alone."""
        rows = self.observations.iloc[:count]
        return engine_of(bundle).run(rows, self.month, **self.settings)

    def analysis(self, bundle: Bundle) -> Analysis:
        """Return the analysis: the last of the steps."""
        *_, last = self.steps(bundle)
        if last.analysis is None:
            raise RuntimeError("a minimisation ended without its last step")
        return last.analysis

    def ensemble(self, bundle: Bundle, sampler: str) -> Ensemble:
        """Return draws from the posterior by a sampler, one of ``SAMPLERS``."""
        *_, last = self.ensemble_steps(bundle, sampler)
        if last.ensemble is None:
            raise RuntimeError("a sampler ended without its members")
        return last.ensemble

    def ensemble_steps(self, bundle: Bundle, sampler: str) -> Iterator[EnsembleStep]:
        """Draw from the posterior step by step; closing the generator cancels."""
        return engine_of(bundle).ensemble_steps(
            self.observations, self.month, sampler=sampler, **self.settings
        )

    def influence(self, row: int, bundle: Bundle) -> NDArray[np.floating]:
        """Return the increment of one observation alone, shape (V, lat, lon), display units."""
        return engine_of(bundle).influence(self.observations, self.month, row, **self.settings)

    def cost(self, z: NDArray[np.floating], bundle: Bundle) -> Cost:
        """Return the cost of a latent vector, shape (L,)."""
        return engine_of(bundle).cost_of(z, self.observations, self.month, **self.settings)


def remainder(analysis: Analysis, bundle: Bundle) -> NDArray[np.floating] | None:
    """Return an analysis less what its z decodes to, shape (V, lat, lon), display units.

    None where it has no latent vector.
    """
    if analysis.z is None:
        return None
    z = np.clip(analysis.z, -Z_LIMIT, Z_LIMIT)
    return analysis.anomalies - bundle.decode_anomalies(z, analysis.month)


def assimilated(observations: pd.DataFrame) -> frozenset[str]:
    """Return the variables of observations that are not withheld."""
    given = ~observations["withheld"].to_numpy(dtype=bool)
    return frozenset(observations["variable"][given])
