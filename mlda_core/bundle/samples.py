"""The times of a bundle as samples, as networks and cycles take them."""

from __future__ import annotations

import numpy as np

from mlda_core.bundle.bundle import Bundle
from mlda_core.vae.dataset import Months


def months_of_bundle(bundle: Bundle) -> Months:
    """Return a bundle's months as samples."""
    x = np.stack([bundle.target_standardised(m) for m in bundle.months])
    season = np.array([bundle.seasons.of(m) for m in bundle.months])
    present = np.isfinite(x) | ~bundle.mask
    return Months(
        x=np.nan_to_num(x),
        anomalies=np.stack([bundle.target(m) for m in bundle.months]),
        season=season,
        calendar=bundle.seasons.calendar_months(season),
        names=np.array(bundle.months),
        member=np.zeros(len(season), np.int64),
        split=np.array([bundle.split(m) for m in bundle.months]),
        present=None if present.all() else present,
    )
