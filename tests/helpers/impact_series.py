"""Series that impact heads are trained on."""

from __future__ import annotations

from mlda_core.impact.fitting import Training
from mlda_core.impact.series import MonthlySeries

QUICK = Training(n_latent=6, members=2, steps=300)


def series_of(bundle, values, units="m3/s"):
    return MonthlySeries("A river", units, bundle.months, values, "made up")
