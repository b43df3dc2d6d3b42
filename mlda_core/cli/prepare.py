"""The commands ``mlda data``: from source files to one canonical dataset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlda_core.cli.console import errors, one_sentence, out, progress_bar
from mlda_core.cli.output_files import GRIDDED, refuse_inputs, whole

if TYPE_CHECKING:
    import xarray as xr

    from mlda_core.climate.time_step import TimeStep

_CHUNK = 32  # days in a compressed chunk of a member


def data_prepare(  # noqa: PLR0917 - options of a command, given by name
    paths: Annotated[
        list[str],
        typer.Argument(
            help="Folder with the files, the files, Zarr stores, or addresses of OPeNDAP or Zarr.",
            show_default=False,
        ),
    ],
    output: Annotated[Path, typer.Option("--out", help="NetCDF file to write.")],
    source: Annotated[
        str,
        typer.Option(
            help="Whose files: auto, speedy, 20crv3, gistemp, psl-eofs, ncep, era5, haduk or "
            "hadisst; cf for any others."
        ),
    ] = "auto",
    names_in_files: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            help="Which variable of the files is which, such as tasa=tas_mean, where CF standard "
            "names do not tell; may be given again.",
        ),
    ] = None,
    select: Annotated[
        list[str] | None,
        typer.Option(
            help="Value of a further dimension to take, such as realization=1; may be given again."
        ),
    ] = None,
    step: Annotated[
        str,
        typer.Option(help="Time step of the files and of the dataset: month or day."),
    ] = "month",
    stamp: Annotated[
        str | None,
        typer.Option(
            help="Where in its month (or day) a time stamp lies, where the files leave it open: "
            "start, end or middle."
        ),
    ] = None,
    amount: Annotated[
        str | None,
        typer.Option(
            help="Over which time amounts of rain are summed, where the files leave it open: "
            "hour, day or month."
        ),
    ] = None,
    variables: Annotated[
        str | None,
        typer.Option(help="CF names, separated by commas; all that the files hold by default."),
    ] = None,
    members: Annotated[
        str | None,
        typer.Option(help="Members of SPEEDY's files, such as 0,1,2; all by default."),
    ] = None,
    years: Annotated[
        str | None, typer.Option(help="Years, such as 1979-1988 or 1979,1997; all by default.")
    ] = None,
    grid: Annotated[
        str | None,
        typer.Option(
            help="Regrid to steps of so many degrees: 2.5, or 2x3 (latitude x longitude)."
        ),
    ] = None,
    like: Annotated[
        Path | None, typer.Option(help="Regrid to the latitudes and longitudes of this file.")
    ] = None,
    valid_share: Annotated[
        float,
        typer.Option(
            min=0.0, max=1.0, help="Least share of a new cell's area with values in the files."
        ),
    ] = 0.5,
    missing: Annotated[
        list[float] | None,
        typer.Option(
            help="A number that stands for a missing value though the files do not say so, in "
            "their units; may be given again."
        ),
    ] = None,
) -> None:
    """Turn monthly or daily files of a data source into one canonical dataset.

    The source is recognised from the files; docs/data.md says which files to download.

    Example: `mlda data prepare downloads/20crv3 --grid 2.5 --out runs/data/20crv3.nc`
    """
    with one_sentence(), progress_bar() as bar:
        from mlda_core.sources import SourceError
        from mlda_core.sources.choices import Choices
        from mlda_core.sources.origin import Origin
        from mlda_core.sources.prepare import SOURCES, read_files, recognise
        from mlda_core.sources.regrid import grid_like, grid_of_step

        refuse_inputs(output, [*paths, like], read=GRIDDED)
        if source not in SOURCES:
            raise SourceError(
                f"There is no reader for '{source}'; --source knows {', '.join(SOURCES)}."
            )
        choices = Choices.read(
            names=names_in_files, stamp=stamp, amount=amount, select=select, step=step
        )
        if source == "auto":
            source = recognise(paths, choices)
        if grid and like:
            raise SourceError("--grid and --like both name a grid; give one of them.")
        names = None if variables is None else [v.strip() for v in variables.split(",")]
        which = numbers(members, "--members"), numbers(years, "--years")
        task = bar.add_task("reading", total=None)
        origins: list[Origin] = []

        def tick(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        if source == "speedy":
            if grid or like:
                raise SourceError(
                    "SPEEDY's files stay on their own grid; leave out --grid and --like."
                )
            if choices != Choices(step=choices.step):
                raise SourceError(
                    "SPEEDY's files leave nothing open; leave out --map, --select, --stamp and "
                    "--amount."
                )
            if missing:
                raise SourceError("SPEEDY's files declare what is missing; leave out --missing.")
            dataset = _speedy([Path(path) for path in paths], names, *which, choices.step, tick)
        else:
            if members is not None:
                raise SourceError(f"Files of {source} have no members; leave out --members.")
            target = grid_of_step(grid) if grid else grid_like(like) if like else None
            dataset = read_files(
                paths,
                source,
                choices=choices,
                variables=names,
                years=which[1],
                grid=target,
                covered_only=grid is not None,
                valid_share=valid_share,
                missing=missing or (),
                progress=tick,
                tell=origins.append,
            )
        _write(dataset, output)
    wanted = ("member", "time", "lat", "lon", "y", "x")
    sizes = ", ".join(f"{dataset.sizes[k]} {k}" for k in wanted if k in dataset.sizes)
    out.print(f"{output}: {sizes}", highlight=False)
    for variable in dataset.data_vars.values():
        comment = variable.attrs.get("comment")
        if comment and "time" in variable.dims:
            errors.print(f"{comment}.", style="yellow", markup=False, highlight=False)
    if source != "speedy":
        held = ", ".join(str(name) for name in dataset.data_vars if "time" in dataset[name].dims)
        first, last = choices.step.labels(dataset["time"].values[[0, -1]])
        out.print(f"{source}: {held}, {first} to {last}", highlight=False)
        for origin in origins:
            out.print(f"  {origin}", highlight=False, markup=False)


def data_merge(
    paths: Annotated[
        list[Path],
        typer.Argument(help="Canonical datasets of different variables on one grid."),
    ],
    output: Annotated[Path, typer.Option("--out", help="NetCDF file to write.")],
) -> None:
    """Join canonical datasets of several sources; every month or day that any has is kept.

    Example: `mlda data merge runs/data/gistemp.nc runs/data/psl.nc --out runs/data/real.nc`
    """
    with one_sentence():
        from mlda_core.climate.cf import step_of
        from mlda_core.sources.merge import merge

        refuse_inputs(output, paths)
        dataset = merge(paths)
        step = step_of(dataset)
        _write(dataset, output)
    held = []
    for name, field in dataset.data_vars.items():
        there = dataset["time"].values[field.notnull().any(["member", "lat", "lon"]).values]
        held.append(
            f"{name} {step.label(there[0])} to {step.label(there[-1])}"
            if there.size
            else f"{name} without a value"
        )
    out.print(
        f"{output}: {dataset.sizes['time']} {step.plural}; {', '.join(held)}", highlight=False
    )


def _write(dataset: xr.Dataset, output: Path) -> None:
    from mlda_core.climate.cf import step_of
    from mlda_core.climate.time_step import DAY

    encoding: dict[str, dict[str, object]] = {}
    if step_of(dataset) is DAY:
        # Thirty times as many fields as months have, and the years that a member lacks are empty.
        for name, field in dataset.data_vars.items():
            if "time" in field.dims:
                chunks = (1, min(_CHUNK, field.sizes["time"]), *field.shape[2:])
                encoding[str(name)] = {"zlib": True, "complevel": 1, "chunksizes": chunks}
    with whole(output) as part:
        dataset.to_netcdf(part, engine="netcdf4", encoding=encoding)


def _speedy(
    paths: Sequence[Path],
    names: Sequence[str] | None,
    members: Sequence[int] | None,
    years: Sequence[int] | None,
    step: TimeStep,
    tick: Callable[[int, int], None],
) -> xr.Dataset:
    from mlda_core.sources import SourceError
    from mlda_core.sources.speedy import read_speedy

    if len(paths) > 1:
        raise SourceError("SPEEDY's files are read a folder at a time; give one folder.")
    return read_speedy(
        paths[0], variables=names, members=members, years=years, step=step, progress=tick
    )


def numbers(text: str | None, option: str) -> list[int] | None:
    """Parse the integers of ``0,1,2`` or ``1979-1988``.

    Raises
    ------
    ValueError
        If the text is not such a list; the message names the option.
    """
    if text is None:
        return None
    found: list[int] = []
    try:
        for part in text.split(","):
            first, _, last = part.partition("-")
            found += range(int(first), int(last or first) + 1)
    except ValueError:
        raise ValueError(
            f"{option} '{text}' is not a list such as 0,1,2 or 1979-1988; correct it."
        ) from None
    return found
