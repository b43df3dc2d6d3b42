"""Gaussian prior of the state: a mean, a latent part and a localised representation error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.covariance import LocalisedCovariance
from mlda_core.assimilation.localisation import GREATEST_HALF_WIDTH_KM

if TYPE_CHECKING:
    from mlda_core.assimilation.bend import Bend
    from mlda_core.bundle.bundle import Bundle

Float = NDArray[np.float32]
Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Prior:
    """``x = x_b + G(z) - G(z_b) + e`` with ``z = z_b + T zeta``, zeta ~ N(0, I), e ~ N(0, B).

    With a bend m, ``z = z_b + T m(zeta)``. The mean x_b, z_b is passed separately, as it may depend
    on the observed sea.

    Parameters
    ----------
    factor : ndarray of float32, shape (L, cells), optional
        ``(J0 T)^T``: linearised effect of zeta on the standardised anomalies.
    turn : ndarray, shape (L, L), optional
        The transformation T; None if the latent part is not a decoder's.
    error : LocalisedCovariance
        B.
    bend : Bend, optional
        m, of a prior of the latent vector other than N(0, I).
    """

    factor: Float | None
    turn: NDArray[np.float64] | None
    error: LocalisedCovariance
    bend: Bend | None = None


@dataclass(frozen=True, eq=False)
class PriorRequest:
    """Inputs from which a method builds a prior.

    Parameters
    ----------
    bundle : Bundle
    season : int
        Of the bundle; the prior is the same for all of a calendar month.
    decoder_fraction : float
        Weight of the decoder's covariance in B; 1 for the decoder alone.
    localisation : float
        Factor on the half-width of the localisation.
    background_weight : float
        lambda: weight of ``|z - z_b|^2``.
    sea_held : bool
        Whether the sea is observed.
    """

    bundle: Bundle
    season: int
    decoder_fraction: float
    localisation: float
    background_weight: float
    sea_held: bool

    @property
    def month(self) -> int:
        """The calendar month 1..12."""
        return self.bundle.calendar_month(self.season)


def localised(
    request: PriorRequest,
    covariance: Array,
    half_width: float,
    coupling: Array | None = None,
) -> LocalisedCovariance:
    """Localise a covariance of the statistics' patterns.

    Parameters
    ----------
    request : PriorRequest
    covariance : ndarray, shape (K, K)
        Of the patterns' coefficients.
    half_width : float
        Of the taper, km; multiplied by the request's factor.
    coupling : ndarray, shape (V, V), optional
        A taper between variables; none by default.

    Returns
    -------
    LocalisedCovariance
    """
    bundle = request.bundle
    if coupling is None:
        coupling = np.ones((len(bundle.variables), len(bundle.variables)))
    return LocalisedCovariance(
        bundle.operator,
        bundle.statistics.patterns,
        covariance,
        bundle.statistics.leftover,
        min(half_width * request.localisation, GREATEST_HALF_WIDTH_KM),
        coupling,
    )
