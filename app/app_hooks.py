"""What Bokeh's server runs once, before the first visitor: everything that sessions share."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

ROOT = str(Path(__file__).resolve().parent.parent)
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)


def on_server_loaded(_: Any) -> None:
    """Load the bundle and compile what is compiled, so that nobody waits for it (5 s)."""
    from app.session import warm_seasons, warm_up

    warm_up()
    # A daemon: it must not keep a server alive that is told to stop.
    threading.Thread(target=warm_seasons, name="seasons", daemon=True).start()
