"""The command ``mlda film``: a link of the page, month after month, as a GIF."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mlda_core.cli.console import one_sentence, out, ticking
from mlda_core.cli.output_files import files_of_bundle, refuse_inputs
from mlda_core.cli.show import is_file


def film(  # noqa: PLR0917 - options of a command, given by name
    link: Annotated[
        str, typer.Argument(help="Link of the page, in quotes, or a file that the page saved.")
    ],
    end: Annotated[str, typer.Option("--to", help="Last month, or day.")],
    output: Annotated[Path, typer.Option("--out", help="GIF to write.")],
    start: Annotated[
        str, typer.Option("--from", help="First month, or day; that of the link by default.")
    ] = "",
    variable: Annotated[
        list[str] | None,
        typer.Option(help="A row of the film; once for each. [default: all of the bundle]"),
    ] = None,
    seconds: Annotated[float, typer.Option(help="That each picture is shown.")] = 0.8,
    bundle: Annotated[
        Path | None,
        typer.Option(help="Folder of the bundle; by default the one that the link names."),
    ] = None,
) -> None:
    """Draw what a link shows for each month from one to another: its network, its model, its seas.

    Example: `mlda film '?tool=observe&model=analysis&network=historical&month=1997-06' --to
    1998-05 --variable psl --variable tas --out winter.gif`
    """
    with one_sentence():
        from mlda_core.climate.errors import ExtraError
        from mlda_core.page_state.opened import from_file, from_link

        try:
            from mlda_core.plotting.film import pictures_of, save_film, times_of
        except ImportError as error:
            raise ExtraError("A film", "plot") from error
        saved = is_file(link)
        state = from_file(link, bundle) if saved else from_link(link, bundle)
        refuse_inputs(output, [link if saved else None, *files_of_bundle(state.bundle.path)])
        times = times_of(state, start or state.month, end)
        with ticking() as tick:
            made = save_film(
                pictures_of(state, times, variable or ()),
                output,
                seconds=seconds,
                tick=lambda done: tick("pictures", done, len(times)),
            )
    size = made.stat().st_size / 1e6
    out.print(f"Wrote {output}: {len(times)} pictures, {size:.1f} MB", highlight=False)
