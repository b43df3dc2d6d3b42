"""The command line within this process, which has torch loaded: 0.1 s a command instead of 5."""

from __future__ import annotations

from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from typer.testing import CliRunner

from mlda_core.cli import console
from mlda_core.cli import main as cli


def mlda(*words: Any, cwd: Path | None = None) -> CompletedProcess[str]:
    """Run a command as the installed one does; return what it says with its exit code."""
    with pytest.MonkeyPatch.context() as patch:
        # Rich folds lines at 80 columns where there is no terminal: a wide one keeps sentences.
        patch.setattr(console.errors, "_width", 400)
        patch.setattr(console.out, "_width", 400)
        if cwd is not None:
            patch.chdir(cwd)
        done = CliRunner().invoke(cli.app, [str(word) for word in words])
    return CompletedProcess(words, done.exit_code, done.stdout, done.stderr)


def refusal(done: CompletedProcess[str]) -> str:
    """Return a mistake's message, checked to be one sentence with an exit code of its own."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("mlda: ")]
    assert line.rstrip().endswith(".")
    return line
