"""Long work off the event loop: the latest request wins.

Sessions share one background thread: the decoder uses one thread, and a laptop has few.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
_POOL = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mlda-work")
_LOG = logging.getLogger(__name__)


class Latest:
    """Run jobs one after the other; a newer job makes the older ones' results stale.

    Parameters
    ----------
    schedule : callable
        Runs a function on the session's own event loop: only that may touch the page.
    failed : callable
        Is told the error of a job that raised, on the session's event loop.
    """

    def __init__(
        self,
        schedule: Callable[[Callable[[], None]], Any],
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        self._schedule = schedule
        self._failed = failed
        self._stamp = 0

    def submit(self, job: Callable[[Callable[[], bool]], T], deliver: Callable[[T], None]) -> int:
        """Start a job.

        Parameters
        ----------
        job : callable
            Is given ``stale()``, true once a newer job was submitted: long jobs ask it between
            steps and return early.
        deliver : callable
            Is given the result on the event loop, unless it is stale.

        Returns
        -------
        int
            The stamp of the job.
        """
        self._stamp += 1
        stamp = self._stamp

        def stale() -> bool:
            return stamp != self._stamp

        def work() -> None:
            if stale():
                return
            try:
                result = job(stale)
            except Exception as error:  # noqa: BLE001 - whatever it is, the page has to say so
                _LOG.exception("background work failed")
                self._hand_over(stale, self._failed, error)
            else:
                self._hand_over(stale, deliver, result)

        _POOL.submit(work)
        return stamp

    def cancel(self) -> None:
        """Make everything under way stale, as when the session ends."""
        self._stamp += 1

    def _hand_over(
        self, stale: Callable[[], bool], receiver: Callable[[Any], None] | None, value: Any
    ) -> None:
        if receiver is None or stale():
            return

        def run() -> None:
            if not stale():
                receiver(value)

        self._schedule(run)
