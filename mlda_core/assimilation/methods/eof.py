"""EOFs instead of the decoder, in equal number: same formulation, solved in closed form.

Kaplan et al. 1997, https://doi.org/10.1029/97JC01734: reduced-space optimal interpolation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlda_core.assimilation.method import GaussianMethod

if TYPE_CHECKING:
    from mlda_core.assimilation.options import Setting
    from mlda_core.assimilation.prior import Prior, PriorRequest

# The number of latent components of the bundled model.
EOFS = 100


class Eof(GaussianMethod):
    """Reduced-space optimal interpolation by season, with the residual of the EOFs."""

    def prior(self, request: PriorRequest, setting: Setting) -> Prior:
        """Build the prior from leading EOFs of past months and their seasonal covariance."""
        from mlda_core.assimilation.prior import Prior, localised

        del setting
        bundle, statistics, s = request.bundle, request.bundle.statistics, request.bundle.settings
        count = min(EOFS, bundle.n_latent, len(bundle.decoder.patterns))
        covariance = statistics.residuals_of_leading(
            count, request.month, s.residual_width, s.residual_floor
        )
        leading = statistics.months(request.month, s.season_width, s.season_floor)[:count, :count]
        values, vectors = np.linalg.eigh(leading)
        root = vectors * np.sqrt(np.clip(values, 0.0, None) / request.background_weight)
        factor = np.asarray(root.T @ statistics.patterns[:count], np.float32)
        return Prior(factor, None, localised(request, covariance, s.half_width_eof))


_PAPER = "Kaplan et al. 1997, https://doi.org/10.1029/97JC01734"
METHODS = (
    Eof(
        "eof",
        "EOFs",
        "As many EOFs in the decoder's place, the same mathematics",
        _PAPER,
        rank=20,
        latent="linear",
        scored_in=("assimilation", "coverage", "learning_curve"),
    ),
    Eof(
        "eof_latent_only",
        "EOFs, latent only",
        "What as many EOFs alone can express",
        _PAPER,
        rank=21,
        latent="linear",
        latent_only=True,
    ),
)
