"""Files that commands write: never over what they read, and whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mlda_core.climate.errors import UserError
from mlda_core.sources.locks import is_open_elsewhere

PART = ".part"
# What folders of gridded files and of observations are searched for, in small letters.
GRIDDED = (".nc", ".nc4", ".cdf", ".netcdf", ".h5", ".zarr")
TABLES = (".csv", ".txt", ".tsv", ".nc", ".nc4")


class OutputError(UserError):
    """An output cannot be written, or would destroy an input."""


def refuse_inputs(
    output: Path, inputs: Iterable[str | Path | None], *, read: Sequence[str] = ()
) -> None:
    """Refuse an output that is an input, is in use, or cannot be written; touch nothing.

    Parameters
    ----------
    output : Path
        File or folder that a command will write.
    inputs : iterable of str, Path or None
        Files and folders that it reads; None is left out, and so is what is not there.
    read : sequence of str
        Endings of the files that are read in the folders among them: an output of such a name
        there would be an input of the next call.

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
    """Give a file beside the output to write to; it becomes the output once all is written.

    Parameters
    ----------
    output : Path
        Replaced at the end, and left as it was if the writing fails.

    Yields
    ------
    Path
        ``OUTPUT.part`` in the same folder, which is made.

    Raises
    ------
    OutputError
        If the output is a folder, or its folder cannot be written to, or the disk is full.
    """
    _check_folder(output)
    if output.is_dir():
        raise OutputError(f"--out {output} is a folder; give the name of a file.")
    output.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(output)
    try:
        yield part
        # A link keeps pointing to what it pointed to, and that is replaced.
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
    """Return the files that a bundle is read from; any other file of its folder is none."""
    from mlda_core.bundle.files import CALIBRATION_FILES, FILES

    return [folder / name for name in (*FILES, *CALIBRATION_FILES, "config.json", "scores.json")]


def part_of(output: Path) -> Path:
    """Return where an output is written until it is whole."""
    return output.with_name(output.name + PART)


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _same(one: Path, other: Path) -> bool:
    """Whether two paths are one file: by another spelling, a link, or one inode."""
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
    """Refuse a folder that cannot be made or written to."""
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
    """Refuse a file that another program holds by HDF5's lock, or that is read-only."""
    if not os.access(output, os.W_OK):
        raise OutputError(f"--out {output} is there and is read-only; give another name.")
    if is_open_elsewhere(output):
        raise OutputError(
            f"--out {output} is open in another program; close it there, or give another name."
        )
