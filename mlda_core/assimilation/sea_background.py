"""Background given the observed sea: whether SST is observed well enough, and what it makes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.gain import Gain
from mlda_core.assimilation.gain_cache import Gains
from mlda_core.assimilation.options import Setting
from mlda_core.assimilation.problem import gaussian
from mlda_core.observations.standardised import Observed, cover

Float = NDArray[np.float32]

# The sea counts as observed if this fraction of its area has an observation within the distance,
SEA_COVER, SEA_WITHIN_KM = 0.9, 500.0
# and if ensemble OI leaves no more than this fraction of its variance: the background then takes
# SST as known, so observations that constrain it poorly must not determine it.
SEA_UNKNOWN = 0.15


class SeaBackground:
    """Makes backgrounds that are conditional on the observed sea.

    Parameters
    ----------
    gains : Gains
        Of the bundle.
    """

    def __init__(self, gains: Gains) -> None:
        self.bundle, self._gains = gains.bundle, gains

    def is_observed(self, observed: Observed, month: int) -> bool:
        """Whether SST is observed: nearly everywhere, and accurately enough."""
        bundle, places = self.bundle, observed.places
        if bundle.sea is None or bundle.statistics.sea is None or not len(places):
            return False
        # Reports and means do not make a background: see `mean`.
        at_sea = places.where(self.rows(observed))
        if not len(at_sea):
            return False
        exists = bundle.mask[bundle.sea_row].ravel()
        near = cover(at_sea, bundle.grid.points[exists], SEA_WITHIN_KM)
        area = bundle.grid.weights.ravel()[exists]
        if area[near].sum() < SEA_COVER * area.sum():
            return False
        gain = self.gain(observed, month)
        if "sea_unknown" not in gain.lasting:
            size = bundle.grid.weights.size
            cells = slice(bundle.sea_row * size, (bundle.sea_row + 1) * size)
            before = gain.prior.error.variance[cells]
            known = ((gain.whitener32 @ gain.columns) ** 2).sum(axis=0)
            gain.lasting["sea_unknown"] = (area * (before - known)[exists]).sum() / area.sum()
        return bool(gain.lasting["sea_unknown"] <= SEA_UNKNOWN)

    def rows(self, observed: Observed) -> NDArray[np.bool_]:
        """Return which observations make the background, shape (p,): values of SST at places."""
        return (observed.places.variable == self.bundle.sea_row) & observed.plain

    def gain(self, observed: Observed, month: int) -> Gain:
        """Return the gain of these observations under ensemble OI, for the sea's cells only."""
        setting = Setting(method="enoi")
        return self._gains.of(
            observed.where(self.rows(observed)),
            gaussian(setting),
            month,
            setting,
            sea_held=False,
            only=self.bundle.sea_row,
        )

    def mean(self, observed: Observed, month: int) -> Float:
        """Return what the sea network makes of the ensemble OI analysis of SST, shape (cells,)."""
        bundle = self.bundle
        gain = self.gain(observed, month)
        sea = observed.where(self.rows(observed))
        field = gain.columns.T @ gain.residual_weights(sea.value).astype(np.float32)
        field = field.reshape(1, *bundle.grid.shape) * bundle.mask[bundle.sea_row]
        return bundle.mean_under(field, np.array([month])).ravel()
