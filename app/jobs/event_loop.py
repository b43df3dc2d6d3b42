"""A session's event loop: where work from other threads may touch its document."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any

Function = Callable[[], None]


class Schedule:
    """Runs functions on a session's event loop, from the page's loading on; any thread may call it.

    No other thread calls the document itself, for a callback added there can be lost: while Bokeh
    makes a session it takes over the document's callbacks, and while a hold on the document ends
    (`bokeh.document.callbacks.unhold`) it swaps the list to which the other thread appends. Each
    lost call left a page that waited for its analysis for ever, one in some hundreds.

    Parameters
    ----------
    add : callable
        Runs a function in the document's next tick, under its lock:
        `Document.add_next_tick_callback`. It is called on the event loop only.
    """

    def __init__(self, add: Callable[[Function], Any]) -> None:
        self._add = add
        self._loop: asyncio.AbstractEventLoop | None = None
        self._early: list[Function] = []
        self._lock = threading.Lock()

    def __call__(self, function: Function) -> None:
        """Run a function in the document's next tick."""
        with self._lock:
            loop = self._loop
            if loop is None:
                self._early.append(function)
                return
        # The loop is closed when the server has stopped: the result is no longer needed.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(self._add, function)

    def begin(self) -> None:
        """Run what was to be run before; called on the event loop once the page has loaded."""
        with self._lock:
            self._loop = asyncio.get_running_loop()
            early, self._early = self._early, []
        for function in early:
            function()
