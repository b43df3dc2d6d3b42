"""Hooks that Bokeh's server runs at its start and end: they load what all sessions share."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any

ROOT = str(Path(__file__).resolve().parent.parent)
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

# With ``--num-procs`` this file is run before the server forks.
_FIRST = os.getpid()


class _Gone(logging.Filter):
    """Filter out log records of writes to sessions that have ended.

    Panel awaits the writes of a frame one after another and forgets the rest of them when the
    session is closed meanwhile; each then logged that its exception was never retrieved.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to log a record, by its error's name: the class is private to Bokeh."""
        error = record.exc_info[0] if record.exc_info else None
        return error is None or error.__name__ != "WebSocketClosedError"


def on_server_loaded(_: Any) -> None:
    """Load the bundle and compile numba's loops before the first visitor: 5 s."""
    logging.getLogger("asyncio").addFilter(_Gone())
    from app.jobs import background

    with background.heeding_signals():
        if os.getpid() != _FIRST:
            background.end_with_parent(_FIRST)
        elif (parent := os.environ.get("MLDA_PARENT", "")).isdecimal():
            # Served for a notebook: it ends with the kernel, however that ends.
            background.end_with_parent(int(parent))
        # The import takes seconds of its own.
        from app.warm_up import warm_seasons, warm_up

        warm_up()
    background.start(warm_seasons, "seasons")


def on_server_unloaded(_: Any) -> None:
    """End the threads of this process, before the interpreter ends under them."""
    from app.jobs import background

    background.stop()
