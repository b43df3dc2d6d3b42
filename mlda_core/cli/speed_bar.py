"""A progress bar that tells a speed, and tells it in a log too, where no bar can be drawn."""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from mlda_core.cli.console import errors

_EVERY_SECONDS = 60.0


def speed_bar() -> Progress:
    """Return a bar of months, with months a second, on the error stream.

    Tasks may take a minute each: the speed is a mean over many.
    """
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _SpeedColumn(),
        TimeRemainingColumn(),
        console=errors,
        speed_estimate_period=600.0,
    )


def ticker(bar: Progress, what: str) -> Callable[[float, float], None]:
    """Return what moves a bar; in a log it writes a line a minute.

    Parameters
    ----------
    bar : Progress
        Of :func:`speed_bar`.
    what : str
        What is done.

    Returns
    -------
    callable
        Of months done, and in all.
    """
    task = bar.add_task(what, total=None)
    told = time.monotonic()

    def tick(done: float, total: float) -> None:
        nonlocal told
        bar.update(task, completed=done, total=total)
        if not errors.is_terminal and time.monotonic() - told > _EVERY_SECONDS:
            told = time.monotonic()
            speed = _speed(bar.tasks[task])
            errors.print(f"{int(done)} of {int(total)} months, {speed}", highlight=False)

    return tick


def _speed(task: Task) -> str:
    """Months a second, once two ticks have come."""
    speed = task.finished_speed or task.speed
    return "- months/s" if speed is None else f"{speed:.2g} months/s"


class _SpeedColumn(ProgressColumn):
    """Months a second."""

    def render(self, task: Task) -> Text:
        """Return the speed of the last ticks."""
        return Text(_speed(task))
