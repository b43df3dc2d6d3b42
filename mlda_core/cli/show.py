"""The command ``mlda show``: what a link or a saved state is, and how to do the same."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mlda_core.cli.console import one_sentence, out
from mlda_core.cli.output_files import refuse_inputs


def show(
    link: Annotated[
        str, typer.Argument(help="Link of the page, in quotes, or a file that the page saved.")
    ],
    bundle: Annotated[
        Path | None,
        typer.Option(help="Folder of the bundle; by default the one that the link names."),
    ] = None,
    obs: Annotated[
        Path | None,
        typer.Option(help="Write the observations to this file, .nc (exact) or .csv."),
    ] = None,
    python: Annotated[
        bool, typer.Option("--python", help="Print the Python program that does the same.")
    ] = False,
) -> None:
    """Say what a link of the page shows, and the command line that does the same.

    Example: `mlda show '?month=1997-12&stations=30&method=eof'`
    """
    with one_sentence():
        from mlda_core.climate.errors import UserError
        from mlda_core.observations.table import to_csv, to_netcdf
        from mlda_core.page_state.commands import commands_of
        from mlda_core.page_state.described import described
        from mlda_core.page_state.opened import from_file, from_link
        from mlda_core.page_state.snippet import snippet_of

        saved = is_file(link)
        state = from_file(link, bundle) if saved else from_link(link, bundle)
        if python:
            _print(snippet_of(state).text.rstrip())
            return
        if obs is not None:
            if obs.suffix.lower() not in (".nc", ".csv"):
                raise UserError(f"--obs {obs} has no known suffix; name it .nc or .csv.")
            refuse_inputs(obs, [link if saved else None])
            if not len(state.table):
                raise UserError("This state has no observations to write; leave out --obs.")
            if obs.suffix.lower() == ".nc":
                to_netcdf(state.observations(), obs)
            else:
                obs.write_text(to_csv(state.observations()), encoding="utf-8")
            _print(f"Wrote {obs}: {len(state.table)} observations")
            return
        for line in described(state):
            _print(line)
        found = commands_of(state, link)
        if found.lines:
            _print("")
        for line in found.lines:
            _print(line)
        for sentence in found.beyond:
            _print(f"Not by command line: {sentence}")


def is_file(given: str) -> bool:
    """Whether a file is given, and no link."""
    if given.startswith("?") or "://" in given:
        return False
    return Path(given).is_file() or "=" not in given


def _print(line: str) -> None:
    # A command line is copied: it must not be folded.
    out.print(line, markup=False, highlight=False, soft_wrap=True)
