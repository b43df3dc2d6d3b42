"""The command ``mlda assimilate``: from observation files to analyses in one netCDF file."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from rich.table import Table

from mlda_core.assimilation.methods import method_of
from mlda_core.cli import assimilation_options as how
from mlda_core.cli import observation_options as ask
from mlda_core.cli import where_next as where
from mlda_core.cli.assimilation_options import DEFAULTS
from mlda_core.cli.console import one_sentence, out, progress_bar
from mlda_core.cli.output_files import TABLES, files_of_bundle, refuse_inputs
from mlda_core.climate.errors import StateError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from mlda_core.assimilation.analysis import Analysis
    from mlda_core.assimilation.assimilator import Assimilator
    from mlda_core.assimilation.options import Setting
    from mlda_core.bundle.bundle import Bundle


def assimilate(  # noqa: PLR0915, PLR0917 - options of a command, given by name
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
    method: how.Method = DEFAULTS["method"],
    background: Annotated[
        str | None,
        typer.Option(
            help="climatology, a month YYYY-MM of the bundle, or a file of this command's; "
            "what the observed sea makes likely, or the prior's mean, by default."
        ),
    ] = None,
    background_weight: how.BackgroundWeight = DEFAULTS["background_weight"],
    residual: how.Residual = DEFAULTS["residual"],
    localisation: how.Localisation = DEFAULTS["localisation"],
    error_scale: how.ErrorScale = DEFAULTS["error_scale"],
    max_steps: how.MaxSteps = DEFAULTS["max_steps"],
    prior: how.Prior = DEFAULTS["prior"],
    members: Annotated[
        int | None,
        typer.Option(help="Members of a posterior ensemble to write too; none by default."),
    ] = None,
    sampler: how.Sampler = None,
    seed: how.Seed = None,
    where_next: where.Count = None,
    where_next_target: where.Target = None,
    where_next_variable: where.Variable = None,
    where_next_out: where.Output = None,
    robust: ask.Robust = False,
    keep_codes: ask.KeepCodes = False,
    merge_repeated: ask.MergeRepeated = False,
    base_period: ask.BasePeriod = None,
    day_first: ask.DayFirst = None,
    strict: ask.Strict = False,
    allow_refused: ask.AllowRefused = False,
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

    Exits 0 if all rows were taken, 3 if some were refused and the rest is written, 2 if nothing is.
    """
    with one_sentence():
        import torch

        from mlda_core.assimilation.assimilator import Assimilator
        from mlda_core.assimilation.netcdf import provenance, read_background, writing
        from mlda_core.assimilation.regional_series import by_season
        from mlda_core.assimilation.validation import setting_of
        from mlda_core.bundle.bundle import load_bundle
        from mlda_core.observations.options import TableOptions
        from mlda_core.observations.record import RecordFiles, read_record

        refusals = ask.Refusals(strict=strict, allowed=allow_refused)
        inputs = [obs, background, *files_of_bundle(bundle)]
        refuse_inputs(output, inputs, read=TABLES)
        next_places = where.NextPlaces(
            where_next, where_next_target, where_next_variable, where_next_out
        )
        next_places.refuse(inputs, output)
        torch.set_num_threads(threads)
        model = load_bundle(bundle)
        engine = Assimilator(model)
        settings: dict[str, Any] = {
            "method": method_of(method).key,
            "background_weight": background_weight,
            "residual": residual,
            "localisation": localisation,
            "error_scale": error_scale,
            "max_steps": max_steps,
            "robust": robust,
        }
        # Not named where it is N(0, I), so that files begun before can go on.
        if prior != DEFAULTS["prior"]:
            settings["prior"] = prior
        setting = setting_of({**settings, "background": background})
        next_places.check(model, setting)
        drawn = _members(setting, members, sampler, seed)
        options = TableOptions(keep_codes, merge_repeated, base_period, day_first)
        files = RecordFiles(obs)
        record = read_record(files, model, month, options)
        refusals.tell(record)
        if against_bundle:
            for job in record.months:
                model.target(job.month)
        about = provenance(model, {**settings, "background": background})
        about |= {
            "observations_source": str(obs),
            "observations_sha256": files.digest,
            "observations_options": json.dumps(asdict(options), sort_keys=True),
            "rows_refused": f"{len(record.rejected)} of {record.n_rows}",
        }
        if drawn:
            about["ensemble"] = json.dumps(drawn, sort_keys=True)
        # They are now anomalies from the bundle's base period.
        as_read = TableOptions(keep_codes=keep_codes)
        scores = Scores(model, against_bundle=against_bundle)
        plan = {job.month: len(job.table) for job in record.months}
        with writing(output, about, plan) as file, progress_bar() as bar:
            order = by_season([job.month for job in record.months if job.month not in file.months])
            by_month = {job.month: job for job in record.months}
            todo = [by_month[name] for name in order]
            task = bar.add_task("assimilating", total=len(record.months))
            bar.advance(task, len(record.months) - len(todo))
            for job in todo:
                given: Any = background
                if background is not None and Path(background).suffix:
                    given = read_background(Path(background), model, job.month)
                asked = {"options": as_read, **settings, "background": given}
                analysis, data = _month(engine, job.table, job.month, asked, drawn)
                words = {"long_name": "rows of the observations that were refused"}
                first = record.unplaced if job is record.months[0] else ()
                rejected = (*first, *job.rejected)
                data["rejected"] = ("time", np.array(["\n".join(rejected)], object), words)
                file.add(data, analysis.observations)
                scores.add(analysis, job.month)
                line = f"{job.month}: {analysis.summary(len(rejected))}"
                bar.console.print(line, highlight=False, markup=False)
                next_places.find(engine, job.table, job.month, asked)
                bar.advance(task)
        if todo:
            scores.tell()
        out.print(f"Wrote {output}", highlight=False)
        next_places.write()
        refusals.end(len(record.rejected), record.n_rows)


def _members(
    setting: Setting, members: int | None, sampler: str | None, seed: int | None
) -> dict[str, Any]:
    """Return what to draw, checked; nothing where no members are wanted."""
    from mlda_core.assimilation.posterior.ensemble import checked_sampler

    if members is None:
        if sampler is not None or seed is not None:
            raise StateError("--sampler and --seed are about members; say how many: --members 50.")
        return {}
    drawn: dict[str, Any] = {"sampler": sampler or "laplace", "members": members, "seed": seed or 0}
    checked_sampler(setting, **drawn)
    return drawn


def _month(
    engine: Assimilator,
    table: pd.DataFrame,
    month: str,
    asked: dict[str, Any],
    drawn: dict[str, Any],
) -> tuple[Analysis, xr.Dataset]:
    """Assimilate a month, with members where they are wanted."""
    if drawn:
        ensemble = engine.ensemble(table, month, **drawn, **asked)
        return ensemble.analysis, ensemble.to_dataset()
    analysis = engine.run(table, month, **asked)
    return analysis, analysis.to_dataset(month)


class Scores:
    """Pooled fit of the analyses of all months.

    Parameters
    ----------
    bundle : Bundle
    against_bundle : bool
        Whether to score against the bundle's own months.
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
        """Print the scores and caveats."""
        import pandas as pd

        from mlda_core.observations.row_kinds import is_plain

        # Departures of reports are distances to their classes.
        table = pd.concat([t[is_plain(t)] for t in self.tables], ignore_index=True)
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
