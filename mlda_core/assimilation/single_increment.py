"""The increment of one observation assimilated alone, in the linear problem."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.problem import Problem
from mlda_core.assimilation.spread import mean_anomalies
from mlda_core.climate.interpolation import ObservationError
from mlda_core.observations.standardised import Observed

Float = NDArray[np.float32]
Array = NDArray[np.float64]


def single_increment(problem: Problem, row: int) -> Float:
    """Return the increment of one observation assimilated alone.

    Parameters
    ----------
    problem : Problem
        Of all observations.
    row : int
        Index among all of them, from 0.

    Returns
    -------
    ndarray of float32, shape (V, lat, lon)
        Display units.

    Raises
    ------
    ObservationError
        If there is no such row.
    """
    count = len(problem.every)
    if not 0 <= row < count:
        raise ObservationError(f"There is no observation {row + 1}; the table has {count}.")
    bundle, prior = problem.bundle, problem.gain.prior
    shape = bundle.mask.shape
    one = problem.every.where(np.array([row]))
    column = prior.error.columns(one.places)[0].astype(np.float64)
    between = prior.error.between(one.places, one.places)[0, 0] + one.variance[0]
    if prior.factor is not None:
        at = bundle.operator.apply(one.places, prior.factor.reshape(-1, *shape))[:, 0]
        # Decoder only: without the observation's effect on the representation error.
        part = at @ prior.factor
        column = part if problem.only_decodes else column + part
        between += at @ at
    before_at = np.asarray(
        bundle.operator.apply(one.places, problem.x_b.reshape(shape)), np.float64
    )
    departure = one.value - before_at
    if not one.is_gaussian:
        departure, between = _pseudo(one, before_at, float(between - one.variance[0]))
    moved = problem.x_b + (column * (departure[0] / between)).astype(np.float32)
    before, after = (mean_anomalies(problem, x, "prior") for x in (problem.x_b, moved))
    return np.asarray(after - before)


def _pseudo(one: Observed, before: Array, variance: float) -> tuple[Array, float]:
    """Departure and its variance of the normal observation that stands for a single one.

    At the mode of its posterior, given the prior's variance of what it observes.
    """
    if one.likelihoods is None:
        raise ValueError("a value needs no iteration")
    f, gain = before, 0.0
    for _ in range(200):
        value, error = one.likelihoods.pseudo(f, one.likelihoods.weight(f))
        gain = variance / (variance + float(error[0]))
        ahead = before + gain * (value - before)
        if np.abs(ahead - f).max() < 1e-9:
            break
        f = ahead
    return f - before, variance
