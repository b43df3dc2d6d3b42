"""Factors of networks, kept between assimilations and shared by all who assimilate."""

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

# Columns of B H^T kept in memory, by networks and by places: 74 kB each in the bundled model,
# 370 MB for each of the two.
MOST_COLUMNS = 5000
# More new places than this at once are a dense network, which its gain keeps whole.
MOST_NEW = 400
# Gains kept, each with a prior of its own at worst: 12 MB.
MOST_GAINS = 32
# Gains whose maps, such as the spread, are kept when their factors are gone: 74 kB a map, five at
# most, in the bundled model. A record in the order of time comes back to a network after 12 months.
MOST_LASTING = 48
# Priors kept, 7.5 MB each in the bundled model for the decoder: two networks of every month.
MOST_PRIORS = 24


class Gains:
    """Makes gains, and keeps the latest.

    A gain that is there is found at once; one is made at a time, so that a dense network that one
    visitor asks for takes neither all processors nor the answers of others.

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
            Places and errors; the values do not matter.
        method : GaussianMethod
            Whose prior.
        month : int
            Calendar month 1..12.
        setting : Setting
        sea_held : bool
        only : int, optional
            Row of the one variable whose columns are wanted.

        Returns
        -------
        Gain

        Raises
        ------
        ObservationError
            If the errors do not fit together.
        """
        places = observed.places
        fraction = method.decoder_fraction(
            self.bundle.settings, count_places(places), setting, sea_held=sea_held
        )
        weight = setting.background_weight
        family = method.prior_key(setting), month, fraction, setting.localisation, sea_held
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
        """Columns of B H^T by place: one more station costs one column."""
        store = self._columns
        names = [(family, name) for name in places.names]
        missing = np.array([i for i, name in enumerate(names) if name not in store], np.int64)
        if missing.size > MOST_NEW:
            return error.columns(places)
        if missing.size:
            for i, row in zip(missing, error.columns(places.where(missing)), strict=True):
                # A copy: a row of the block would keep all of it in memory.
                store[names[i]] = row.copy()
        out = np.empty((len(places), self.bundle.mask.size), np.float32)
        for i, name in enumerate(names):
            out[i] = store[name]
            store.move_to_end(name)
        while len(store) > MOST_COLUMNS:
            store.popitem(last=False)
        return out
