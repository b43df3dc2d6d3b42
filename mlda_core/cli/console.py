"""What commands share: two consoles, a progress bar, and mistakes told in one sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

out, errors = Console(), Console(stderr=True)
# What the extras install, pyproject.toml.
_EXTRAS = {
    "matplotlib": "train",
    "dask": "scale",
    "distributed": "scale",
    "zarr": "scale",
    "jcm": "simulate",
    "pydartdiags": "archives",
}


@contextmanager
def one_sentence() -> Iterator[None]:
    """Turn mistakes that a user can mend into one sentence and exit code 2."""
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


def progress_bar() -> Progress:
    """Return a bar for long work, on the error stream: the output stays clean."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=errors,
    )


@contextmanager
def ticking() -> Iterator[Callable[[str, int, int], None]]:
    """Give a function of (what, done, in all) that moves a bar for each thing."""
    with progress_bar() as bar:
        tasks: dict[str, TaskID] = {}

        def tick(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield tick
