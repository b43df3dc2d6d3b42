"""Climatology, the regression on the sea, and Adam, by the interface of the others."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation import baselines as classical
from mlda_core.assimilation import physical_units as physical
from mlda_core.assimilation.analysis import Analysis, Cost, Fit, Step
from mlda_core.assimilation.standardised import Observed, standardise, thin
from mlda_core.bundle.bundle import Bundle, StateError

if TYPE_CHECKING:
    import pandas as pd

Float = NDArray[np.float32]
Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Found:
    """What a method makes: a state, and the spread of what it leaves over."""

    method: str
    x: Float
    sd: Float
    words: str
    used: NDArray[np.bool_]
    z: Array | None = None
    path: tuple[float, ...] = ()
    converged: bool = True


def climatology(bundle: Bundle, table: pd.DataFrame, month: int) -> Step:
    """Return the usual state of the month, whatever is observed.

    Parameters
    ----------
    bundle : Bundle
    table : DataFrame
    month : int
        Calendar month 1..12.

    Returns
    -------
    Step
        With the analysis.
    """
    began = time.perf_counter()
    every = standardise(table, bundle, month)
    zero = np.where(bundle.mask, 0.0, np.nan).astype(np.float32)
    x = np.zeros(bundle.mask.size, np.float32)
    one = np.ones(bundle.mask.shape, np.float32)
    found = _Found("climatology", x, one, "climatology", np.zeros(len(table), bool))
    return _tell(bundle, table, every, month, found, zero, began)


def regression(
    bundle: Bundle,
    table: pd.DataFrame,
    month: int,
    model: classical.Regression,
    error_scale: float,
) -> Step:
    """Regress every variable on the observed sea.

    Parameters
    ----------
    bundle : Bundle
    table : DataFrame
    month : int
        Calendar month 1..12.
    model : Regression
    error_scale : float
        Factor on the errors.

    Returns
    -------
    Step
        With the analysis.

    Raises
    ------
    StateError
        If the sea is not observed.
    """
    began = time.perf_counter()
    every = standardise(table, bundle, month, error_scale=error_scale)
    used = ~table["withheld"].to_numpy(bool) & (every.places.variable == bundle.sea_row)
    if not used.any():
        raise StateError(
            "The regression uses the sea's temperature alone; observe it, or choose another method."
        )
    x, sd = model.estimate(every.where(used), bundle.operator, bundle.mask.shape)
    found = _Found("regression", x, sd, "solved in closed form", used)
    anomalies = physical.anomalies(bundle, x, month, sd)
    return _tell(bundle, table, every, month, found, anomalies, began)


def adam(bundle: Bundle, table: pd.DataFrame, month: int, error_scale: float) -> Iterator[Step]:
    """Fit z by Adam, step by step.

    Parameters
    ----------
    bundle : Bundle
    table : DataFrame
    month : int
        Calendar month 1..12.
    error_scale : float
        Factor on the errors.

    Yields
    ------
    Step
        The last with the analysis.
    """
    began = time.perf_counter()
    every = standardise(table, bundle, month, error_scale=error_scale)
    offered = np.flatnonzero(~table["withheld"].to_numpy(bool))
    rows = offered[thin(every.places.where(offered), every.variance[offered])]
    z, path = np.zeros(bundle.n_latent), []
    for index, z, value in classical.adam(bundle, every.where(rows), month):
        path.append(value)
        at = z.copy()

        def fields(at: Array = at) -> Float:
            return bundle.decode_anomalies(at, month)

        yield Step(index, at, Cost(0.0, value), 0.0, f"{index} steps of Adam", fields)
    found = _Found(
        "adam",
        bundle.decode_standardised(z[None], month).ravel(),
        np.asarray(bundle.residual_sd, np.float32),
        f"stopped after {classical.ADAM_STEPS} steps, as the scripts did",
        np.isin(np.arange(len(table)), rows),
        z,
        tuple(path),
        converged=False,
    )
    yield _tell(bundle, table, every, month, found, bundle.decode_anomalies(z, month), began)


def _tell(  # noqa: PLR0917 - one result, put together
    bundle: Bundle,
    table: pd.DataFrame,
    every: Observed,
    month: int,
    found: _Found,
    anomalies: Float,
    began: float,
) -> Step:
    """Return a result without posterior: what the method leaves over is its spread."""
    shape = bundle.mask.shape
    out = table.copy()
    value = out["value"].to_numpy(np.float64)
    x = found.x.reshape(shape)
    out["background_departure"] = value
    out["analysis_departure"] = value - bundle.operator.apply(every.places, anomalies)
    left = every.value - bundle.operator.apply(every.places, x)
    spread = bundle.operator.apply(every.places, found.sd**2)
    out["misfit_sd"] = left / np.sqrt(spread + every.variance)
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
            n_thinned=len(table) - withheld - used if found.method == "adam" else 0,
            chi_squared=float("nan"),
            degrees_of_freedom=0.0,
            seconds=time.perf_counter() - began,
        ),
        sea_held=False,
        spread_of=lambda: (
            physical.spread(bundle, x, found.sd, month),
            physical.climatological_spread(bundle, month),
        ),
    )
    return Step(len(found.path) + 1, found.z, cost, 0.0, found.words, lambda: anomalies, analysis)
