"""Ranks of observations among what the analysis expected of them.

Where prior and errors are right each rank is equally likely: too wide a spread makes the middle
ranks frequent, too narrow a one the outer ones, and a bias one side (Hamill 2001,
https://doi.org/10.1175/1520-0493(2001)129<0550:IORHFV>2.0.CO;2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from mlda_core.observations.default_errors import variable_rows

if TYPE_CHECKING:
    from mlda_core.assimilation.posterior.ensemble import Ensemble

Array = NDArray[np.float64]
BINS = 10


@dataclass(frozen=True, eq=False)
class ObservationRanks:
    """Ranks of observations, as probabilities: uniform on 0 to 1 where the analysis is calibrated.

    Parameters
    ----------
    withheld : ndarray, shape (p,)
        Ranks of withheld observations among the members, each with an error of the observation's
        own.
    used : ndarray, shape (q,)
        Probabilities of used observations by what all others make of them, in closed form: members
        have seen these.
    """

    withheld: Array
    used: Array

    def frequencies(self, which: str, bins: int = BINS) -> Array:
        """Return how often each of equally wide bins has a rank.

        Parameters
        ----------
        which : {"withheld", "used", "all"}
        bins : int

        Returns
        -------
        ndarray, shape (bins,)
            Summing to 1; NaN where there are no observations.
        """
        parts = {"withheld": self.withheld, "used": self.used}
        values = np.concatenate(list(parts.values())) if which == "all" else parts[which]
        counts = np.histogram(values, bins, (0.0, 1.0))[0]
        return np.asarray(counts / values.size) if values.size else np.full(bins, np.nan)


def observation_ranks(ensemble: Ensemble) -> ObservationRanks:
    """Rank the observations of an ensemble's analysis.

    Parameters
    ----------
    ensemble : Ensemble

    Returns
    -------
    ObservationRanks
        An ensemble's seed gives the same ranks.
    """
    bundle, table = ensemble.bundle, ensemble.analysis.observations
    used = table["used"].to_numpy(bool)
    misfit = table["misfit_sd"].to_numpy(np.float64)[used]
    held = table[table["withheld"].to_numpy(bool)]
    if not len(held):
        return ObservationRanks(np.zeros(0), np.asarray(ndtr(misfit[np.isfinite(misfit)])))
    places = bundle.operator.locate(
        variable_rows(bundle, list(held["variable"])), held["lat"], held["lon"]
    )
    expected = bundle.operator.apply(places, ensemble.anomalies)
    rng = np.random.default_rng(ensemble.seed)
    noise = rng.standard_normal(expected.shape) * held["error_sd"].to_numpy(np.float64)
    below = (expected + noise < held["value"].to_numpy(np.float64)).sum(axis=0)
    # Spread over the width of a rank: with 50 members and 10 bins some would hold more ranks.
    ranks = (below + rng.random(below.size)) / (len(ensemble) + 1)
    return ObservationRanks(np.asarray(ranks), np.asarray(ndtr(misfit[np.isfinite(misfit)])))
