"""What takes seconds to make, made once in a run of the tests: its processes share one folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

# Where the run's things are kept: conftest.py sets it before any test.
MADE = "MLDA_TEST_BUNDLES"


def copy_kept(name: str, make: Callable[[Path], object], folder: Path) -> Path:
    """Copy a folder's content into another one; it is made if it is the first of its name."""
    kept = Path(os.environ[MADE]) / name
    with FileLock(f"{kept}.lock"):
        if not kept.exists():
            begun = kept.with_name(f"{name}.begun")
            # Of a test that failed on the way.
            shutil.rmtree(begun, ignore_errors=True)
            begun.mkdir()
            make(begun)
            begun.rename(kept)
    shutil.copytree(kept, folder, dirs_exist_ok=True)
    return folder
