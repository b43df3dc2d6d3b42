"""Run a reanalysis on Dask: local processes, or any cluster that sees the same folders.

Dask distributes the tasks, reassigns those of a lost worker and retries failed ones. Results are
in the store, so a task that runs again skips the months flagged as done.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.errors import UserError
from mlda_core.reanalysis.store import StoreError, by_calendar, read_done, read_months
from mlda_core.reanalysis.work import Outcome, assimilate_rows

if TYPE_CHECKING:
    from dask.distributed import Client, Future

# Years of one calendar month in a task: enough that the gain factors of a network, which take
# seconds if it is dense, serve many months; few enough that a lost worker loses little.
YEARS = 20
# A failed task is retried for transient file-system errors; a genuine error fails soon enough.
RETRIES = 2
_LOST = "run the same command again: it goes on with what is not done."


class ReanalysisError(UserError):
    """A reanalysis could not be completed; the message is one sentence with the remedy."""


def make_tasks(
    months: Sequence[str], done: NDArray[np.bool_], years: int = YEARS
) -> list[list[int]]:
    """Divide the months that are not done into tasks.

    Parameters
    ----------
    months : sequence of str
        ``YYYY-MM`` each.
    done : ndarray of bool, shape (months,)
    years : int
        Maximum number of months in a task.

    Returns
    -------
    list of list of int
        Rows of months, of one calendar month each.
    """
    out: list[list[int]] = []
    for i in map(int, by_calendar(months)):
        if done[i]:
            continue
        if out and len(out[-1]) < years and months[out[-1][0]][5:7] == months[i][5:7]:
            out[-1].append(i)
        else:
            out.append([i])
    return out


@contextmanager
def cluster(scheduler: str | None, workers: int) -> Iterator[Client]:
    """Connect to a cluster, or start local processes.

    Parameters
    ----------
    scheduler : str, optional
        Address of a Dask scheduler, such as ``tcp://node1:8786``.
    workers : int
        Number of local processes if no scheduler is given.

    Yields
    ------
    Client

    Raises
    ------
    ReanalysisError
        If there is no scheduler at the address.
    """
    from dask.distributed import Client, LocalCluster

    if scheduler is None:
        with (
            LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                # Any free port, on localhost only; its pages are not used.
                dashboard_address="127.0.0.1:0",
                scheduler_kwargs={"dashboard": False},
                # Dask's default limit kills a worker, and then its successor too.
                memory_limit=0,
                silence_logs=logging.ERROR,
            ) as local,
            Client(local, set_as_default=False) as client,
            client.as_current(),
        ):
            yield client
        return
    _silence_logging()
    try:
        # As the default it would be left behind, without a connection, where this fails.
        client = Client(scheduler, timeout="15s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise ReanalysisError(
            f"There is no Dask scheduler at '{scheduler}' ({_first_line(error)}); start one with "
            "'dask scheduler', or leave --scheduler out."
        ) from error
    try:
        with client.as_current():
            yield client
    finally:
        client.close(timeout=5)


def run(
    store: Path,
    bundle: Path,
    client: Client,
    *,
    years: int = YEARS,
    tick: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[tuple[str, str]]:
    """Assimilate all months of a store that are not done.

    Parameters
    ----------
    store : Path
        Created by :func:`mlda_core.reanalysis.store.lay_out`.
    bundle : Path
        The bundle of the store.
    client : Client
        Of a Dask cluster whose workers see both folders under the same names.
    years : int
        Maximum number of months in a task.
    tick : callable
        Called with (months done, in all), at the start and after each task.

    Returns
    -------
    list of (str, str)
        Months that cannot be assimilated, with reasons.

    Raises
    ------
    ReanalysisError
        If the scheduler or too many workers were lost, or a task failed repeatedly.
    """
    from dask.distributed import as_completed

    months, flags = read_months(store), read_done(store)
    done, failed = int(flags.sum()), []
    tick(done, len(months))
    tasks = make_tasks(months, flags, years)
    # Unique task names: Dask must not reuse another run's results.
    name = f"reanalyse-{time.time_ns():x}"
    futures = [
        client.submit(
            assimilate_rows,
            str(store.resolve()),
            str(bundle.resolve()),
            rows,
            key=f"{name}-{months[rows[0]]}",
            retries=RETRIES,
        )
        for rows in tasks
    ]
    for future in as_completed(futures):
        outcome = _result(future)
        done += outcome.done
        failed += list(outcome.failed)
        future.release()
        tick(done, len(months))
    return sorted(failed)


def _silence_logging() -> None:
    """Silence the libraries' log messages about a lost scheduler; the error message covers it.

    Version mismatches are still reported: they are warnings, not log messages.
    """
    for handler in logging.getLogger("distributed").handlers:
        handler.setLevel(logging.CRITICAL)
    for name in ("asyncio", "tornado.application"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _result(future: Future) -> Outcome:
    """Return a task's result, or raise an error of one sentence."""
    from dask.distributed import CancelledError, KilledWorker
    from distributed.comm.core import CommClosedError

    try:
        return Outcome(*future.result())
    except (CancelledError, CommClosedError) as error:
        # The second exception occurs if the scheduler is lost while a result is in transit.
        raise ReanalysisError(f"The scheduler was lost; {_LOST}") from error
    except KilledWorker as error:
        raise ReanalysisError(
            f"Workers died again and again over the same months; look for what ends them, such as "
            f"too little memory, then {_LOST}"
        ) from error
    except (StoreError, ReanalysisError):
        raise
    except Exception as error:
        raise ReanalysisError(
            f"A worker failed {RETRIES + 1} times ({type(error).__name__}: {_first_line(error)}); "
            f"mend that, then {_LOST}"
        ) from error


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0][:200]
