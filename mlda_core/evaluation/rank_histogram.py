"""Ranks of observations among what the analysis expected of them.

Where prior and errors are right each rank is equally likely: too wide a spread makes the middle
ranks frequent, too narrow a one the outer ones, and a bias one side (Hamill 2001,
https://doi.org/10.1175/1520-0493(2001)129<0550:IORHFV>2.0.CO;2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import binom

from mlda_core.observations.default_errors import variable_rows
from mlda_core.observations.kinds import PLAIN, kind_of
from mlda_core.observations.standardised import standardise

if TYPE_CHECKING:
    from mlda_core.assimilation.posterior.ensemble import Ensemble

Array = NDArray[np.float64]
BINS = 10


@dataclass(frozen=True, eq=False)
class ObservationRanks:
    """Ranks of observations, as probabilities: uniform on 0 to 1 where the analysis is calibrated.

    The rank of a report is drawn within its class, between the probabilities of a lower class and
    of that class or a lower one (the randomised probability integral transform of Czado, Gneiting
    and Held 2009, https://doi.org/10.1111/j.1541-0420.2009.01191.x). A bound has none: which bound
    is stated is no outcome.

    Parameters
    ----------
    withheld : ndarray, shape (p,)
        Ranks of withheld observations among the members, each with an error of the observation's
        own.
    used : ndarray, shape (q,)
        Probabilities of used observations by what all others make of them, in closed form: members
        have seen these.
    reports, bounds : int
        How many of these are of reports; how many observations are bounds, and have no rank.
    """

    withheld: Array
    used: Array
    reports: int = 0
    bounds: int = 0

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
        values = self._of(which)
        counts = np.histogram(values, bins, (0.0, 1.0))[0]
        return np.asarray(counts / values.size) if values.size else np.full(bins, np.nan)

    def chance(self, which: str, bins: int = BINS, share: float = 0.9) -> tuple[float, float]:
        """Return between what frequencies a bin of a calibrated analysis lies, by chance.

        Parameters
        ----------
        which : {"withheld", "used", "all"}
        bins : int
        share : float
            How often.

        Returns
        -------
        low, high : float
            Binomial, as if observations were independent: those near each other are not, and stray
            further. NaN where there are none.
        """
        size = self._of(which).size
        if not size:
            return float("nan"), float("nan")
        low, high = binom.ppf([0.5 * (1.0 - share), 0.5 * (1.0 + share)], size, 1.0 / bins)
        return float(low / size), float(high / size)

    def _of(self, which: str) -> Array:
        parts = {"withheld": self.withheld, "used": self.used}
        return np.concatenate(list(parts.values())) if which == "all" else parts[which]


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
    table = ensemble.analysis.observations
    if not len(table):
        return ObservationRanks(np.zeros(0), np.zeros(0))
    keys = [kind_of(text)[0] for text in table.get("kind", pd.Series([PLAIN] * len(table)))]
    ranked = np.array([kind.ranked for kind in keys])
    classes = np.array([kind.classes for kind in keys])
    used, held = table["used"].to_numpy(bool), table["withheld"].to_numpy(bool)
    counted = ranked & (used | held)
    return ObservationRanks(
        _among_members(ensemble, table[held & ranked].reset_index(drop=True)),
        _by_others(ensemble),
        int((classes & counted).sum()),
        int((~ranked & (used | held)).sum()),
    )


def _by_others(ensemble: Ensemble) -> Array:
    """Return the ranks of observations used by what all others say of them."""
    table, shape = ensemble.analysis.observations, ensemble.analysis.shape
    if shape is None:
        misfit = table["standardised_departure"].to_numpy(np.float64)[table["used"].to_numpy(bool)]
        return np.asarray(ndtr(misfit[np.isfinite(misfit)]))
    there = np.isfinite(shape.below)
    below, upto = shape.below[there], shape.upto[there]
    drawn = np.random.default_rng([ensemble.seed, 1]).random(below.size)
    return np.asarray(below + drawn * (upto - below))


def _among_members(ensemble: Ensemble, held: pd.DataFrame) -> Array:
    """Return the ranks of observations among the members, each with an error of their own."""
    if not len(held):
        return np.zeros(0)
    bundle, error = ensemble.bundle, held["error_sd"].to_numpy(np.float64)
    said = standardise(held, bundle, ensemble.analysis.month).likelihoods
    rng = np.random.default_rng(ensemble.seed)
    if said is None:
        places = bundle.operator.locate(
            variable_rows(bundle, list(held["variable"])), held["lat"], held["lon"]
        )
        low = high = held["value"].to_numpy(np.float64)
    else:
        places = said.shown
        classes = ~np.isnan(said.shown_low)
        low = np.where(classes, said.shown_low, said.shown_value)
        high = np.where(classes, said.shown_high, said.shown_value)
    expected = bundle.operator.apply(places, ensemble.anomalies)
    noise = rng.standard_normal(expected.shape)
    if said is not None and (heavy := said.kinds == "student_t").any():
        degrees = np.broadcast_to(said.terms.parameter[heavy], noise[:, heavy].shape)
        noise[:, heavy] = rng.standard_t(degrees)
    seen = expected + noise * error
    below, within = (seen < low).sum(axis=0), ((seen >= low) & (seen < high)).sum(axis=0)
    # Spread over the width of a rank: with 50 members and 10 bins some would hold more ranks.
    ranks = (below + rng.random(below.size) * (within + 1)) / (len(ensemble) + 1)
    return np.asarray(ranks)
