"""A server that is told to stop while it warms up ends at once and in peace."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

pytestmark = pytest.mark.slow

# Seconds that a server has for anything, on a machine that does much else.
PATIENCE = 240


@contextlib.contextmanager
def heeding_interrupts():
    """Let processes that are started heed Ctrl-C: background jobs of a shell ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Served:
    """``panel serve app`` with what it says, in a file."""

    def __init__(self, root, log, *words, **env):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.log = log
        command = [sys.executable, "-m", "panel", "serve", "app", "--port", str(self.port), *words]
        with log.open("w") as out, heeding_interrupts():
            self.process = subprocess.Popen(
                command,
                cwd=root,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **env},
            )

    def until(self, done):
        """Return what ``done()`` does, once that is true."""
        deadline = time.monotonic() + PATIENCE
        while not (found := done()):
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.2)
        return found

    def started(self, count=1):
        """Return the numbers of the processes that serve, once so many say that they do."""

        def said():
            found = re.findall(r"server with process id: (\d+)", self.log.read_text())
            return [int(number) for number in found] if len(found) == count else []

        return self.until(said)

    def answers(self):
        """Wait until there is a page: then the first seasons are under way."""

        def asked():
            try:
                return urllib.request.urlopen(f"http://localhost:{self.port}/app").read()
            except OSError:
                return b""

        assert self.until(asked)

    def kill(self):
        """Leave nothing of it, whatever the test has found."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def serve(repo_root, tmp_path):
    made = []

    def start(*words, **env):
        made.append(Served(repo_root, tmp_path / f"{len(made)}.log", *words, **env))
        return made[-1]

    yield start
    for served in made:
        served.kill()


def alive(number):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def check_words(served):
    said = served.log.read_text()
    assert "terminate called" not in said
    assert "Traceback" not in said
    assert "rror" not in said


# During the imports one handler takes both signals; later each has a way of its own.
@pytest.mark.parametrize(
    ("number", "wait"),
    [
        (signal.SIGTERM, 0.3),
        (signal.SIGINT, 4.0),
        (signal.SIGTERM, "page"),
        (signal.SIGINT, "page"),
    ],
)
def test_a_server_stops_while_it_warms_up(serve, number, wait):
    served = serve()
    served.started()
    if wait == "page":
        served.answers()
    else:
        # Imports, maps, factors: where exactly does not matter.
        time.sleep(wait)
    served.process.send_signal(number)
    assert served.process.wait(PATIENCE) == 0
    words = "SIGTERM, shutting down" if number == signal.SIGTERM else "Interrupted, shutting down"
    assert words in served.log.read_text()
    check_words(served)


def test_each_of_several_processes_stops(serve, world_folder):
    # A small bundle, for each process warms up: what is tested is how they end together.
    served = serve("--num-procs", "2", MLDA_BUNDLE=str(world_folder))
    children = served.started(2)
    served.answers()
    for child in children:
        os.kill(child, signal.SIGTERM)
    # One that ended otherwise than well would be started again.
    assert served.process.wait(PATIENCE) == 0
    check_words(served)


def test_several_processes_stop_with_the_first(serve):
    served = serve("--num-procs", "2")
    children = served.started(2)
    time.sleep(4.0)
    served.process.terminate()
    served.process.wait(PATIENCE)
    served.until(lambda: not any(alive(child) for child in children))
    assert served.log.read_text().count("SIGTERM, shutting down") == 2
    check_words(served)
