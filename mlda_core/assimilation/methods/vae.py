"""Search of the decoder's latent space, with a residual analysis of its representation error.

The cost is ``J(z) = 1/2 |z - z_b|^2 + 1/2 d^T S^-1 d``, ``d = y - H G(z)``,
``S = R + H B H^T``. B is a hybrid (Hamill and Snyder 2000, https://doi.org/10.1175/1520-0493(2000)
128<2905:AHEKFV>2.0.CO;2) of the decoder's residuals and of past months. Where the sea is observed,
the prior mean is the output of the sea network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlda_core.assimilation.method import (
    EVERY_EVALUATION,
    Array,
    Backgrounds,
    Float,
    GaussianMethod,
)
from mlda_core.observations.standardised import count_places
from mlda_core.vae.latent_prior import DEFAULT_PRIOR

if TYPE_CHECKING:
    from mlda_core.assimilation.bend import Bend
    from mlda_core.assimilation.options import Setting
    from mlda_core.assimilation.prior import Prior, PriorRequest
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.bundle.statistics import TunedParameters
    from mlda_core.observations.standardised import Observed

# Of the decoder's covariance, so that the latent vector is never held fast.
LEAST_FRACTION = 1e-4


class Vae(GaussianMethod):
    """Assimilation with the decoder, and past months for its representation error."""

    def prior_key(self, setting: Setting) -> str:
        """Cache key: the decoder alone has its own localisation and residuals."""
        own = "decoder" if self.only_decodes(setting) else "vae"
        return own if setting.prior == DEFAULT_PRIOR else f"{own} {setting.prior}"

    def decoder_fraction(
        self, settings: TunedParameters, n_places: int, setting: Setting, *, sea_held: bool
    ) -> float:
        """Fraction of the decoder's covariance, which decreases with the number of places."""
        if self.only_decodes(setting):
            return 1.0
        return settings.hybrid_sea if sea_held else settings.hybrid(n_places)

    def prior(self, request: PriorRequest, setting: Setting) -> Prior:
        """Linearise the decoder about z = 0, and mix the two covariances."""
        from mlda_core.assimilation.prior import Prior, localised

        bundle, statistics, s = request.bundle, request.bundle.statistics, request.bundle.settings
        month = request.month
        residual = s.residual_width, s.residual_floor
        season = s.season_width, s.season_floor
        width = s.half_width_sea if request.sea_held else s.half_width
        if self.only_decodes(setting):
            width = s.half_width_latent
        coupling = np.ones((len(bundle.variables), len(bundle.variables)))
        if request.sea_held and statistics.sea is not None:
            left = statistics.residuals_given_sea(month, *residual)
            past = statistics.months_given_sea(month, s.sea_share, *season)
            latent = statistics.sea.latent
            coupling[bundle.sea_row], coupling[:, bundle.sea_row] = s.sea_coupling, s.sea_coupling
            coupling[bundle.sea_row, bundle.sea_row] = 1.0
        else:
            left = statistics.residuals(month, *residual)
            past = statistics.months(month, *season)
            latent = np.eye(bundle.n_latent)
        bend = None
        if setting.prior != DEFAULT_PRIOR and not request.sea_held:
            bend = _bend(bundle, request.season, setting)
        fraction = request.decoder_fraction
        covariance = fraction * left + (1.0 - fraction) * past
        values, vectors = np.linalg.eigh(latent)
        weight = request.background_weight
        scale = np.sqrt(np.clip(values, 0.0, None) * max(fraction, LEAST_FRACTION) / weight)
        transform = (vectors * scale) @ vectors.T
        jacobian = bundle.jacobian(request.season).reshape(bundle.n_latent, -1)
        tangent = transform if bend is None else transform @ bend.tangent
        factor = np.asarray(tangent.T.astype(np.float32) @ jacobian, np.float32)
        error = localised(request, covariance, width, coupling)
        return Prior(factor, transform, error, bend)

    def mean(
        self, backgrounds: Backgrounds, observed: Observed, month: int, setting: Setting
    ) -> tuple[Float, Array, bool]:
        """Return the decoded prior mean, or the output of the sea network."""
        bundle = backgrounds.bundle
        if setting.sea_prior and backgrounds.sea.is_observed(observed, month):
            x_b = np.float32(bundle.settings.sea_share) * backgrounds.sea.mean(observed, month)
            z_b, _ = bundle.encode_standardised(
                x_b.reshape(1, *bundle.mask.shape), np.array([month])
            )
            return x_b, z_b[0], True
        if setting.prior != DEFAULT_PRIOR and (bend := _bend(bundle, month, setting)):
            fraction = self.decoder_fraction(
                bundle.settings, count_places(observed.places), setting, sea_held=False
            )
            z_b = np.sqrt(max(fraction, LEAST_FRACTION) / setting.background_weight) * bend.centre
            return bundle.decode_standardised(z_b[None], month).ravel(), z_b, False
        return backgrounds.origin(month), np.zeros(bundle.n_latent), False


def _bend(bundle: Bundle, month: int, setting: Setting) -> Bend | None:
    """Return the map that makes the prior of N(0, I); None if it is N(0, I)."""
    from mlda_core.assimilation.bend import Bend

    transport = bundle.prior(setting.prior).transport(bundle.calendar_month(month))
    return None if transport is None else Bend(transport, bundle.n_latent)


METHODS = (
    Vae(
        "vae",
        "VAE",
        "The decoder's latent vector and the residual analysis",
        "Kingma and Welling 2014, https://arxiv.org/abs/1312.6114; docs/assimilation.md",
        rank=10,
        latent="decoder",
        scored_in=EVERY_EVALUATION,
    ),
    Vae(
        "vae_latent_only",
        "VAE, latent only",
        "What the decoder alone can express",
        "Kingma and Welling 2014, https://arxiv.org/abs/1312.6114; docs/assimilation.md",
        rank=11,
        latent="decoder",
        latent_only=True,
        scored_in=("assimilation", "coverage", "learning_curve"),
    ),
)
