"""The page in a process of its own, for benchmarks, and what is made of their times."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
# Seconds without work after which a server rests.
QUIET = 6
# As `make serve` does (Makefile says why).
AS_MADE = ("--unused-session-lifetime", "120000")


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def served(
    port: int, *options: str, app: str = "app"
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Serve the page as users do, and stop it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "panel", "serve", app, "--port", str(port), *AS_MADE, *options],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
    )
    url = f"http://localhost:{port}/{Path(app).name}"
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(url, timeout=60).read()
                break
            except OSError:
                if time.monotonic() > deadline or process.poll() is not None:
                    sys.exit("The page could not be served; try 'panel serve app' to see why.")
                time.sleep(0.3)
        yield url, process
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            # A busy machine: what was measured must not be lost with it.
            process.kill()
            process.wait()


def worked(server: Iterable[psutil.Process]) -> float:
    """Return the seconds of processor time that these processes have used."""
    return sum(sum(process.cpu_times()[:2]) for process in server)


def rest(server: Iterable[psutil.Process], most: float = 300.0) -> None:
    """Wait until the server has made what it makes ahead of visits, seasons' Jacobians among it."""
    deadline = time.monotonic() + most
    # Between two seasons it pauses for 3 s (app/warm_up.py).
    quiet = 0
    while quiet < QUIET and time.monotonic() < deadline:
        before = worked(server)
        time.sleep(1)
        quiet = quiet + 1 if worked(server) - before < 0.05 else 0
    if quiet < QUIET:
        print(f"the server is still at work after {most:g} s", file=sys.stderr, flush=True)


def percentile(values: list[float], share: float) -> float:
    """Return a percentile by linear interpolation."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])
