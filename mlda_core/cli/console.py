"""Common output of commands: two consoles, a progress bar, and errors in one sentence."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

# In a log file, write a line at this interval, or earlier once another tenth is done.
MOST_SECONDS, LEAST_SECONDS, STEP = 30.0, 5.0, 0.1

out, errors = Console(), Console(stderr=True)
# Packages of the extras in pyproject.toml.
_EXTRAS = {
    "matplotlib": "train",
    "scores": "train",
    "dask": "scale",
    "distributed": "scale",
    "zarr": "scale",
    "jcm": "simulate",
    "pydartdiags": "archives",
    "azula": "priors",
    "zuko": "priors",
}


@contextmanager
def one_sentence() -> Iterator[None]:
    """Turn user errors into one sentence and exit code 2."""
    try:
        yield
    except (ValueError, OSError) as error:
        errors.print(f"mlda: {error}", style="bold red", markup=False, highlight=False)
        raise typer.Exit(2) from None
    except ImportError as error:
        missing = error.name or "a Python module"
        extra = _EXTRAS.get(missing.partition(".")[0])
        if extra is not None:
            remedy = f"install it with: pip install 'mlda-climate[{extra}]'."
        else:
            remedy = f"mend this Python environment ({error})."
        errors.print(f"mlda: {missing} cannot be imported; {remedy}", markup=False, highlight=False)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        errors.print("mlda: stopped; run the same command again to go on.", markup=False)
        raise typer.Exit(130) from None


class Bar(Progress):
    """A progress bar on standard error; in a log file, occasional lines instead.

    Parameters
    ----------
    *columns : ProgressColumn or str
        As for `rich.progress.Progress`.
    **options
        Its other arguments.
    """

    def __init__(self, *columns: ProgressColumn | str, **options: Any) -> None:
        super().__init__(*columns, console=errors, **options)
        # Time and fraction of the last line written for each task.
        self._printed: dict[TaskID, tuple[float, float]] = {}

    def add_task(self, *args: Any, **options: Any) -> TaskID:
        """Add a task, like `Progress.add_task`."""
        task_id = super().add_task(*args, **options)
        self._printed[task_id] = (time.monotonic(), _fraction(self._task(task_id)))
        return task_id

    def update(self, task_id: TaskID, **changes: Any) -> None:
        """Update a task, like `Progress.update`."""
        super().update(task_id, **changes)
        self._print_line(task_id)

    def advance(self, task_id: TaskID, advance: float = 1) -> None:
        """Advance a task, like `Progress.advance`."""
        super().advance(task_id, advance)
        self._print_line(task_id)

    def _task(self, task_id: TaskID) -> Task:
        return next(task for task in self.tasks if task.id == task_id)

    def _print_line(self, task_id: TaskID) -> None:
        if self.console.is_terminal:
            return
        task, now = self._task(task_id), time.monotonic()
        fraction, (when, printed) = _fraction(task), self._printed[task_id]
        # The bar itself is written once, at the end.
        if not 0 < fraction < 1 or fraction == printed:
            return
        enough = fraction - printed > STEP - 1e-9
        if now - when >= (LEAST_SECONDS if enough else MOST_SECONDS):
            self._printed[task_id] = (now, fraction)
            left = task.time_remaining
            line = f"{task.description}: {task.completed:.0f} of {task.total:.0f}"
            if task.speed:
                line += f", {task.speed:.2g} a second"
            if left is not None:
                line += f", {left / 60:.0f} min left" if left >= 90 else f", {left:.0f} s left"
            self.console.print(line, highlight=False, markup=False)


def _fraction(task: Task) -> float:
    return task.completed / task.total if task.total else 0.0


def progress_bar() -> Bar:
    """Return a progress bar on standard error, which keeps standard output clean."""
    return Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )


@contextmanager
def ticking() -> Iterator[Callable[[str, int, int], None]]:
    """Yield a function of (stage, done, in all) with a bar for each stage."""
    with progress_bar() as bar:
        tasks: dict[str, TaskID] = {}

        def tick(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield tick
