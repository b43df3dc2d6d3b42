"""The command ``mlda observations``: from published archives to an observation table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlda_core.cli.console import errors, one_sentence, out
from mlda_core.cli.prepare import numbers

if TYPE_CHECKING:
    from mlda_core.observations.archives.registry import Conversion
    from mlda_core.observations.archives.selection import Region, Tally

# Number of damaged lines and skipped files printed.
_MOST_PRINTED = 10

observations_app = typer.Typer(help="Make tables of observations.", no_args_is_help=True)


@observations_app.command("convert")
def convert(  # noqa: PLR0917 - options of a command, given by name
    paths: Annotated[
        list[Path],
        typer.Argument(
            help="Files as they are published, packed or not, or folders of them.",
            show_default=False,
        ),
    ],
    output: Annotated[Path, typer.Option("--out", help="Table to write, .csv or .nc.")],
    archive: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="ghcnm, gsom, isti, icoads or dart; recognised from the files by default.",
        ),
    ] = None,
    variables: Annotated[
        str | None,
        typer.Option(help="CF names, separated by commas: tas,psl; all by default."),
    ] = None,
    years: Annotated[
        str | None, typer.Option(help="Years, such as 1979-1988 or 1979,1997; all by default.")
    ] = None,
    months: Annotated[
        str | None, typer.Option(help="Calendar months, such as 12,1,2; all by default.")
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(help="South:north:west:east, degrees, such as 35:72:-10:40; all by default."),
    ] = None,
    monthly: Annotated[
        float | None,
        typer.Option(
            help="Of single reports (icoads, dart): means of each month and box of so many degrees."
        ),
    ] = None,
    keep_flagged: Annotated[
        bool,
        typer.Option(
            "--keep-flagged", help="Keep values that fail the archive's own quality control."
        ),
    ] = False,
    standard_units: Annotated[
        bool | None,
        typer.Option(
            "--standard-units/--metric-units",
            help="Of gsom: ordered in degF and inches, or in degC and mm; metric by default.",
        ),
    ] = None,
) -> None:
    """Turn station tables as they are published into a table of observations.

    Example: `mlda observations convert ghcnm.tavg.latest.qcf.tar.gz --years 1997 --out mine.csv`
    """
    with one_sentence():
        from mlda_core.observations.archives import registry
        from mlda_core.observations.archives.selection import Wanted

        names = None if variables is None else frozenset(v.strip() for v in variables.split(","))
        given = numbers(years, "--years"), numbers(months, "--months")
        wanted = Wanted(
            variables=names,
            years=None if given[0] is None else frozenset(given[0]),
            months=None if given[1] is None else frozenset(_calendar(given[1])),
            region=None if region is None else _region(region),
            keep_flagged=keep_flagged,
            standard_units=standard_units,
        )
        _check_output(output, paths)
        done = registry.convert(paths, archive=archive, wanted=wanted, monthly=monthly)
        about = {
            "title": f"Observations of {done.archive.title}",
            "source": ", ".join(path.name for path in paths),
        }
        registry.write(done.table, output, about)
        _print_summary(done, output)


def _calendar(months: list[int]) -> list[int]:
    if not all(1 <= m <= 12 for m in months):
        raise ValueError("--months takes calendar months 1 to 12, such as 12,1,2.")
    return months


def _region(text: str) -> Region:
    from mlda_core.observations.archives.selection import Region

    try:
        south, north, west, east = (float(x) for x in text.split(":"))
    except ValueError:
        raise ValueError(
            f"--region '{text}' is not south:north:west:east, such as 35:72:-10:40."
        ) from None
    if not (-90 <= south < north <= 90 and west < east <= west + 360):
        raise ValueError(
            f"--region '{text}' is no box: south below north, west below east, at most once around."
        )
    return Region(south, north, west, east)


def _check_output(output: Path, paths: list[Path]) -> None:
    """Refuse an output that is also an input, or has an unsupported suffix."""
    from mlda_core.observations.archives.documents import files
    from mlda_core.observations.archives.registry import SUFFIXES

    if output.suffix.lower() not in SUFFIXES:
        raise ValueError(f"--out {output} has no known suffix; name it .csv or .nc.")
    if output.exists() and any(p.exists() and p.samefile(output) for p in files(paths)):
        raise ValueError(f"--out {output} is one of the files to read; give another name.")


def _print_summary(done: Conversion, output: Path) -> None:
    table, tally = done.table, done.tally
    counts = table["variable"].value_counts()
    held = ", ".join(f"{number} of {name}" for name, number in counts.sort_index().items())
    span = f"{table['time'].min()} to {table['time'].max()}"
    out.print(f"{done.archive.title}: {held}, {span}", highlight=False)
    for reason, number in tally.left_out.most_common():
        out.print(f"Left out {number}: {reason}", highlight=False, markup=False)
    for sentence in tally.notes:
        errors.print(f"{sentence}.", style="yellow", highlight=False, markup=False)
    _print_damaged(tally)
    out.print(f"Wrote {output}", highlight=False)


def _print_damaged(tally: Tally) -> None:
    """Print the lines and files that were not read, up to a limit."""
    lines = list(tally.damaged)
    if tally.damaged:
        lines.insert(0, f"Lines that cannot be read, and were left out: {len(tally.damaged)}")
    lines = lines[: _MOST_PRINTED + 1]
    if len(tally.damaged) > _MOST_PRINTED:
        lines.append(f"... and {len(tally.damaged) - _MOST_PRINTED} more.")
    if tally.skipped:
        more = (
            f" and {len(tally.skipped) - _MOST_PRINTED} more"
            if len(tally.skipped) > _MOST_PRINTED
            else ""
        )
        shown = ", ".join(tally.skipped[:_MOST_PRINTED])
        lines.append(f"Not read, for they hold no observations of this format: {shown}{more}.")
    for line in lines:
        errors.print(line, style="yellow", highlight=False, markup=False)
