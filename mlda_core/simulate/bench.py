"""Speed comparison of the atmosphere model and the decoder, in months a second."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import xarray as xr

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle

# A documented value, not measured here: speedy.f90, T30, 8 levels, single precision, one core.
FORTRAN_SECONDS_A_YEAR = 40.0
# Mean length of a month, days.
MONTH_DAYS = 365.25 / 12.0
_SINGLES = 20


class Model(Protocol):
    """The interface of a model that is needed for timing."""

    def forcing(self, surface: xr.Dataset) -> Any:
        """Return the argument of :meth:`day`."""

    def day(self, forcing: Any) -> Any:
        """Simulate one day."""


@dataclass
class Timing:
    """Seconds a month for one source of months, one value for each round.

    Parameters
    ----------
    label : str
        Display name.
    wall, processor : list of float
        Wall-clock time, and processor time of all threads of the process.
    """

    label: str
    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def time(self, call: Callable[[], object], months: float) -> None:
        """Time a call that produces a number of months, and record the time for one."""
        clock, worked = time.perf_counter(), time.process_time()
        call()
        self.wall.append((time.perf_counter() - clock) / months)
        self.processor.append((time.process_time() - worked) / months)

    @property
    def seconds(self) -> float:
        """Median wall-clock time."""
        return statistics.median(self.wall)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "label": self.label,
            "seconds_a_month": self.seconds,
            "least": min(self.wall),
            "most": max(self.wall),
            "processor_seconds_a_month": statistics.median(self.processor),
            "months_a_second": 1.0 / self.seconds,
            "rounds": len(self.wall),
        }


def measure(
    bundle: Bundle,
    model: Model,
    forcing: Any,
    *,
    days: int,
    rounds: int,
    batch: int,
    tick: Callable[[int, int], None] = lambda _done, _total: None,
) -> dict[str, Any]:
    """Time model and decoder alternately.

    Alternating, so that other load on the machine affects both alike. One-off costs, such as
    compiling the model, are excluded.

    Parameters
    ----------
    bundle : Bundle
    model : Model
    forcing : object
        For the model's first days; it must cover all of them.
    days : int
        Model days in a round.
    rounds : int
    batch : int
        Number of months decoded at once.
    tick : callable
        Called with (rounds done, in all).

    Returns
    -------
    dict
        Plain values: ``gcm``, ``single`` and ``batch`` (see :meth:`Timing.to_dict`), ``ratio`` of
        months a second to the model's, and to the Fortran model's documented figure.
    """
    draws = np.random.default_rng(1).standard_normal((batch, bundle.n_latent)).astype(np.float32)
    gcm = Timing("the model")
    single, many = Timing("decoder, a month at a time"), Timing(f"decoder, {batch} at once")
    tick(0, rounds)
    model.day(forcing)
    before = os.getloadavg()[0]
    for done in range(rounds):
        gcm.time(lambda: [model.day(forcing) for _ in range(days)], days / MONTH_DAYS)
        month = done % 12 + 1
        # Warm up: the model's run has evicted the decoder from the caches.
        bundle.decode_anomalies(draws, month)
        for z in draws[:_SINGLES]:
            single.time(partial(bundle.decode_anomalies, z, month), 1.0)
        many.time(partial(bundle.decode_anomalies, draws, month), float(batch))
        tick(done + 1, rounds)
    fortran = FORTRAN_SECONDS_A_YEAR / 12.0
    return {
        "machine": f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores",
        "load": [before, os.getloadavg()[0]],
        "gcm": gcm.to_dict(),
        "single": single.to_dict(),
        "batch": many.to_dict(),
        "fortran_months_a_second": 1.0 / fortran,
        "ratio": {
            "single": gcm.seconds / single.seconds,
            "batch": gcm.seconds / many.seconds,
            "single_to_fortran": fortran / single.seconds,
            "batch_to_fortran": fortran / many.seconds,
            "fortran": gcm.seconds / fortran,
        },
    }
