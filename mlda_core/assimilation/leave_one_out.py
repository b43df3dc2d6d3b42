"""One observation and all others, standardised: what these expect of it, and what it moves.

In closed form from the factors of the network. With P the inverse of the innovation covariance
``H B H^T + R``, d the departures from the background and K the gain, the others alone expect the
observation to be ``y_i - (P d)_i / P_ii`` with error variance ``1 / P_ii - R_i``; used, it moves
the state by ``K_i (P d)_i / P_ii``; and its share of the degrees of freedom for signal, the
self-sensitivity ``(H K)_ii``, is ``1 - R_i P_ii`` (Cardinali, Pezzulli and Andersson 2004,
https://doi.org/10.1256/qj.03.205).

Of a row whose error is not normal y and R are those of the pseudo-observation at the analysis: what
it moves is exact where all others are normal, and else given their pseudo-observations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.minimisation import minimum
from mlda_core.assimilation.tilted import tilted_mode

if TYPE_CHECKING:
    from mlda_core.assimilation.problem import Problem
    from mlda_core.observations.standardised import Observed

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LeftOut:
    """What one observation says and what the others expect, standardised.

    Parameters
    ----------
    background, prior : float
        What was expected before any observation, and its variance.
    others, left : float
        What all others make of it, and the variance.
    departure : float
        Of what it says from that.
    error, stated : float
        Variance of its error, as used and before a robust weight.
    weight : float
        Robust weight; of a heavy-tailed value its weight beside a normal one's. At most 1.
    misfit : float
        Departure in standard deviations of that difference; of an interval the distance to it.
    change : ndarray, shape (cells,)
        The change of the whole analysis.
    """

    background: float
    prior: float
    others: float
    left: float
    departure: float
    error: float
    stated: float
    weight: float
    misfit: float
    change: Array

    @property
    def moved(self) -> float:
        """The change there."""
        return self.left / (self.left + self.error) * self.departure


def left_out(problem: Problem, row: int) -> LeftOut:
    """Compare an observation with what all others say of it.

    Parameters
    ----------
    problem : Problem
        As of :meth:`Assimilator.prepared`.
    row : int
        Of all observations, from 0.

    Returns
    -------
    LeftOut
        Of one that is not used what it would do.
    """
    at = np.flatnonzero(problem.used == row)
    return _of_used(problem, int(at[0])) if at.size else _of_unused(problem, row)


def _of_used(problem: Problem, k: int) -> LeftOut:
    gain = problem.gain
    departures = problem.departures(problem.x_b)
    inverse = gain.total_inverse
    error = float(gain.variance[k])
    departure = float((inverse[k] @ departures) / inverse[k, k])
    one = problem.observed.where(np.array([k]))
    value = float(one.value[0])
    weights = inverse[:, k] * departure
    change = weights @ gain.columns.astype(np.float64)
    if gain.prior.factor is not None:
        change = change + (weights @ gain.latent) @ gain.prior.factor
    others, left = value - departure, max(float(1.0 / inverse[k, k] - error), 1e-9)
    robust = 1.0 if problem.weight is None else float(problem.weight[k])
    stated = error * robust
    weight, misfit = _believed(one, others, left, departure, error, stated)
    return LeftOut(
        background=value - float(departures[k]),
        prior=float(gain.error_covariance[k, k] + gain.latent[k] @ gain.latent[k]),
        others=others,
        left=left,
        departure=departure,
        error=error,
        stated=stated,
        weight=weight * robust,
        misfit=misfit,
        change=change,
    )


def _of_unused(problem: Problem, row: int) -> LeftOut:
    bundle, gain = problem.bundle, problem.gain
    one = problem.every.where(np.array([row]))
    shape = bundle.mask.shape
    x = minimum(problem)[1].reshape(shape)
    others = float(bundle.operator.apply(one.places, x)[0])
    background = float(bundle.operator.apply(one.places, problem.x_b.reshape(shape))[0])
    left = float(gain.expected_variance(one.places, np.zeros(1))[0])
    prior = float(gain.prior.error.variance_at(one.places)[0])
    column = gain.prior.error.columns(one.places)[0].astype(np.float64)
    shared = gain.prior.error.between(gain.places, one.places)[:, 0]
    if gain.prior.factor is not None:
        here = one.places.interpolate(gain.prior.factor)[0].astype(np.float64)
        prior += float(here @ here)
        column = column + here @ gain.prior.factor
        shared = shared + gain.latent @ here
    weights = gain.total_inverse @ shared
    column -= weights @ gain.columns.astype(np.float64)
    if gain.prior.factor is not None:
        column -= (weights @ gain.latent) @ gain.prior.factor
    value, error = float(one.value[0]), float(one.variance[0])
    said = one.likelihoods
    if said is not None and not said.quadratic.all():
        # What the analysis would be there with it, given what the others say.
        at = np.array([tilted_mode(said, others, left)])
        values, variances = said.pseudo(at, said.curvature(at))
        value, error = float(values[0]), float(variances[0])
    departure = value - others
    weight, misfit = _believed(one, others, left, departure, error, error)
    return LeftOut(
        background=background,
        prior=prior,
        others=others,
        left=left,
        departure=departure,
        error=error,
        stated=error,
        weight=weight,
        misfit=misfit,
        change=column * departure / (left + error),
    )


def _believed(
    one: Observed, others: float, left: float, departure: float, error: float, stated: float
) -> tuple[float, float]:
    """Return the weight beside that of a normal error, and the misfit."""
    said = one.likelihoods
    if said is None or said.quadratic.all():
        return 1.0, float(departure / np.sqrt(left + stated))
    misfit = float(said.misfit(np.array([others]), np.array([left]))[0])
    if said.log_concave:
        return 1.0, misfit
    at = np.array([others + left / (left + error) * departure])
    return float(min(1.0, (said.weight(at) * said.terms.sd**2)[0])), misfit
