"""The command ``mlda assimilate``: observations in files to analyses in one netCDF file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import numpy as np
import typer
from rich.table import Table

from mlda_core.cli.console import errors, one_sentence, out, progress_bar
from mlda_core.cli.output_files import TABLES, files_of_bundle, refuse_inputs

if TYPE_CHECKING:
    import pandas as pd

    from mlda_core.assimilation.analysis import Analysis
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.observations.table import Reading, Rejected

# Of rows that were refused, so many are told; the file names them all.
_TOLD = 10


class Job(NamedTuple):
    """The observations of one month.

    Parameters
    ----------
    month : str
        ``YYYY-MM``.
    table : DataFrame
    rejected : tuple of str
        Rows that were refused, in words.
    notes : tuple of str
        What else there is to tell of them.
    """

    month: str
    table: pd.DataFrame
    rejected: tuple[str, ...]
    notes: tuple[str, ...] = ()


def assimilate(  # noqa: PLR0917 - options of a command, given by name
    bundle: Annotated[Path, typer.Argument(help="Folder of the bundle.")],
    obs: Annotated[
        Path,
        typer.Option(help="CSV or netCDF of observations, or a folder of them, one a month."),
    ],
    output: Annotated[Path, typer.Option("--out", help="NetCDF file to write.")],
    month: Annotated[
        str | None,
        typer.Option(help="YYYY-MM; without it, what the column time or the files' names say."),
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            help="vae, vae-latent-only, eof, eof-latent-only, enoi, regression, adam, climatology."
        ),
    ] = "vae",
    background: Annotated[
        str | None,
        typer.Option(
            help="climatology, a month YYYY-MM of the bundle, or a file of this command's; "
            "what the observed sea makes likely, or the prior's mean, by default."
        ),
    ] = None,
    background_weight: Annotated[float, typer.Option(help="Weight of the background.")] = 1.0,
    residual: Annotated[bool, typer.Option(help="Whether to add the residual analysis.")] = True,
    localisation: Annotated[
        float, typer.Option(help="Factor on the half-width of the localisation.")
    ] = 1.0,
    error_scale: Annotated[float, typer.Option(help="Factor on the observations' errors.")] = 1.0,
    max_steps: Annotated[int, typer.Option(min=1, help="Steps of the minimisation.")] = 50,
    against_bundle: Annotated[
        bool,
        typer.Option(
            "--against-bundle",
            help="Score against the bundle's own month: for observations that were made from it.",
        ),
    ] = False,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 1,
) -> None:
    """Assimilate observations; write the analyses, and the departures from them, as CF netCDF.

    Example: `mlda assimilate assets/bundles/speedy --obs mine.csv --month 1997-12 --out mine.nc`
    """
    with one_sentence():
        import torch

        from mlda_core.assimilation.assimilator import Assimilator
        from mlda_core.assimilation.netcdf import provenance, read_background, to_dataset, writing
        from mlda_core.assimilation.options import Setting
        from mlda_core.bundle.bundle import load_bundle

        refuse_inputs(output, [obs, background, *files_of_bundle(bundle)], read=TABLES)
        torch.set_num_threads(threads)
        model = load_bundle(bundle)
        engine = Assimilator(model)
        settings: dict[str, Any] = {
            "method": method.replace("-", "_"),
            "background_weight": background_weight,
            "residual": residual,
            "localisation": localisation,
            "error_scale": error_scale,
            "max_steps": max_steps,
        }
        Setting(**settings).check()
        jobs, digest = read_jobs(obs, model, month)
        tell_rejected(jobs)
        if against_bundle:
            for job in jobs:
                model.target(job.month)
        about = provenance(model, {**settings, "background": background})
        about |= {"observations_source": str(obs), "observations_sha256": digest}
        scores = Scores(model, against_bundle=against_bundle)
        with writing(output, about) as file, progress_bar() as bar:
            todo = [job for job in jobs if job.month not in file.months]
            task = bar.add_task("assimilating", total=len(jobs), completed=len(jobs) - len(todo))
            for job in todo:
                given: Any = background
                if background is not None and Path(background).suffix:
                    given = read_background(Path(background), model, job.month)
                analysis = engine.run(job.table, job.month, **settings, background=given)
                data = to_dataset(analysis, model, job.month)
                words = {"long_name": "rows of the observations that were refused"}
                data["rejected"] = ("time", np.array(["\n".join(job.rejected)], object), words)
                file.add(data, analysis.observations)
                scores.add(analysis, job.month)
                bar.console.print(_summary(analysis, job.month), highlight=False, markup=False)
                bar.advance(task)
        if todo:
            scores.tell()
        out.print(f"Wrote {output}", highlight=False)


def read_jobs(source: Path, bundle: Bundle, month: str | None) -> tuple[list[Job], str]:
    """Read all observations, so that a mistake shows before the work begins.

    Parameters
    ----------
    source : Path
        A file, or a folder whose files have a column ``time`` or a month in their names.
    bundle : Bundle
    month : str, optional
        ``YYYY-MM``; only that month.

    Returns
    -------
    jobs : list of Job
        One a month, ascending.
    digest : str
        SHA-256 of what was read.

    Raises
    ------
    ObservationError
        If there is nothing to assimilate, or a month cannot be told.
    """
    import pandas as pd

    from mlda_core.observations.table import ObservationError

    files = files_of(source)
    tables: dict[str, list[pd.DataFrame]] = {}
    refused: dict[str, list[str]] = {}
    notes: dict[str, list[str]] = {}
    for file in files:
        head = f"{file.name}, " if len(files) > 1 else ""
        for name, found in _months_of(file, bundle, month, many=source.is_dir()):
            if name:
                tables.setdefault(name, []).append(found.table)
            refused.setdefault(name, []).extend(f"{head}{_lower(r, head)}" for r in found.rejected)
            notes.setdefault(name, []).extend(f"{head}{_lower(n, head)}" for n in found.notes)
    jobs = [
        Job(name, pd.concat(parts, ignore_index=True), tuple(refused[name]), tuple(notes[name]))
        for name, parts in sorted(tables.items())
        if month is None or name == month
    ]
    lost = [reason for reasons in refused.values() for reason in reasons]
    if not sum(len(job.table) for job in jobs):
        why = f"; the first reason: {lost[0]}" if lost else "."
        raise ObservationError(f"{source} has no observation that can be used{why}")
    for job in jobs:
        # Years that a time stamp in nanoseconds can tell in full, as xarray reads them.
        if not 1678 <= int(job.month[:4]) <= 2261:
            raise ObservationError(f"{job.month} is not within 1678 to 2261; choose another month.")
    if refused.get(""):
        # Rows that belong to no month are told with the first.
        jobs[0] = jobs[0]._replace(rejected=(*refused[""], *jobs[0].rejected))
    return jobs, digest_of(files)


def files_of(source: Path) -> list[Path]:
    """Return a file of observations alone, or those of a folder.

    Raises
    ------
    ObservationError
        If a folder holds none.
    """
    from mlda_core.observations.table import ObservationError

    if not source.is_dir():
        return [source]
    kinds = {".csv", ".nc", ".txt", ".tsv"}
    files = sorted(f for f in source.iterdir() if f.suffix.lower() in kinds)
    if not files:
        raise ObservationError(
            f"{source} holds no CSV or netCDF file; give a folder of observations."
        )
    return files


def digest_of(files: list[Path]) -> str:
    """Return the SHA-256 of files, one after the other.

    Raises
    ------
    ObservationError
        If one cannot be read.
    """
    from mlda_core.observations.table import ObservationError

    digest = hashlib.sha256()
    for file in files:
        try:
            digest.update(file.read_bytes())
        except OSError as error:
            raise ObservationError(
                f"{file} cannot be read ({error.strerror or error}); check its name."
            ) from error
    return digest.hexdigest()


def _months_of(
    file: Path, bundle: Bundle, month: str | None, *, many: bool
) -> Iterator[tuple[str, Reading]]:
    from mlda_core.observations.table import ObservationError, load, read, read_months

    cells = load(file)
    if cells.has_times:
        if month is not None and not many:
            # Says which months there are, where it is none of them.
            yield month, read(cells, bundle, month=month)
            return
        yield from read_months(cells, bundle).items()
        return
    found = re.search(r"(?<!\d)(\d{4})-?(0[1-9]|1[0-2])(?!\d)", file.stem) if many else None
    only = f"{found[1]}-{found[2]}" if found else None if many else month
    if only is None:
        remedy = "name it such as 1997-12.csv" if many else "give --month"
        raise ObservationError(
            f"{file} does not say which month it is of; {remedy}, or add a column 'time'."
        )
    yield only, read(cells, bundle, month=only)


def _lower(told: Rejected | str, head: str) -> str:
    words = str(told)
    return words[0].lower() + words[1:] if head else words


def tell_rejected(jobs: list[Job]) -> None:
    """Tell which rows were refused, and what else there is to know of the observations."""
    lines = [line for job in jobs for line in job.rejected]
    for line in lines[:_TOLD]:
        errors.print(line, style="yellow", markup=False, highlight=False)
    if len(lines) > _TOLD:
        errors.print(f"... and {len(lines) - _TOLD} rows more.", style="yellow", highlight=False)
    # What is so of a whole file is told of each of its months.
    notes: dict[str, list[str]] = {}
    for job in jobs:
        for note in job.notes:
            notes.setdefault(note, []).append(job.month)
    told = [
        note if len(months) > 1 or len(jobs) == 1 else f"{months[0]}: {_lower(note, note)}"
        for note, months in notes.items()
    ]
    for line in told[:_TOLD]:
        errors.print(line, style="yellow", markup=False, highlight=False)
    if len(told) > _TOLD:
        errors.print(f"... and {len(told) - _TOLD} notes more.", style="yellow", highlight=False)


def _summary(analysis: Analysis, month: str) -> str:
    fit, cost = analysis.statistics, analysis.cost
    parts = [f"{fit.n_used} used"]
    parts += [f"{fit.n_withheld} withheld"] if fit.n_withheld else []
    parts += [f"{fit.n_thinned} thinned"] if fit.n_thinned else []
    line = f"{month}: {analysis.outcome}; {', '.join(parts)}"
    if np.isfinite(cost.total):
        line += f"; cost {cost.total:.1f} (prior {cost.prior:.1f})"
    # Methods without a covariance of their own have none.
    if np.isfinite(fit.chi_squared):
        line += (
            f", chi-squared {fit.chi_squared:.2f}, degrees of freedom for signal "
            f"{fit.degrees_of_freedom:.1f}"
        )
    return line


class Scores:
    """How the analyses of all months fit, pooled.

    Parameters
    ----------
    bundle : Bundle
    against_bundle : bool
        Whether the bundle's own months are the truth.
    """

    def __init__(self, bundle: Bundle, *, against_bundle: bool) -> None:
        self.bundle, self.against_bundle = bundle, against_bundle
        self.months: list[str] = []
        self.tables: list[pd.DataFrame] = []
        self.squares = np.zeros((2, len(bundle.variables)))

    def add(self, analysis: Analysis, month: str) -> None:
        """Add a month."""
        self.months.append(month)
        self.tables.append(analysis.observations)
        if self.against_bundle:
            weights = self.bundle.normaliser.weights
            truth = self.bundle.target(month).astype(np.float64)
            for i, field in enumerate((analysis.anomalies - truth, truth)):
                self.squares[i] += np.nansum(weights * field**2, axis=(1, 2))

    def tell(self) -> None:
        """Print the scores, and what cannot be scored."""
        import pandas as pd

        table = pd.concat(self.tables, ignore_index=True)
        title = "RMS departures before (background) and after (analysis)"
        heads = ["used: before", "after", "withheld: before", "after"]
        if self.against_bundle:
            title += "; RMSE and explained variance of the fields"
            heads += ["fields", "explained"]
        shown = Table(title=title)
        shown.add_column("variable")
        for head in heads:
            shown.add_column(head, justify="right")
        for i, variable in enumerate(self.bundle.variables):
            mine = table[table["variable"] == variable.name]
            values = [
                float(np.sqrt((mine.loc[mine[which], f"{what}_departure"] ** 2).mean()))
                for which in ("used", "withheld")
                for what in ("background", "analysis")
            ]
            if self.against_bundle:
                error, truth = self.squares[:, i]
                values += [np.sqrt(error / len(self.months)), 1.0 - error / truth]
            cells = ["-" if np.isnan(x) else f"{x:.2f}" for x in values]
            shown.add_row(f"{variable.name} ({variable.anomaly_units})", *cells)
        out.print(shown)
        if self.against_bundle:
            seen = sum(self.bundle.split(m) == "train" for m in self.months)
            if seen:
                out.print(f"The model was trained on {seen} of these months: fit, not skill.")
        elif table["withheld"].any():
            out.print("There is no target: only withheld observations can be scored.")
        else:
            out.print("There is no target and nothing is withheld: nothing can be scored.")
