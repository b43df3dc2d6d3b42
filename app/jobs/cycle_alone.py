"""One observation in a window of 4D-Var, computed in the background; the newest request is next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from app.context import SessionContext
from app.jobs.analysis import sentence
from app.jobs.worker import ANALYSES, Latest
from mlda_core.page_state.single_observation import AloneRequest, AloneResult, through


class AloneJob:
    """Computes one window at a time, and holds the last.

    Parameters
    ----------
    context : SessionContext
        Whose page is drawn with a new window.
    """

    def __init__(self, context: SessionContext) -> None:
        self._bundle, self._changed = context.bundle, context.redraw
        self._work = Latest(context.schedule, self._broken, pool=ANALYSES)
        self.asked: AloneRequest | None = None
        self.result: AloneResult | None = None
        self.failed = ""

    @property
    def running(self) -> bool:
        """Whether a window is under way."""
        there = self.result is not None and self.result.request == self.asked
        return self.asked is not None and not there and not self.failed

    def ask(self, request: AloneRequest, start: NDArray[Any]) -> None:
        """Request a window, unless it is there, under way, or was refused."""
        if request == self.asked:
            return
        self.asked, self.failed = request, ""
        bundle = self._bundle

        def job(_: Callable[[], bool]) -> AloneResult:
            return through(bundle, request, start)

        self._work.submit(job, self._deliver)

    def _deliver(self, result: AloneResult) -> None:
        self.result = result
        self._changed()

    def _broken(self, error: Exception) -> None:
        self.failed = sentence(error, "The window")
        self._changed()

    def close(self) -> None:
        """Release everything at the end of the session."""
        self._work.cancel()
