"""Threads that end with the server: each test in a process of its own, for there is one end."""

import subprocess
import sys

import pytest

ENDS = """
import threading, time
from app.jobs import background

told, at_work = [], threading.Event()

def work():
    at_work.set()
    while not background.pause(0.01):
        pass
    told.append("work")

def piece():
    time.sleep(0.2)
    told.append("piece")

background.start(work, "work")
pool = background.pool(1, "visitors")
pool.submit(piece)
waiting = pool.submit(told.append, "never")
at_work.wait()
assert not background.stopping()
background.stop()
assert background.stopping() and background.pause(60)
# What was under way is waited for, what had not begun is dropped.
assert sorted(told) == ["piece", "work"], told
assert waiting.cancelled()
"""

SIGNALLED = """
import os, signal
from app.jobs import background

before = signal.getsignal(signal.{0})
done = False
try:
    with background.heeding_signals():
        os.kill(os.getpid(), signal.{0})
        assert background.pause(5)
        done = True
except KeyboardInterrupt:
    assert "{0}" == "SIGINT"
else:
    assert "{0}" == "SIGTERM"
assert done, "the work goes on to its end"
assert signal.getsignal(signal.{0}) is before
"""

PARENTLESS = """
import os, signal, time
from app.jobs import background

background.WATCH = 0.05
signal.signal(signal.SIGTERM, lambda *_: os._exit(7))
background.end_with_parent(os.getppid())
time.sleep(0.3)
background.end_with_parent(-1)
time.sleep(20)
"""


def run(repo_root, program):
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=repo_root, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stderr


def test_work_under_way_is_waited_for_and_what_waits_is_dropped(repo_root):
    assert run(repo_root, ENDS) == (0, "")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_is_heard_while_work_holds_the_loop(repo_root, name):
    assert run(repo_root, SIGNALLED.format(name)) == (0, "")


def test_a_process_ends_where_its_parent_is_another(repo_root):
    assert run(repo_root, PARENTLESS)[0] == 7
