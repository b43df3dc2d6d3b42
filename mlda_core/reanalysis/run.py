"""A reanalysis on Dask: local processes, or any cluster that sees the same folders.

Dask spreads the tasks, gives those of a lost worker to another, and tries a failed one again. What
a task has done stands in the store, so a task that runs twice finds its own flags.
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

# Years of one calendar month in a task: enough that the factors of a network, which take seconds
# where it is dense, serve many months; few enough that a lost worker loses little.
YEARS = 20
# A task that fails is tried again: a file system may hiccup, and a mistake fails soon enough.
RETRIES = 2
_LOST = "run the same command again: it goes on with what is not done."


class ReanalysisError(UserError):
    """A reanalysis did not end; the message is one sentence with the remedy."""


def make_tasks(
    months: Sequence[str], done: NDArray[np.bool_], years: int = YEARS
) -> list[list[int]]:
    """Share out the months that are not done.

    Parameters
    ----------
    months : sequence of str
        ``YYYY-MM`` each.
    done : ndarray of bool, shape (months,)
    years : int
        Most months in a task.

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
    """Connect to a cluster, or start processes here.

    Parameters
    ----------
    scheduler : str, optional
        Address of a Dask scheduler, such as ``tcp://node1:8786``.
    workers : int
        Processes to start where there is none.

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
                # Any free port, of this machine alone, and no pages behind it.
                dashboard_address="127.0.0.1:0",
                scheduler_kwargs={"dashboard": False},
                # By default a worker is killed at its share of the memory, and would be again.
                memory_limit=0,
                silence_logs=logging.ERROR,
            ) as local,
            Client(local) as client,
        ):
            yield client
        return
    _quiet()
    try:
        client = Client(scheduler, timeout="15s")
    except (OSError, ValueError) as error:
        raise ReanalysisError(
            f"There is no Dask scheduler at '{scheduler}' ({_first_line(error)}); start one with "
            "'dask scheduler', or leave --scheduler out."
        ) from error
    try:
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
    """Assimilate every month of a store that is not done.

    Parameters
    ----------
    store : Path
        Made by :func:`mlda_core.reanalysis.store.lay_out`.
    bundle : Path
        The bundle that it was made for.
    client : Client
        Of a Dask cluster whose workers see both folders by the same names.
    years : int
        Most months in a task.
    tick : callable
        Is told months done, and in all, at the start and after each task.

    Returns
    -------
    list of (str, str)
        Months that cannot be assimilated, and why.

    Raises
    ------
    ReanalysisError
        If the scheduler or too many workers were lost, or a task failed again and again.
    """
    from dask.distributed import as_completed

    months, flags = read_months(store), read_done(store)
    done, failed = int(flags.sum()), []
    tick(done, len(months))
    tasks = make_tasks(months, flags, years)
    # Names of their own: another run's results are not these.
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


def _quiet() -> None:
    """Keep what the libraries log of a lost scheduler from what the command says in a sentence.

    Versions that do not match are told all the same: those are warnings, not logged.
    """
    for handler in logging.getLogger("distributed").handlers:
        handler.setLevel(logging.CRITICAL)
    for name in ("asyncio", "tornado.application"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _result(future: Future) -> Outcome:
    """Return what a task made, or say in one sentence why there is nothing."""
    from dask.distributed import CancelledError, KilledWorker
    from distributed.comm.core import CommClosedError

    try:
        return Outcome(*future.result())
    except (CancelledError, CommClosedError) as error:
        # The second where the scheduler goes while a result is on its way.
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
