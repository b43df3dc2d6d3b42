"""What is believed before the observations: a mean, a latent part and a localised error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.covariance import LocalisedCovariance
from mlda_core.assimilation.localisation import GREATEST_HALF_WIDTH_KM
from mlda_core.bundle.bundle import StateError

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle

Float = NDArray[np.float32]
# Of EOFs in the decoder's place: as many as the decoder has latent numbers, in the bundled model.
EOFS = 100


@dataclass(frozen=True, eq=False)
class Prior:
    """``x = x_b + G(z) - G(z_b) + e`` with ``z = z_b + T zeta``, zeta ~ N(0, I), e ~ N(0, B).

    The mean x_b, z_b is given apart, for it may depend on the observed sea.

    Parameters
    ----------
    factor : ndarray of float32, shape (L, cells), optional
        ``(J0 T)^T``: how zeta moves the standardised anomalies, in the linear approximation.
    turn : ndarray, shape (L, L), optional
        T; None where the latent part is no decoder's.
    error : LocalisedCovariance
        B.
    """

    factor: Float | None
    turn: NDArray[np.float64] | None
    error: LocalisedCovariance


def make_prior(
    bundle: Bundle,
    kind: str,
    month: int,
    *,
    share: float,
    localisation: float,
    background_weight: float,
    sea_held: bool,
) -> Prior:
    """Make the prior of a method.

    Parameters
    ----------
    bundle : Bundle
    kind : {"vae", "decoder", "eof", "enoi"}
        The hybrid of decoder and past months; the decoder with its own residuals; 100 EOFs of
        past months in its place; past months alone.
    month : int
        Calendar month 1..12.
    share : float
        Of the decoder's own covariance in the hybrid; 1 for the decoder alone.
    localisation : float
        Factor on the half-width of the localisation.
    background_weight : float
        lambda: weight of ``|z - z_b|^2``.
    sea_held : bool
        Whether the sea is observed; the decoder's mean is then what it makes likely.

    Returns
    -------
    Prior

    Raises
    ------
    StateError
        If the method has none.
    """
    statistics, s = bundle.statistics, bundle.settings
    residual = s.residual_width, s.residual_floor
    season = s.season_width, s.season_floor
    n_variables = len(bundle.variables)
    coupling = np.ones((n_variables, n_variables))
    factor = turn = None
    if kind == "enoi":
        covariance = statistics.months(month, *season)
        width = s.half_width_enoi_sea if sea_held else s.half_width_enoi
    elif kind == "eof":
        width = s.half_width_eof
        count = min(EOFS, bundle.n_latent, len(bundle.decoder.patterns))
        covariance = statistics.residuals_of_leading(count, month, *residual)
        leading = statistics.months(month, *season)[:count, :count]
        values, vectors = np.linalg.eigh(leading)
        root = vectors * np.sqrt(np.clip(values, 0.0, None) / background_weight)
        factor = np.asarray(root.T @ statistics.patterns[:count], np.float32)
    elif kind in {"vae", "decoder"}:
        width = s.half_width_sea if sea_held else s.half_width
        if kind == "decoder":
            width = s.half_width_latent
        if sea_held and statistics.sea is not None:
            left = statistics.residuals_given_sea(month, *residual)
            past = statistics.months_given_sea(month, s.sea_share, *season)
            latent = statistics.sea.latent
            coupling[bundle.sea_row], coupling[:, bundle.sea_row] = s.sea_coupling, s.sea_coupling
            coupling[bundle.sea_row, bundle.sea_row] = 1.0
        else:
            left = statistics.residuals(month, *residual)
            past = statistics.months(month, *season)
            latent = np.eye(bundle.n_latent)
        covariance = share * left + (1.0 - share) * past
        values, vectors = np.linalg.eigh(latent)
        scale = np.sqrt(np.clip(values, 0.0, None) * max(share, 1e-4) / background_weight)
        turn = (vectors * scale) @ vectors.T
        jacobian = bundle.jacobian(month).reshape(bundle.n_latent, -1)
        factor = np.asarray(turn.T.astype(np.float32) @ jacobian, np.float32)
    else:
        raise StateError(f"'{kind}' has no prior of its own; use vae, eof or enoi for this.")
    error = LocalisedCovariance(
        bundle.operator,
        statistics.patterns,
        covariance,
        statistics.leftover,
        min(width * localisation, GREATEST_HALF_WIDTH_KM),
        coupling,
    )
    return Prior(factor, turn, error)
