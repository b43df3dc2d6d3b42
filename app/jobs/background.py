"""Background threads that end with the server.

A thread that is inside PyTorch while the interpreter ends aborts the process ("terminate called
without an active exception"). So no thread is left running: each checks `stopping`
between two pieces of work, and `stop` waits for it.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import FrameType

_STOP = threading.Event()
_THREADS: list[threading.Thread] = []
_POOLS: list[ThreadPoolExecutor] = []
# Seconds between two looks at whether the process that forked this one still runs.
WATCH = 1.0


def stopping() -> bool:
    """Whether the server is about to end: long work checks it between its pieces, and returns."""
    return _STOP.is_set()


def pause(seconds: float) -> bool:
    """Wait, and return whether the server is about to end: then at once."""
    return _STOP.wait(seconds)


def start(work: Callable[[], None], name: str) -> None:
    """Run work in a background thread.

    Parameters
    ----------
    work : callable
        Checks `stopping` between pieces of at most a few seconds.
    name : str
        Of the thread.
    """
    _THREADS[:] = [thread for thread in _THREADS if thread.is_alive()]
    # A daemon: Python joins other threads before it calls the server's exit handlers.
    thread = threading.Thread(target=work, name=name, daemon=True)
    _THREADS.append(thread)
    thread.start()


def pool(threads: int, name: str) -> ThreadPoolExecutor:
    """Return threads for the work of visitors, which end with the server too."""
    _POOLS.append(ThreadPoolExecutor(threads, thread_name_prefix=name))
    return _POOLS[-1]


def stop() -> None:
    """End what was started here, and wait for the piece of work that each thread is at."""
    _STOP.set()
    for made in _POOLS:
        made.shutdown(cancel_futures=True)
    for thread in _THREADS:
        thread.join()


@contextmanager
def heeding_signals() -> Iterator[None]:
    """Set `stopping` at SIGTERM and SIGINT, also while the event loop is blocked by work.

    The loop receives a SIGTERM all the same, once it runs: Python writes it to the loop's pipe
    whatever the handler is.

    Raises
    ------
    KeyboardInterrupt
        After the work, if there was a SIGINT. Raised at once it can be lost, for compiled code
        that is called back by a C library ignores it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: list[int] = []

    def heed(number: int, _frame: FrameType | None) -> None:
        heard.append(number)
        _STOP.set()

    before = {number: signal.signal(number, heed) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if signal.SIGINT in heard:
        raise KeyboardInterrupt


def end_with_parent(parent: int) -> None:
    """Send this process a SIGTERM soon after the one that forked it has ended.

    Without it a SIGTERM to the first process of ``--num-procs`` leaves the others serving.

    Parameters
    ----------
    parent : int
        Its process number.
    """

    def watch() -> None:
        while not pause(WATCH):
            if os.getppid() != parent:
                os.kill(os.getpid(), signal.SIGTERM)
                return

    start(watch, "parent")
