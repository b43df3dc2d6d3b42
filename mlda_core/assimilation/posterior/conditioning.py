"""Conditioning of draws on observations: Matheron's rule.

A draw from a joint normal distribution, corrected by the gain times what the observations say
beyond it, is a draw from the conditional one (Journel and Huijbregts 1978, section VII.A; Wilson
and others 2021, https://arxiv.org/abs/2011.04026, equation 9). In data assimilation it is the
ensemble of analyses with perturbed observations and background.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from mlda_core.assimilation.gain import Gain
    from mlda_core.assimilation.posterior.draws import Draws

Float = NDArray[np.float32]
Array = NDArray[np.float64]


def residual_error(gain: Gain, draws: Draws, left: Array) -> Float:
    """Condition draws of the representation error on what the decoded states leave over.

    Parameters
    ----------
    gain : Gain
    draws : Draws
    left : ndarray, shape (n, p)
        Departures of the observations from the decoded states.

    Returns
    -------
    ndarray of float32, shape (n, cells)
        ``e + B H^T S^-1 (y - H G(z) - H e - noise)``.
    """
    if not left.shape[1]:
        return draws.error
    weights = (left - draws.misfit) @ gain.whitener.T @ gain.whitener
    return np.asarray(draws.error + weights.astype(np.float32) @ gain.columns)


def linear_departures(gain: Gain, draws: Draws) -> tuple[Array, Float]:
    """Draw departures from the analysis in the linearised problem.

    Parameters
    ----------
    gain : Gain
    draws : Draws

    Returns
    -------
    zeta : ndarray, shape (n, L)
        Departures of the latent vector.
    x : ndarray of float32, shape (n, cells)
        Departures of the state, standardised: draws from N(0, A), A the posterior covariance.
    """
    a, factor = gain.whitened, gain.prior.factor
    zeta = draws.zeta
    if zeta.shape[1] and len(gain.places):
        innovation = -(zeta @ gain.latent.T + draws.misfit) @ gain.whitener.T
        zeta = zeta + innovation @ a @ gain.inverse_hessian
    x = residual_error(gain, draws, -(zeta @ gain.latent.T))
    if factor is not None:
        x = x + zeta.astype(np.float32) @ factor
    return zeta, x
