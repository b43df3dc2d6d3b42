"""Files that are replaced as a whole, so that an interruption leaves the earlier one intact."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file beside another one, and put it in its place at the end.

    Parameters
    ----------
    path : Path
        The file; it need not exist, its folder must.

    Yields
    ------
    Path
        What to write to; deleted if that fails.
    """
    part = path.with_name(path.name + ".part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
