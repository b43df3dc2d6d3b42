"""Climatology: no anomaly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlda_core.forecast.kind import ForecastKind
from mlda_core.forecast.models.persistence import Damped

if TYPE_CHECKING:
    from torch import Tensor

    from mlda_core.bundle.bundle import Bundle


class Climatology(ForecastKind):
    """The mean of the season."""

    trained = False

    def build(
        self, bundle: Bundle, tensors: Mapping[str, Tensor], shape: Mapping[str, Any]
    ) -> Damped:
        """Build it; see :meth:`ForecastKind.build`."""
        del tensors, shape
        return Damped(bundle.mask.size, 0.0, self.key)


FORECAST = Climatology(
    "climatology",
    "Climatology",
    "The mean of the season",
    "Murphy 1992, https://doi.org/10.1175/1520-0434(1992)007<0692:CLARPA>2.0.CO;2",
    rank=90,
)
