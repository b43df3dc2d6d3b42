"""The latent space of a bundle, for the cycled methods that filter codes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlda_core.bundle.bundle import Bundle
from mlda_core.bundle.checks import decode_all
from mlda_core.bundle.codes import codes_of
from mlda_core.climate.errors import UserError
from mlda_core.cycling.bundle_case import MOST_DAYS, localisation_of
from mlda_core.cycling.covariance import LocalisedSample
from mlda_core.cycling.latent_space import LatentSpace
from mlda_core.forecast.dynamics import Dynamics
from mlda_core.forecast.koopman import LinearDynamics
from mlda_core.forecast.latent_states import DecodedDynamics
from mlda_core.vae.dataset import Months

# Half-width of the localisation of the rest, km: it holds the small scales only.
REST_HALF_WIDTH_KM = 2500.0


def latent_space_of(
    bundle: Bundle,
    forecast: Dynamics,
    past: Months,
    *,
    half_width: float = REST_HALF_WIDTH_KM,
    most: int = MOST_DAYS,
) -> LatentSpace:
    """Return the latent space of a bundle with its linear forecast.

    Parameters
    ----------
    bundle : Bundle
    forecast : Dynamics
        The bundle's ``koopman``; see :func:`mlda_core.forecast.loading.load_forecast`.
    past : Months
        Times that are neither scored nor trained on (codes leave less out of those); what the codes
        leave out of evenly spaced ones of them is the sample of the rest.
    half_width : float
        Of its localisation, km.
    most : int
        How many of them at most.

    Raises
    ------
    UserError
        If the forecast is not linear in the latent space.
    """
    if not isinstance(forecast, DecodedDynamics) or not isinstance(forecast.latent, LinearDynamics):
        raise UserError(
            f"The forecast '{forecast.name}' is not linear in the latent space; give 'koopman'."
        )
    chosen = past.where(np.isin(np.arange(len(past)), _spaced(len(past), most)))
    codes = codes_of(bundle, chosen).mean
    rest = chosen.x - decode_all(bundle, codes, chosen.season)
    sample = rest.reshape(len(chosen), -1).astype(np.float64) / np.sqrt(len(chosen))
    damping = forecast.damping.numpy().reshape(-1).astype(np.float64)
    local = localisation_of(bundle, half_width)
    return LatentSpace(bundle, forecast.latent, damping, LocalisedSample(sample, local))


def _spaced(count: int, most: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, count - 1, min(most, count)).astype(np.int64))
