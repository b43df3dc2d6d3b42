"""Ensemble optimal interpolation: localised covariance of past months, weighted by season.

Evensen 2003, https://doi.org/10.1007/s10236-003-0036-9; localisation after Gaspari and Cohn 1999,
https://doi.org/10.1002/qj.49712555417.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlda_core.assimilation.method import EVERY_EVALUATION, GaussianMethod

if TYPE_CHECKING:
    from mlda_core.assimilation.options import Setting
    from mlda_core.assimilation.prior import Prior, PriorRequest


class EnsembleOI(GaussianMethod):
    """A baseline without latent part, from past months only."""

    sea_localisation = True

    def prior(self, request: PriorRequest, setting: Setting) -> Prior:
        """Build the prior from the covariance of past months, weighted by season."""
        from mlda_core.assimilation.prior import Prior, localised

        del setting
        s = request.bundle.settings
        covariance = request.bundle.statistics.months(request.month, s.season_width, s.season_floor)
        width = s.half_width_enoi_sea if request.sea_held else s.half_width_enoi
        return Prior(None, None, localised(request, covariance, width))


METHODS = (
    EnsembleOI(
        "enoi",
        "Ensemble OI",
        "Ensemble optimal interpolation, localised, by season",
        "Evensen 2003, https://doi.org/10.1007/s10236-003-0036-9",
        rank=30,
        scored_in=EVERY_EVALUATION,
    ),
)
