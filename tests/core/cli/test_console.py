"""What commands print: bars, lines in a log, and errors in one sentence."""

from __future__ import annotations

import sys

import pytest
import typer
from rich.console import Console

from mlda_core.cli import console


def test_the_extra_is_recommended_only_for_what_it_installs(capsys):
    def stumble():
        with console.one_sentence():
            raise ModuleNotFoundError("No module named 'yaml.nodes'", name="yaml.nodes")

    with pytest.raises(typer.Exit):
        stumble()
    said = " ".join(capsys.readouterr().err.split())
    assert "yaml.nodes cannot be imported" in said
    assert "mlda-climate[train]" not in said


def test_a_slow_command_writes_a_line_though_little_is_done(monkeypatch, capsys):
    monkeypatch.setattr(console, "errors", Console(file=sys.stderr, width=200))
    now = [0.0]
    monkeypatch.setattr(console.time, "monotonic", lambda: now[0])
    with console.progress_bar() as bar:
        task = bar.add_task("training", total=1000)
        for done in range(1, 8):
            now[0] += 10.0
            bar.update(task, completed=done)
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("training: ")]
    assert [line.partition(",")[0] for line in told] == [
        "training: 3 of 1000",
        "training: 6 of 1000",
    ]
