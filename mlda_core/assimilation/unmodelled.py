"""Analyses of methods without a posterior covariance: their spread is the residual's."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation import physical_units
from mlda_core.assimilation.analysis import Analysis, Cost, Fit, Step

if TYPE_CHECKING:
    import pandas as pd

    from mlda_core.bundle.bundle import Bundle
    from mlda_core.observations.standardised import Observed

Float = NDArray[np.float32]
Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Estimate:
    """Result of such a method: a state, and the spread of its residual.

    Parameters
    ----------
    method : str
    began : float
        ``time.perf_counter()`` at its start.
    x : ndarray of float32, shape (cells,)
        Standardised.
    sd : ndarray of float32, shape (V, lat, lon)
        Standardised.
    words : str
        Outcome, as text.
    used : ndarray of bool, shape (p,)
    z : ndarray, shape (L,), optional
    path : tuple of float
        The cost at each step.
    converged, thins : bool
        Whether a minimum was reached; whether dense observations were thinned.
    """

    method: str
    began: float
    x: Float
    sd: Float
    words: str
    used: NDArray[np.bool_]
    z: Array | None = None
    path: tuple[float, ...] = ()
    converged: bool = True
    thins: bool = False


def step_of(
    found: Estimate,
    bundle: Bundle,
    table: pd.DataFrame,
    every: Observed,
    month: int,
    anomalies: Float,
) -> Step:
    """Return the last step of a method without a posterior.

    Parameters
    ----------
    found : Estimate
    bundle : Bundle
    table : DataFrame
        Observations; ``every`` are the same, standardised.
    every : Observed
    month : int
        Calendar month 1..12.
    anomalies : ndarray of float32, shape (V, lat, lon)
        The estimate in display units.

    Returns
    -------
    Step
        With the analysis.
    """
    shape = bundle.mask.shape
    out = table.copy()
    value = out["value"].to_numpy(np.float64)
    x = found.x.reshape(shape)
    said = every.likelihoods
    if said is None:
        out["background_departure"] = value
        out["analysis_departure"] = value - bundle.operator.apply(every.places, anomalies)
    else:
        seen = np.asarray(bundle.operator.apply(said.shown, anomalies), np.float64)
        out["background_departure"] = said.departure(np.zeros(len(said)))
        out["analysis_departure"] = said.departure(seen)
    left = every.value - bundle.operator.apply(every.places, x)
    spread = bundle.operator.apply(every.places, found.sd**2)
    out["standardised_departure"] = left / np.sqrt(spread + every.variance)
    if said is not None:
        at = np.asarray(bundle.operator.apply(every.places, x), np.float64)
        misfit = said.misfit(at, np.abs(np.asarray(spread, np.float64)))
        out["standardised_departure"] = np.where(
            said.quadratic, out["standardised_departure"], misfit
        )
    out["used"] = found.used
    withheld = int(out["withheld"].to_numpy(bool).sum())
    used = int(found.used.sum())
    cost = Cost(0.0, found.path[-1] if found.path else 0.0)
    analysis = Analysis(
        method=found.method,
        month=month,
        z=found.z,
        anomalies=anomalies,
        latent_only=anomalies,
        background=np.where(bundle.mask, 0.0, np.nan).astype(np.float32),
        standardised=x,
        cost=cost,
        path=found.path,
        converged=found.converged,
        outcome=found.words,
        observations=out,
        statistics=Fit(
            n_used=used,
            n_withheld=withheld,
            n_thinned=len(table) - withheld - used if found.thins else 0,
            chi_squared=float("nan"),
            degrees_of_freedom=0.0,
            seconds=time.perf_counter() - found.began,
        ),
        sea_held=False,
        spread_of=lambda: (
            physical_units.spread(bundle, x, found.sd, month),
            physical_units.climatological_spread(bundle, month),
        ),
        bundle=bundle,
    )
    return Step(len(found.path) + 1, found.z, cost, 0.0, found.words, lambda: anomalies, analysis)
