"""The command ``mlda export-site``: a bundle as a page without a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mlda_core.cli.console import one_sentence, out, ticking
from mlda_core.cli.output_files import files_of_bundle, refuse_inputs


def export_site(
    bundle: Annotated[Path, typer.Argument(help="Folder of the bundle, or its name if it ships.")],
    output: Annotated[Path, typer.Option("--out", help="Folder to write.")],
    month: Annotated[
        list[str] | None,
        typer.Option(
            metavar="YYYY-MM",
            help="A month of the page; once for each. By default TEST months of one calendar "
            "month, and each further calendar month adds 5 MB.",
        ),
    ] = None,
) -> None:
    """Write a folder that any web host serves: the model in the visitor's own browser, no Python.

    Try it with `python -m http.server --directory site`.

    Example: `mlda export-site speedy --out site`
    """
    with one_sentence():
        from mlda_core.bundle.bundle import load_bundle
        from mlda_core.climate.errors import ExtraError
        from mlda_core.page_state.snapshot import FIRST_MONTH

        try:
            from mlda_core.plotting.site import export_site as export
            from mlda_core.plotting.site import months_for_site
        except ImportError as error:
            raise ExtraError("A page without a server", "plot") from error
        own = load_bundle(bundle)
        refuse_inputs(output, files_of_bundle(own.path))
        months = tuple(month) if month else months_for_site(own, FIRST_MONTH)
        first = FIRST_MONTH if FIRST_MONTH in months else ""
        with ticking() as tick:
            made = export(own, output, months=months, first=first, tick=tick)
    out.print(
        f"Wrote {output}: {len(made.months)} months, {made.size / 1e6:.1f} MB", highlight=False
    )
