"""Whether another program has a file open, by HDF5's file locks."""

from __future__ import annotations

from pathlib import Path


def is_open_elsewhere(path: Path, *, for_writing: bool = False) -> bool:
    """Whether a file is locked by another program.

    Parameters
    ----------
    path : Path
        An existing file.
    for_writing : bool
        Count writers only, not readers.

    Returns
    -------
    bool
        Also False where the system or the file system has no locks (Windows does not allow an
        open file to be replaced).
    """
    try:
        import fcntl
    except ImportError:
        return False
    kind = fcntl.LOCK_SH if for_writing else fcntl.LOCK_EX
    try:
        with path.open("rb") as file:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
            fcntl.flock(file, fcntl.LOCK_UN)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
