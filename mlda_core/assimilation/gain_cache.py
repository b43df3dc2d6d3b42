"""Cache of gains (network factors), shared by all assimilations of a bundle."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.covariance import LocalisedCovariance
from mlda_core.assimilation.gain import Gain
from mlda_core.assimilation.method import GaussianMethod
from mlda_core.assimilation.options import Setting
from mlda_core.assimilation.prior import Prior, PriorRequest
from mlda_core.bundle.bundle import Bundle
from mlda_core.climate.interpolation import Places
from mlda_core.observations.standardised import Observed, count_places

Float = NDArray[np.float32]

# Cached columns of B H^T, by networks and by places: 74 kB each in the bundled model, 370 MB for
# each of the two.
MOST_COLUMNS = 5000
# A network with more new places than this is dense; its columns are kept in its gain only.
MOST_NEW = 400
# Number of cached gains, 12 MB if each has its own prior.
MOST_GAINS = 32
# Number of gains whose maps, such as the spread, outlive their factors: 74 kB a map, at most five,
# in the bundled model. A chronological record returns to a network after 12 months.
MOST_LASTING = 48
# Number of cached priors, 7.5 MB each in the bundled model for the decoder: two networks a month.
MOST_PRIORS = 24


class Gains:
    """Computes gains, with a cache of the latest.

    Cached gains are returned at once; only one is computed at a time, so that a dense network
    requested by one visitor neither occupies all processors nor delays the others' results.

    Parameters
    ----------
    bundle : Bundle
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._found, self._making = threading.Lock(), threading.Lock()
        self._gains: OrderedDict[Any, Gain] = OrderedDict()
        self._priors: OrderedDict[Any, Prior] = OrderedDict()
        self._columns: OrderedDict[Any, Float] = OrderedDict()
        self._lasting: OrderedDict[Any, dict[str, Any]] = OrderedDict()

    def of(
        self,
        observed: Observed,
        method: GaussianMethod,
        month: int,
        setting: Setting,
        *,
        sea_held: bool,
        only: int | None = None,
    ) -> Gain:
        """Return the gain of a network.

        Parameters
        ----------
        observed : Observed
            Places and errors; values are ignored.
        method : GaussianMethod
            Provides the prior.
        month : int
            Calendar month 1..12.
        setting : Setting
        sea_held : bool
        only : int, optional
            Index of the one variable whose columns are needed.

        Returns
        -------
        Gain

        Raises
        ------
        ObservationError
            If the errors are inconsistent: S is not positive definite.
        """
        places = observed.places
        # The prior is that of a calendar month: its days share covariances and their columns.
        calendar = self.bundle.calendar_month(month)
        fraction = method.decoder_fraction(
            self.bundle.settings, count_places(places), setting, sea_held=sea_held
        )
        weight = setting.background_weight
        family = method.prior_key(setting), calendar, fraction, setting.localisation, sea_held
        key = ((*family, weight, only), b"".join(places.names), observed.variance.tobytes())
        with self._found:
            if key in self._gains:
                self._gains.move_to_end(key)
                return self._gains[key]
        with self._making:
            if key in self._gains:
                return self._gains[key]
            if (family, weight) not in self._priors:
                request = PriorRequest(
                    self.bundle, month, fraction, setting.localisation, weight, sea_held
                )
                self._priors[family, weight] = method.prior(request, setting)
            self._priors.move_to_end((family, weight))
            while len(self._priors) > MOST_PRIORS:
                self._priors.popitem(last=False)
            prior = self._priors[family, weight]
            if only is None:
                columns = self._columns_of(family, prior.error, places)
            else:
                columns = prior.error.columns(places, only)
            lasting = self._lasting.setdefault(key, {})
            gain = Gain(prior, places, observed.variance, columns, lasting)
            with self._found:
                self._gains[key] = gain
                self._lasting.move_to_end(key)
                while len(self._lasting) > MOST_LASTING:
                    self._lasting.popitem(last=False)
                while len(self._gains) > 1 and (
                    self._rows() > MOST_COLUMNS or len(self._gains) > MOST_GAINS
                ):
                    self._gains.popitem(last=False)
            return gain

    def _rows(self) -> int:
        return sum(len(gain.columns) for gain in self._gains.values())

    def _columns_of(self, family: Any, error: LocalisedCovariance, places: Places) -> Float:
        """Columns of B H^T by place: adding a station costs one column."""
        store = self._columns
        names = [(family, name) for name in places.names]
        missing = np.array([i for i, name in enumerate(names) if name not in store], np.int64)
        if missing.size > MOST_NEW:
            return error.columns(places)
        if missing.size:
            for i, row in zip(missing, error.columns(places.where(missing)), strict=True):
                # Copy: a view of the row would keep the whole block in memory.
                store[names[i]] = row.copy()
        out = np.empty((len(places), self.bundle.mask.size), np.float32)
        for i, name in enumerate(names):
            out[i] = store[name]
            store.move_to_end(name)
        while len(store) > MOST_COLUMNS:
            store.popitem(last=False)
        return out
