"""One prepared assimilation with a Gaussian prior, and its linear solution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.analysis import Cost
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
    bundle : Bundle
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

    bundle: Bundle
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

    def latents(self, zeta: Array) -> Array | None:
        """Return the latent vectors of many zeta, both (n, L); None without a decoder."""
        prior = self.gain.prior
        if prior.turn is None:
            return None
        away = zeta if prior.bend is None else prior.bend.departures(zeta)
        return np.asarray(self.z_b + away @ prior.turn.T)

    def zeta(self, z: NDArray[np.floating]) -> Array:
        """Return the zeta of a latent vector, the inverse of :meth:`latent`.

        Raises
        ------
        StateError
            If the method has no latent vector, or this one is not of its length.
        """
        prior = self.gain.prior
        if prior.turn is None:
            raise StateError(
                f"The method {spelled(self.setting.method)} has no latent vector; use vae to move "
                "one by hand."
            )
        if np.shape(z) != self.z_b.shape:
            raise StateError(f"A latent vector of this bundle has {self.z_b.size} numbers.")
        away = np.asarray(z, np.float64) - self.z_b
        zeta = np.asarray(np.linalg.lstsq(prior.turn, away, rcond=None)[0], np.float64)
        return zeta if prior.bend is None else prior.bend.zeta(zeta[None])[0]

    def departures(self, x: Float) -> Array:
        """Return the observations used minus a state (cells,) at their places, standardised."""
        observed = self.observed
        fields = x.reshape(self.bundle.mask.shape)
        return np.asarray(observed.value - self.bundle.operator.apply(observed.places, fields))

    def with_residual(self, x: Float, left: Array) -> Float:
        """Add the residual analysis ``B H^T S^-1 (y - H x)`` to a state, if the setting has one.

        Parameters
        ----------
        x : ndarray of float32, shape (cells,)
        left : ndarray, shape (p,)
            Departures from it.
        """
        if self.only_decodes or not len(left):
            return x
        weights = self.gain.residual_weights(left).astype(np.float32)
        return np.asarray(x + weights @ self.gain.columns)


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
