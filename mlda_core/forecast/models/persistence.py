"""Persistence: tomorrow's anomaly is today's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlda_core.forecast.kind import ForecastKind

if TYPE_CHECKING:
    from torch import Tensor

    from mlda_core.bundle.bundle import Bundle
    from mlda_core.forecast.dynamics import Time


@dataclass(frozen=True)
class Damped:
    """Anomalies times a factor.

    Parameters
    ----------
    size : int
    factor : float
        1 is persistence, 0 climatology.
    name : str
    """

    size: int
    factor: float
    name: str
    model_error: None = None

    def step(self, states: Tensor, time: Time) -> Tensor:
        """Step states; see :class:`mlda_core.forecast.dynamics.Dynamics`."""
        del time
        return states * self.factor


@dataclass(frozen=True)
class DampedKind(ForecastKind):
    """Anomalies times a factor, without training.

    Parameters
    ----------
    factor : float
    """

    factor: float = 1.0

    trained = False

    def build(
        self, bundle: Bundle, tensors: Mapping[str, Tensor], shape: Mapping[str, Any]
    ) -> Damped:
        """Build it; see :meth:`ForecastKind.build`."""
        del tensors, shape
        return Damped(bundle.mask.size, self.factor, self.key)


FORECAST = DampedKind(
    "persistence",
    "Persistence",
    "Tomorrow's anomaly is today's",
    "Murphy 1992, https://doi.org/10.1175/1520-0434(1992)007<0692:CLARPA>2.0.CO;2",
    rank=80,
)
