"""A progress bar of months with a speed."""

from __future__ import annotations

from collections.abc import Callable

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from mlda_core.cli.console import Bar


def speed_bar() -> Bar:
    """Return a bar of months, with months a second, on standard error.

    The speed is averaged over many tasks, as each may take a minute.
    """
    return Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _SpeedColumn(),
        TimeRemainingColumn(),
        speed_estimate_period=600.0,
    )


def ticker(bar: Bar, what: str) -> Callable[[float, float], None]:
    """Return a callback that updates a bar.

    Parameters
    ----------
    bar : Bar
        From :func:`speed_bar`.
    what : str
        Description of the task.

    Returns
    -------
    callable
        Takes months done, and in all.
    """
    task = bar.add_task(what, total=None)

    def tick(done: float, total: float) -> None:
        bar.update(task, completed=done, total=total)

    return tick


class _SpeedColumn(ProgressColumn):
    """Months a second."""

    def render(self, task: Task) -> Text:
        """Return the recent speed, once there are two ticks."""
        speed = task.finished_speed or task.speed
        return Text("- months/s" if speed is None else f"{speed:.2g} months/s")
