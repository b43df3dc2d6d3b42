"""Write the reference of the command line from the commands themselves, by Typer's own writer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer import cli

if TYPE_CHECKING:
    from sphinx.application import Sphinx

TARGET = Path("reference") / "command-line.md"


def write(app: Sphinx) -> None:
    """Write the page, where it changed."""
    from mlda_core.cli.main import app as commands

    group = typer.main.get_command(commands)
    with group.make_context("mlda", ["--help"], resilient_parsing=True) as context:
        text = cli.get_docs_for_click(obj=group, ctx=context, name="mlda", title="Command line")
    path = Path(app.srcdir) / TARGET
    # An unchanged page is not read again.
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True}
