"""Output files of commands: never overwriting inputs, and written atomically."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mlda_core.climate.errors import UserError
from mlda_core.sources.locks import is_open_elsewhere

PART = ".part"
# Suffixes searched for in folders of gridded files, in lower case.
GRIDDED = (".nc", ".nc4", ".cdf", ".netcdf", ".h5", ".zarr")
TABLES = (".csv", ".txt", ".tsv", ".nc", ".nc4")


class OutputError(UserError):
    """An output cannot be written, or would overwrite an input."""


def refuse_inputs(
    output: Path, inputs: Iterable[str | Path | None], *, read: Sequence[str] = ()
) -> None:
    """Refuse an output that is an input, is in use, or cannot be written; changes nothing.

    Parameters
    ----------
    output : Path
        File or folder to be written.
    inputs : iterable of str, Path or None
        Input files and folders; None and missing ones are ignored.
    read : sequence of str
        Suffixes of files read in input folders: such an output in them would become an input
        of the next call.

    Raises
    ------
    OutputError
        One sentence with the remedy.
    """
    sources = [Path(given) for given in inputs if given is not None]
    part = part_of(output)
    for source in sources:
        if not source.exists():
            continue
        if _same(output, source):
            raise OutputError(f"--out {output} is {source}, which is read; give another name.")
        for child in [source] if source.is_file() else _children(source):
            if _same(output, child):
                raise OutputError(f"--out {output} is {child}, which is read; give another name.")
            if _same(part, child):
                raise OutputError(
                    f"--out {output} is written by way of {child}, which is read; give another "
                    "name."
                )
        within = source.is_dir() and _real(output).parent == _real(source)
        if within and read and output.name.lower().endswith(tuple(read)):
            raise OutputError(
                f"--out {output} lies in {source}, whose files are read, and would be one of them "
                "the next time; give another folder."
            )
    _check_folder(output)
    if output.is_file():
        _refuse_used(output)


@contextmanager
def whole(output: Path) -> Iterator[Path]:
    """Yield a temporary path beside the output, renamed to it once complete.

    Parameters
    ----------
    output : Path
        Replaced at the end, and unchanged if writing fails.

    Yields
    ------
    Path
        ``OUTPUT.part`` in the same folder, which is created.

    Raises
    ------
    OutputError
        If the output is a folder, its folder is not writable, or the disk is full.
    """
    _check_folder(output)
    if output.is_dir():
        raise OutputError(f"--out {output} is a folder; give the name of a file.")
    output.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(output)
    try:
        yield part
        # A symbolic link is kept, and its target replaced.
        part.replace(_real(output) if output.is_symlink() else output)
    except RuntimeError as error:
        if not str(error).startswith("NetCDF:"):
            raise
        raise OutputError(
            f"{output} cannot be written ({error}); is the disk full, or the file open elsewhere?"
        ) from error
    finally:
        part.unlink(missing_ok=True)


def files_of_bundle(folder: Path) -> list[Path]:
    """Return the files that make up a bundle; other files of its folder are not included."""
    from mlda_core.bundle.files import (
        CALIBRATION_FILES,
        CYCLING_FILE,
        FILES,
        FORECAST_FILE,
        PRIOR_FILES,
    )
    from mlda_core.bundle.shipped import located
    from mlda_core.forecast.models import FORECASTS

    folder = located(folder)
    forecasts = [FORECAST_FILE.format(key) for key in FORECASTS]
    added = (*CALIBRATION_FILES, *PRIOR_FILES.values(), *forecasts, CYCLING_FILE)
    return [folder / name for name in (*FILES, *added, "config.json", "scores.json")]


def part_of(output: Path) -> Path:
    """Return the temporary path of an incomplete output."""
    return output.with_name(output.name + PART)


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _same(one: Path, other: Path) -> bool:
    """Whether two paths are the same file: by spelling, link or inode."""
    if _real(one) == _real(other):
        return True
    try:
        return one.exists() and one.samefile(other)
    except OSError:
        return False


def _children(folder: Path) -> list[Path]:
    try:
        return [child for child in folder.iterdir() if child.is_file()]
    except OSError:
        return []


def _check_folder(output: Path) -> None:
    """Refuse a folder that cannot be created or written to."""
    parent = _real(output).parent
    while not parent.exists():
        parent = parent.parent
    if not parent.is_dir():
        raise OutputError(f"--out {output} lies below {parent}, which is a file; give a folder.")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise OutputError(
            f"--out {output} lies in {parent}, which cannot be written to; give another folder."
        )


def _refuse_used(output: Path) -> None:
    """Refuse a file that is read-only or locked (HDF5) by another program."""
    if not os.access(output, os.W_OK):
        raise OutputError(f"--out {output} is there and is read-only; give another name.")
    if is_open_elsewhere(output):
        raise OutputError(
            f"--out {output} is open in another program; close it there, or give another name."
        )
