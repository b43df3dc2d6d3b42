"""Whether another program has a file open: HDF5 locks what it opens."""

from __future__ import annotations

from pathlib import Path


def is_open_elsewhere(path: Path, *, for_writing: bool = False) -> bool:
    """Whether a file is locked by another program.

    Parameters
    ----------
    path : Path
        That is there.
    for_writing : bool
        Whether only those that write count, and not those that read.

    Returns
    -------
    bool
        False as well where the system or the file system knows no locks (Windows does not let an
        open file be replaced).
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
