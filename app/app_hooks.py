"""Hooks that Bokeh's server runs at its start and end: they load what all sessions share."""

from __future__ import annotations

import gc
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


def _spare_visits() -> None:
    """Leave out of each visit what Python and Bokeh do anew there without need.

    What is loaded by now, some 900,000 objects, stays to the end: the garbage collector walked
    through it once or twice a visit, .7 s in which no slider moved. And it looked for new garbage
    each 700 objects, of which a visit makes 100,000 that stay: together a fifth of making a visit.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, *gc.get_threshold()[1:])


def on_server_loaded(_: Any) -> None:
    """Load the bundle and compile numba's loops before the first visitor: 5 s."""
    logging.getLogger("asyncio").addFilter(_Gone())
    # Bokeh's check of each new page, for those who write pages: a twentieth of opening one.
    os.environ.setdefault("BOKEH_VALIDATE_DOC", "false")
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
        _spare_visits()
    background.start(warm_seasons, "seasons")


def on_server_unloaded(_: Any) -> None:
    """End the threads of this process, before the interpreter ends under them."""
    from app.jobs import background

    background.stop()
