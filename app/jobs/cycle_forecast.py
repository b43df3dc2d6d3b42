"""A forecast of ten members from an analysis of the cycle, day by day in the background."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.context import SessionContext
from app.jobs.analysis import sentence
from app.jobs.worker import ANALYSES, Latest
from mlda_core.climate.errors import UserError
from mlda_core.page_state.cycle_runs import CycleRequest, material_of

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.cycling.followed import FollowedDay

MEMBERS, LEADS = 10, 10
# One forecast of ten members and the unperturbed one: fields of one variable, full, display units.
Fields = NDArray[np.float32]


@dataclass(frozen=True)
class ForecastRequest:
    """A forecast that is asked for.

    Parameters
    ----------
    run : CycleRequest
    cycle : int
        Number of the day in the run whose analysis it starts from.
    variable : int
        Of which fields are kept.
    labels : tuple of str
        Its days, the first that of the analysis.
    """

    run: CycleRequest
    cycle: int
    variable: int
    labels: tuple[str, ...]


def forecast_from(
    bundle: Bundle, request: ForecastRequest, analysis: NDArray[Any], spread: NDArray[Any] | None
) -> Iterator[Fields]:
    """Step members from an analysis: errors of climatology's shape, as large as the method expects.

    Parameters
    ----------
    bundle : Bundle
    request : ForecastRequest
    analysis, spread : ndarray, shape (V, lat, lon)
        Standardised.

    Yields
    ------
    ndarray of float32, shape (1 + MEMBERS, lat, lon)
        The unperturbed forecast first.
    """
    from mlda_core.cycling.covariance import LocalisedSample
    from mlda_core.cycling.followed import shown
    from mlda_core.forecast.dynamics import advance

    material = material_of(bundle)
    times = bundle.seasons.step.times(request.labels)
    believed = material.climatology.at(times[0]).covariance
    if spread is None or not isinstance(believed, LocalisedSample):
        raise UserError("This method does not say how sure it is; choose another for a forecast.")
    generator = np.random.default_rng(request.cycle)
    usual = np.sqrt(believed.variance)
    wanted = spread.astype(np.float64).ravel()
    scale = np.divide(wanted, usual, out=np.zeros_like(usual), where=usual > 0)
    drawn = generator.standard_normal((MEMBERS, len(believed.anomalies))) @ believed.anomalies
    states = np.concatenate((np.zeros((1, usual.size)), drawn * scale))
    states += analysis.astype(np.float64).ravel()
    for lead, label in enumerate(request.labels):
        if lead:
            # Without a model error for the first, the unperturbed one.
            first = advance(material.dynamics, states[:1], times[lead - 1 : lead])
            others = advance(material.dynamics, states[1:], times[lead - 1 : lead], generator)
            states = np.concatenate((first, others))
        season = bundle.seasons.of(label)
        usual_field = bundle.climatology(season)[request.variable]
        yield np.stack([
            shown(bundle, state, season)[request.variable] + usual_field for state in states
        ]).astype(np.float32)  # fmt: skip


class ForecastJob:
    """Makes one forecast at a time, and holds the last.

    Parameters
    ----------
    context : SessionContext
        Whose page is drawn with each new day.
    """

    def __init__(self, context: SessionContext) -> None:
        self._bundle, self._changed = context.bundle, context.redraw
        self._work = Latest(context.schedule, self._broken, pool=ANALYSES)
        self.request: ForecastRequest | None = None
        self.days: list[Fields] = []
        self.failed = ""

    @property
    def running(self) -> bool:
        """Whether days are under way."""
        wanted = 0 if self.request is None else len(self.request.labels)
        return len(self.days) < wanted and not self.failed

    def start(self, request: ForecastRequest, day: FollowedDay) -> None:
        """Make a forecast from a day of the run."""
        self.request, self.days, self.failed = request, [], ""
        bundle, analysis, spread = self._bundle, day.analysis, day.spread

        def make() -> Iterator[Fields]:
            return forecast_from(bundle, request, analysis, spread)

        self._work.stream(make, self._deliver)

    def forget(self) -> None:
        """Drop the forecast: it is of another run."""
        self._work.cancel()
        self.request, self.days, self.failed = None, [], ""

    def _deliver(self, fields: Fields) -> None:
        self.days.append(fields)
        self._changed()

    def _broken(self, error: Exception) -> None:
        self.failed = sentence(error, "The forecast")
        self._changed()

    def close(self) -> None:
        """Release everything at the end of the session."""
        self._work.cancel()
