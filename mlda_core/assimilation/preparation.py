"""Preparation of assimilations: thinning, background, robust weights and factors of the network."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.gain_cache import Gains
from mlda_core.assimilation.options import Setting
from mlda_core.assimilation.problem import Problem, gaussian
from mlda_core.assimilation.robust import robust_weights
from mlda_core.assimilation.sea_background import SeaBackground
from mlda_core.bundle.bundle import Bundle
from mlda_core.climate.errors import StateError
from mlda_core.observations.standardised import Observed, standardise, thin_observed

if TYPE_CHECKING:
    import pandas as pd

Float = NDArray[np.float32]
Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Prepared:
    """A problem, and what the diagnostics of its analysis need besides.

    Parameters
    ----------
    problem : Problem
    table : DataFrame
        The checked observations, a row for each of ``problem.every``.
    n_thinned : int
        Number of observations that thinning left out.
    began : float
        ``time.perf_counter()`` at the start.
    """

    problem: Problem
    table: pd.DataFrame
    n_thinned: int
    began: float


class Preparation:
    """Prepares assimilations with the Gaussian priors of a bundle.

    Factors of networks, columns of covariances and decoded prior means are cached.

    Parameters
    ----------
    bundle : Bundle
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.gains = Gains(bundle)
        self.sea = SeaBackground(self.gains)
        self._origins: dict[int, Float] = {}

    def of_table(self, table: pd.DataFrame, month: int, setting: Setting) -> Prepared:
        """Prepare the assimilation of checked observations.

        Parameters
        ----------
        table : DataFrame
        month : int
            Calendar month 1..12.
        setting : Setting
            With a method that has a Gaussian prior.

        Returns
        -------
        Prepared
        """
        began = time.perf_counter()
        every = standardise(table, self.bundle, month, error_scale=setting.error_scale)
        offered = np.flatnonzero(~table["withheld"].to_numpy(bool))
        used = offered[thin_observed(every.where(offered))]
        weight = None
        if setting.robust and used.size:
            # Use the unconditional background: the other one already includes the SST observations.
            first = self.problem(every, used, month, replace(setting, sea_prior=False))
            weight = _robust_weights(first)
        problem = self.problem(every, used, month, setting, weight)
        return Prepared(problem, table, offered.size - used.size, began)

    def problem(
        self,
        every: Observed,
        used: NDArray[np.int64],
        month: int,
        setting: Setting,
        weight: Array | None = None,
    ) -> Problem:
        """Prepare an assimilation: background and factors of the network.

        Parameters
        ----------
        every : Observed
        used : ndarray of int
            Rows to use.
        month : int
            Calendar month 1..12.
        setting : Setting
        weight : ndarray, shape (p,), optional
            Robust weights, by which the error variances of these rows are divided.

        Returns
        -------
        Problem
        """
        observed = every.where(used)
        if weight is not None:
            observed = replace(observed, variance=observed.variance / weight)
        method = gaussian(setting)
        x_b, z_b, sea_held = self._background(observed, month, setting)
        holds = sea_held or (method.sea_localisation and self.sea.is_observed(observed, month))
        gain = self.gains.of(observed, method, month, setting, sea_held=holds)
        return Problem(self.bundle, setting, month, every, used, x_b, z_b, sea_held, gain, weight)

    def origin(self, month: int) -> Float:
        """Return the decoded state of z = 0 in a calendar month, standardised, shape (cells,)."""
        calendar = self.bundle.calendar_month(month)
        if calendar not in self._origins:
            zero = np.zeros((1, self.bundle.n_latent))
            self._origins[calendar] = self.bundle.decode_standardised(zero, month).ravel()
        return self._origins[calendar]

    def _background(
        self, observed: Observed, month: int, setting: Setting
    ) -> tuple[Float, Array, bool]:
        """Background (cells,), standardised, its latent vector, and whether it is given the sea."""
        bundle, given = self.bundle, setting.background
        zero = np.zeros(bundle.n_latent)
        if given is None:
            return gaussian(setting).mean(self, observed, month, setting)
        anomalies: NDArray[np.floating]
        if isinstance(given, str):
            if given == "climatology":
                anomalies, z = np.zeros(bundle.mask.shape), zero
            else:
                anomalies, z = bundle.target(given), bundle.code(given)
        else:
            anomalies, z = given.anomalies, zero if given.z is None else given.z
        if np.shape(anomalies) != bundle.mask.shape or np.shape(z) != zero.shape:
            raise StateError("The background is not a state of this bundle; give one that is.")
        fields = np.asarray(anomalies) + bundle.climatology(month)
        x = bundle.normaliser.standardise(fields[None].astype(np.float64), np.array([month]))
        return np.nan_to_num(x).astype(np.float32).ravel(), np.asarray(z, np.float64), False


def _robust_weights(problem: Problem) -> Array | None:
    """Robust weights of the rows with normal errors; those of others are 1."""
    departures = problem.departures(problem.x_b)
    normal = problem.observed.quadratic
    if normal.all():
        return robust_weights(problem.gain, departures)
    found = robust_weights(problem.gain.of_rows(normal), departures[normal])
    if found is None:
        return None
    out = np.ones(len(normal))
    out[normal] = found
    return out
