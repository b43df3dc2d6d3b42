"""One prepared assimilation with a Gaussian prior, and its linear solution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.analysis import Cost
from mlda_core.assimilation.cost import DecodedCost
from mlda_core.assimilation.gain import Gain
from mlda_core.assimilation.method import GaussianMethod
from mlda_core.assimilation.methods import METHODS, method_of, spelled
from mlda_core.assimilation.options import Setting
from mlda_core.bundle.bundle import Bundle
from mlda_core.climate.errors import StateError
from mlda_core.observations.standardised import Observed

Float = NDArray[np.float32]
Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Problem:
    """One prepared assimilation.

    Parameters
    ----------
    setting : Setting
    month : int
        Calendar month 1..12.
    every : Observed
        All observations.
    used : ndarray of int
        Rows neither withheld nor thinned.
    x_b : ndarray of float32, shape (cells,)
        Background, standardised.
    z_b : ndarray, shape (L,)
        Its latent vector.
    sea_held : bool
        Whether it is conditional on the observed sea.
    gain : Gain
        Of the network.
    weight : ndarray, shape (p,), optional
        Robust weights of the observations used; None if all are 1.
    stated : Problem, optional
        Of pseudo-observations at a mode: the problem with the errors as stated.
    modes : tuple of Mode
        The distinct minima of that one's cost, the lowest first, which this one is about.
    """

    setting: Setting
    month: int
    every: Observed
    used: NDArray[np.int64]
    x_b: Float
    z_b: Array
    sea_held: bool
    gain: Gain
    weight: Array | None = None
    stated: Problem | None = None
    modes: tuple[Mode, ...] = ()

    @property
    def is_gaussian(self) -> bool:
        """Whether all observations used have normal errors."""
        return self.observed.is_gaussian

    @property
    def only_decodes(self) -> bool:
        """Whether the analysis is the decoded state alone."""
        return method_of(self.setting.method).only_decodes(self.setting)

    @property
    def observed(self) -> Observed:
        """The observations used."""
        return self.every.where(self.used)

    def latent(self, zeta: Array) -> Array | None:
        """Return the latent vector of a zeta; None without a decoder."""
        prior = self.gain.prior
        if prior.turn is None:
            return None
        away = zeta if prior.bend is None else prior.bend.departures(zeta[None])[0]
        return np.asarray(self.z_b + prior.turn @ away)

    def decoded_cost(self, bundle: Bundle) -> DecodedCost:
        """Return the cost to be minimised."""
        return DecodedCost(bundle.decoder, self.month, self.observed, self.gain, self.x_b, self.z_b)


@dataclass(frozen=True, eq=False)
class Mode:
    """A minimum of the cost, or the way there.

    Parameters
    ----------
    zeta : ndarray, shape (L,)
    weights : ndarray, shape (p,)
        ``Q^-1 u``.
    at : ndarray, shape (p,)
        The state at the observations, f.
    cost : Cost
    rounds : int
    converged : bool
    problem : Problem
        With the pseudo-observations of f and their gain.
    """

    zeta: Array
    weights: Array
    at: Array
    cost: Cost
    rounds: int
    converged: bool
    problem: Problem


def gaussian(setting: Setting) -> GaussianMethod:
    """Return the method of the settings, which must have a Gaussian prior.

    Raises
    ------
    StateError
        If it does not.
    """
    method = method_of(setting.method)
    if not isinstance(method, GaussianMethod):
        fitting = spelled(*(m.key for m in METHODS.values() if isinstance(m, GaussianMethod)))
        raise StateError(
            f"The method {spelled(method.key)} has no prior of its own; use one of {fitting} for "
            "this."
        )
    return method


def interpolate(gain: Gain, x_b: Float, departures: Array) -> tuple[Float, Array, Array]:
    """Optimal interpolation with a linear latent part: state, remaining departures, and zeta."""
    zeta = gain.linear_solution(departures)
    left = departures - gain.latent @ zeta
    if gain.prior.factor is None:
        return x_b, left, zeta
    return x_b + zeta.astype(np.float32) @ gain.prior.factor, left, zeta


def cost_of_linear(gain: Gain, zeta: Array, left: Array) -> Cost:
    """Cost of zeta, given the departures ``left`` from its linear state."""
    white = gain.whitener @ left
    return Cost(0.5 * float(zeta @ zeta), 0.5 * float(white @ white))


def variance_at(gain: Gain, stage: str, cells: slice) -> Float:
    """Standardised variance of cells: prior, posterior, or of the decoded part alone."""
    if stage == "posterior":
        return gain.posterior_variance(cells)
    if stage == "latent":
        return gain.latent_only_variance(cells)
    prior = gain.prior
    total = prior.error.variance[cells]
    if prior.factor is not None:
        total = total + (prior.factor[:, cells] ** 2).sum(axis=0)
    return np.asarray(total, np.float32)


def kept_variance(gain: Gain, stage: str) -> Float:
    """Return the variance of all cells, cached: it depends on the network, not on values.

    Parameters
    ----------
    gain : Gain
    stage : {"prior", "posterior", "latent"}

    Returns
    -------
    ndarray of float32, shape (cells,)
        Standardised; shared, hence read-only.
    """
    name = f"{stage} variance"
    if name not in gain.lasting:
        variance = variance_at(gain, stage, slice(None))
        variance.flags.writeable = False
        gain.lasting[name] = variance
    found: Float = gain.lasting[name]
    return found
