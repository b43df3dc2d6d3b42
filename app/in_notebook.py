"""The page in a notebook: a server of its own, and a frame that shows it."""

from __future__ import annotations

import atexit
import html
import os
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.page_state.opened import PageState

ROOT = Path(__file__).resolve().parent.parent
# Seconds that a server may take to begin: it imports Panel and torch, and loads the bundle.
PATIENCE = 240.0


class PageFrame:
    """The page in a process of its own; a notebook shows it as a frame.

    Parameters
    ----------
    address : str
        Of the page.
    height : int
        Of the frame, pixels.
    process : subprocess.Popen
        The server.
    """

    def __init__(self, address: str, height: int, process: subprocess.Popen[bytes]) -> None:
        self.address, self.height, self._process = address, height, process
        atexit.register(self.close)

    def __repr__(self) -> str:
        """Say where the page is."""
        return f"<The page, at {self.address}>" if self.runs else "<The page, closed>"

    def _repr_html_(self) -> str:
        """Return the frame that Jupyter shows."""
        if not self.runs:
            return "<p>The page is closed; call mlda_app again.</p>"
        source = html.escape(self.address, quote=True)
        return (
            f'<iframe src="{source}" title="mlda" width="100%" height="{self.height}" '
            'style="border:0" allow="clipboard-write"></iframe>'
        )

    @property
    def runs(self) -> bool:
        """Whether its server runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """End its server."""
        atexit.unregister(self.close)
        self._process.terminate()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def mlda_app(
    bundle: Bundle | str | Path | None = None, link: str = "", *, height: int = 900, port: int = 0
) -> PageFrame:
    """Show the page in a notebook.

    It is served by a process of its own, so that it and the notebook do not wait for each other;
    it ends with the notebook's kernel.

    Parameters
    ----------
    bundle : Bundle, str or Path, optional
        What to show: a bundle, its folder, or the name of one that ships with the project.
    link : str
        A link of the page, or what follows its question mark: the state to begin with.
    height : int
        Of the frame, pixels.
    port : int
        On which it is served; any free one by default. With a kernel on another machine give one,
        and forward it.

    Returns
    -------
    PageFrame
        Its ``address`` is the page's, ``close()`` ends it.

    Raises
    ------
    UserError
        If the bundle or the link cannot be opened, the port is taken, or the server does not begin.
    """
    from mlda_core.bundle.bundle import Bundle, load_bundle
    from mlda_core.climate.errors import UserError
    from mlda_core.page_state.opened import from_link

    environment = dict(os.environ)
    # Read here too, so that what is wrong is said here.
    if bundle is not None:
        opened = bundle if isinstance(bundle, Bundle) else load_bundle(bundle)
        environment["MLDA_BUNDLE"] = str(opened.path.resolve())
        query = _without_bundle(from_link(link, opened)) if link else ""
    else:
        query = from_link(link).link if link else ""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise UserError(f"Port {port} is taken; give another, or none.") from None
        port = probe.getsockname()[1]
    environment["MLDA_PARENT"] = str(os.getpid())
    command = [sys.executable, "-m", "panel", "serve", "app", "--port", str(port)]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603 - words of its own
            command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        frame = PageFrame(
            f"http://localhost:{port}/app{'?' if query else ''}{query}", height, process
        )
        try:
            _await(process, port, log)
        except BaseException:
            frame.close()
            raise
    return frame


def _without_bundle(state: PageState) -> str:
    """Return a state's link for a server whose own bundle it is of, whatever that is called."""
    from mlda_core.page_state.serialize import to_query

    return to_query(state.snapshot, replace(state.limits, link=""))


def _await(process: subprocess.Popen[bytes], port: int, log: Any) -> None:
    """Wait until a server listens.

    Raises
    ------
    UserError
        If it ends, or does not listen in time.
    """
    from mlda_core.climate.errors import UserError

    deadline = time.monotonic() + PATIENCE
    while True:
        if process.poll() is not None or time.monotonic() > deadline:
            log.seek(0)
            said = log.read().decode(errors="replace").strip().splitlines()
            last = said[-1] if said else "it said nothing"
            raise UserError(
                f"The page could not be served ({last[:200]}); try 'panel serve app' in {ROOT}."
            )
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
