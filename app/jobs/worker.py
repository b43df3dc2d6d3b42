"""Long work off the event loop: the latest request wins.

All sessions share the background threads, for a laptop has few cores: one for pictures that can
wait, and two for analyses, so that one long minimisation does not block the other sessions.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from app.jobs import background
from app.jobs.background import stopping
from mlda_core.climate.errors import UserError

T = TypeVar("T")
_POOL = background.pool(1, "mlda-work")
ANALYSES = background.pool(2, "mlda-analysis")
_LOG = logging.getLogger(__name__)


def _log(error: Exception) -> None:
    """Log a failure: a user's error in a line, an internal one with its traceback."""
    if isinstance(error, UserError):
        _LOG.info("refused: %s", error)
    else:
        _LOG.exception("background work failed", exc_info=error)


class Latest:
    """Run jobs one after the other; a newer job makes the older ones' results stale.

    Parameters
    ----------
    schedule : callable
        Runs a function on the session's own event loop: only that may touch the page.
    failed : callable
        Called with the error of a job that raised, on the session's event loop.
    pool : concurrent.futures.Executor, optional
        Whose threads do the work.
    """

    def __init__(
        self,
        schedule: Callable[[Callable[[], None]], Any],
        failed: Callable[[Exception], None] | None = None,
        pool: ThreadPoolExecutor = _POOL,
    ) -> None:
        self._schedule = schedule
        self._failed = failed
        self._pool = pool
        self._stamp = 0
        self._paused = False
        self._again: Callable[[], Any] | None = None
        self._lock = threading.Lock()
        self._resting: Callable[[], None] | None = None
        self._due = 0.0

    def submit(
        self,
        job: Callable[[Callable[[], bool]], T],
        deliver: Callable[[T], None],
        *,
        delay: float = 0.0,
    ) -> int:
        """Start a job.

        Parameters
        ----------
        job : callable
            Is given ``stale()``, true once a newer job was submitted: long jobs check it
            between steps and return early.
        deliver : callable
            Is given the result on the event loop, unless it is stale.
        delay : float
            Seconds without a newer job before this one starts; no thread is held meanwhile.

        Returns
        -------
        int
            The stamp of the job.
        """
        self._stamp += 1
        stamp = self._stamp

        def stale() -> bool:
            return stopping() or stamp != self._stamp

        def work() -> None:
            if stale():
                return
            try:
                result = job(stale)
            except Exception as error:  # noqa: BLE001 - whatever it is, the page has to say so
                _log(error)
                self._hand_over(stale, self._failed, error)
            else:
                self._hand_over(stale, deliver, result)

        if delay > 0:
            self._rest(delay, work)
        else:
            self._pool.submit(work)
        return stamp

    def _rest(self, delay: float, work: Callable[[], None]) -> None:
        """Start `work` once nothing newer came for a delay; one timer waits, not one a job."""
        with self._lock:
            waiting = self._resting is not None
            self._resting, self._due = work, time.monotonic() + delay
        if not waiting:
            self._later(delay, self._rested)

    def _rested(self) -> None:
        with self._lock:
            left = self._due - time.monotonic()
            work = None
            if left <= 0:
                work, self._resting = self._resting, None
        if left > 0:
            self._later(left, self._rested)
        elif work is not None:
            self._pool.submit(work)

    def stream(
        self,
        make: Callable[[], Iterator[T]],
        deliver: Callable[[T], None],
        *,
        pace: float | Callable[[T], float] = 0.0,
    ) -> int:
        """Start a job that has several results, each delivered as it comes.

        Parameters
        ----------
        make : callable
            Returns the results' iterator; it is made and run in the background, and a generator
            closed as soon as it is stale.
        deliver : callable
            Is given each result on the event loop, unless it is stale.
        pace : float or callable
            Seconds after a result, or what says them of each: for eyes to follow, and for `pause`
            to act; no thread is held meanwhile, for other visitors need it.

        Returns
        -------
        int
            The stamp of the job.
        """
        self.cancel()
        self._paused = False
        stamp = self._stamp
        # Bokeh runs what is scheduled before a session begins in no fixed order: whichever call
        # comes first takes the first result.
        results: deque[T] = deque()

        def stale() -> bool:
            return stopping() or stamp != self._stamp

        def advance(values: Iterator[T]) -> None:
            for value in values:
                results.append(value)
                self._hand_over(stale, lambda _: deliver(results.popleft()), None)
                if stale():
                    break
                wait = pace(value) if callable(pace) else pace
                if wait > 0:
                    self._later(wait, lambda: self._pool.submit(work, values))
                    return
            close(values)

        def close(values: Iterator[T]) -> None:
            if isinstance(values, Generator):
                values.close()

        def work(values: Iterator[T] | None = None) -> None:
            try:
                if values is None and not stale():
                    advance(make())
                elif values is not None and stale():
                    close(values)
                elif values is not None:
                    advance(values)
            except Exception as error:  # noqa: BLE001 - whatever it is, the page has to say so
                _log(error)
                self._hand_over(stale, self._failed, error)

        self._pool.submit(work)
        return stamp

    @property
    def paused(self) -> bool:
        """Whether a stream waits for `resume`."""
        return self._paused

    def pause(self) -> None:
        """Pause a paced stream after its next result."""
        self._paused = True

    def resume(self, *, once: bool = False) -> None:
        """Resume a paused stream, or take one more result and pause again."""
        self._paused = once
        again, self._again = self._again, None
        if again is not None:
            again()

    def cancel(self) -> None:
        """Make everything under way stale, as when the session ends."""
        self._stamp += 1
        # A stream that waits goes on once more, sees that it is stale, and closes its generator.
        self.resume()

    def _later(self, pace: float, again: Callable[[], Any]) -> None:
        def go() -> None:
            if stopping():
                return
            if self._paused:
                self._again = again
            else:
                again()

        timer = threading.Timer(pace, go)
        timer.daemon = True
        timer.start()

    def _hand_over(
        self, stale: Callable[[], bool], receiver: Callable[[Any], None] | None, value: Any
    ) -> None:
        if receiver is None or stale():
            return

        def run() -> None:
            if not stale():
                receiver(value)

        self._schedule(run)
