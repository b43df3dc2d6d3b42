"""The command ``mlda reanalyse``: a record of many months to one Zarr store, in parallel."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from mlda_core.assimilation.methods import WITH_POSTERIOR, method_of, spelled
from mlda_core.cli import assimilation_options as how
from mlda_core.cli import observation_options as ask
from mlda_core.cli.assimilation_options import DEFAULTS
from mlda_core.cli.console import errors, one_sentence, out
from mlda_core.cli.output_files import files_of_bundle, refuse_inputs
from mlda_core.cli.speed_bar import speed_bar, ticker

if TYPE_CHECKING:
    import pandas as pd

    from mlda_core.bundle.bundle import Bundle
    from mlda_core.observations.networks import NetworkSpec
    from mlda_core.observations.options import TableOptions
    from mlda_core.observations.record import Record, RecordFiles

# Number of failed months printed.
_MOST_PRINTED = 5


def reanalyse(  # noqa: PLR0917 - options of a command, given by name
    bundle: Annotated[Path, typer.Argument(help="Folder of the bundle.")],
    output: Annotated[Path, typer.Option("--out", help="Zarr store to write, or to go on with.")],
    obs: Annotated[
        Path | None,
        typer.Option(help="CSV or netCDF of observations, or a folder of them, one a month."),
    ] = None,
    network: Annotated[
        str | None,
        typer.Option(
            help="Instead of --obs: observe the bundle's own months by sst_only, "
            "sst_and_pressure, all_fields, ship_tracks, stations_100 or historical_1900."
        ),
    ] = None,
    months: Annotated[
        str | None,
        typer.Option(help="YYYY-MM:YYYY-MM, both included; all that are observed by default."),
    ] = None,
    method: Annotated[str, typer.Option(help=f"{spelled(*WITH_POSTERIOR)}.")] = DEFAULTS["method"],
    residual: how.Residual = DEFAULTS["residual"],
    localisation: how.Localisation = DEFAULTS["localisation"],
    error_scale: how.ErrorScale = DEFAULTS["error_scale"],
    max_steps: how.MaxSteps = DEFAULTS["max_steps"],
    robust: ask.Robust = False,
    keep_codes: ask.KeepCodes = False,
    merge_repeated: ask.MergeRepeated = False,
    base_period: ask.BasePeriod = None,
    day_first: ask.DayFirst = None,
    strict: ask.Strict = False,
    allow_refused: ask.AllowRefused = False,
    spread: Annotated[
        bool, typer.Option("--spread", help="Write posterior standard deviations too.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes here; one a core by default.")
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(help="Address of a Dask scheduler instead, such as tcp://node1:8786."),
    ] = None,
    chunk: Annotated[
        int | None, typer.Option(min=1, help="Years of one calendar month in a task; 20.")
    ] = None,
) -> None:
    """Assimilate every month of a record; the same command again goes on where it was stopped.

    Example: `mlda reanalyse assets/bundles/speedy --obs stations/ --months 1880-01:1999-12 --out
    century.zarr`

    Exits 0 if all rows were taken, 3 if some were refused and the rest is written, 2 if a month or
    all of it is missing.
    """
    with one_sentence():
        # Report missing packages before the observations are read.
        import dask.distributed  # noqa: F401
        import zarr  # noqa: F401

        from mlda_core.assimilation.assimilator import Assimilator
        from mlda_core.assimilation.netcdf import provenance
        from mlda_core.assimilation.validation import setting_of
        from mlda_core.bundle.bundle import load_bundle
        from mlda_core.observations.options import TableOptions
        from mlda_core.reanalysis.run import YEARS, cluster, run
        from mlda_core.reanalysis.store import attributes, check_same, lay_out, read_done

        refusals = ask.Refusals(strict=strict, allowed=allow_refused)
        refuse_inputs(output, [obs, *files_of_bundle(bundle)])
        model = load_bundle(bundle)
        model.require_months("reanalyses are of months; assimilate its days by mlda assimilate")
        # Refuse a bundle without statistics here, not in every worker.
        Assimilator(model)
        settings: dict[str, Any] = {
            "method": method_of(method).key,
            "residual": residual,
            "localisation": localisation,
            "error_scale": error_scale,
            "max_steps": max_steps,
            "robust": robust,
        }
        setting_of(settings)
        # These share a network's factors among months.
        if settings["method"] not in WITH_POSTERIOR:
            raise ValueError(
                f"The method {spelled(settings['method'])} has no network to share among months; "
                f"use one of {spelled(*WITH_POSTERIOR)}, or mlda assimilate."
            )
        options = TableOptions(keep_codes, merge_repeated, base_period, day_first)
        source = _source(obs, network, model, options)
        about = provenance(model, {**settings, "spread": spread})
        about |= {
            "title": f"Reanalysis by {model.title}",
            "observations_source": str(obs) if obs is not None else f"network {network}",
            "observations_sha256": source.digest,
            "observations_options": json.dumps(asdict(options), sort_keys=True),
            "period": _period_text(months),
            "comment": (
                "Anomalies are from the monthly climatology of the bundle's base period "
                f"({model.base_period}). The group 'observations' is the table that was "
                "assimilated. A month whose flag 'done' is not set is missing everywhere."
            ),
        }
        if output.exists():
            check_same(output, about)
        else:
            chosen, observed, record = source.read(months)
            about["rows_refused"] = about["rows_read"] = "0"
            if record is not None:
                refusals.tell(record)
                by_month = {one.month: len(one.rejected) for one in record.months if one.rejected}
                about |= {
                    "rows_refused": str(len(record.rejected)),
                    "rows_read": str(record.n_rows),
                    "rows_refused_by_month": json.dumps(by_month),
                }
            lay_out(output, model, chosen, observed, about, spread=spread)
        held = attributes(output)
        n_refused, n_rows = int(held["rows_refused"]), int(held["rows_read"])
        if n_refused and strict:
            raise ValueError(
                f"{output} was begun though {ask.refused(n_refused, n_rows)}; leave out --strict, "
                "or correct them and give another --out."
            )
        before, began = int(read_done(output).sum()), time.perf_counter()
        count = workers or len(os.sched_getaffinity(0))
        failed: list[tuple[str, str]] = []
        if not read_done(output).all():
            with cluster(scheduler, count) as client, speed_bar() as bar:
                tick = ticker(bar, "assimilating")
                failed = run(output, bundle, client, years=chunk or YEARS, tick=tick)
        _print_summary(output, before, time.perf_counter() - began, failed)
        refusals.end(n_refused, n_rows)


class _Observations(NamedTuple):
    """The months to assimilate, their observations, and the record they come from."""

    months: Sequence[str]
    of_month: Callable[[str], pd.DataFrame]
    record: Record | None


class _Source(NamedTuple):
    """Source of observations.

    Parameters
    ----------
    digest : str
        Their SHA-256, known before they are parsed.
    read : callable
        Takes the value of the option ``--months``.
    """

    digest: str
    read: Callable[[str | None], _Observations]


def _source(
    obs: Path | None, network: str | None, bundle: Bundle, options: TableOptions
) -> _Source:
    if (obs is None) == (network is None):
        raise ValueError("Give either --obs, your observations, or --network, made-up ones.")
    if obs is not None:
        from mlda_core.observations.record import RecordFiles

        files = RecordFiles(obs)
        return _Source(files.digest, lambda months: _from_files(files, months, bundle, options))
    spec = network_of(str(network))
    text = json.dumps(spec.to_dict(), sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return _Source(digest, lambda months: _from_bundle(spec, months, bundle))


def _from_files(
    files: RecordFiles, period: str | None, bundle: Bundle, options: TableOptions
) -> _Observations:
    from mlda_core.observations.record import read_record
    from mlda_core.observations.row_kinds import is_plain
    from mlda_core.observations.table import ObservationError, empty
    from mlda_core.reanalysis.store import months_between

    record = read_record(files, bundle, options=options)
    held = [one.month for one in record.months]
    first, last = _ends(period) or (held[0], held[-1])
    record = record.within(first, last)
    tables = {one.month: one.table for one in record.months}
    for name, table in tables.items():
        others = table[~is_plain(table)]
        if len(others):
            raise ObservationError(
                f"{name} has {len(others)} observations of kinds that a store does not hold, the "
                f"first a {others['kind'].iloc[0]}; use mlda assimilate, or leave them out."
            )
    months = months_between(first, last)
    n_blank = len(set(months) - set(tables))
    if n_blank == len(months):
        raise ObservationError(
            f"{files.source} has no observation of {first} to {last}; it holds {held[0]} to "
            f"{held[-1]}."
        )
    if n_blank:
        errors.print(
            f"{n_blank} of {len(months)} months have no observation: there the analysis is the "
            "background.",
            style="yellow",
            highlight=False,
        )
    return _Observations(months, lambda month: tables.get(month, empty()), record)


def _from_bundle(spec: NetworkSpec, period: str | None, bundle: Bundle) -> _Observations:
    from mlda_core.assimilation.regional_series import observer

    ends = _ends(period) or (bundle.months[0], bundle.months[-1])
    for month in ends:
        # Raises an error with the available months if the bundle lacks it.
        bundle.split(month)
    months = [m for m in bundle.months if ends[0] <= m <= ends[1]]
    return _Observations(months, observer(spec, bundle), None)


def network_of(name: str) -> NetworkSpec:
    """Parse a network's name: a kind, optionally followed by a number of stations or a year.

    Parameters
    ----------
    name : str
        Such as ``sst_only``, ``stations_100`` or ``historical_1900``.

    Returns
    -------
    NetworkSpec

    Raises
    ------
    NetworkError
        If the name is invalid.
    """
    from mlda_core.observations.networks import NetworkError, NetworkSpec

    found = re.fullmatch(r"(stations|historical)[_-](\d{1,9})", name)
    if found is None:
        spec = NetworkSpec(name.replace("-", "_"))
    elif found[1] == "stations":
        spec = NetworkSpec("stations", count=int(found[2]))
    else:
        spec = NetworkSpec("historical", year=int(found[2]))
    if spec.kind in {"none", "custom"}:
        raise NetworkError(f"The network '{name}' observes nothing; choose another.")
    return spec


def _ends(period: str | None) -> tuple[str, str] | None:
    """Return the first and the last month of ``A:B``."""
    if period is None:
        return None
    found = re.fullmatch(r"(\d{4}-(?:0[1-9]|1[0-2])):(\d{4}-(?:0[1-9]|1[0-2]))", period)
    if found is None:
        raise ValueError(f"--months '{period}' is not a period; write it as 1880-01:1999-12.")
    if found[1] > found[2]:
        raise ValueError(f"--months '{period}' ends before it begins; exchange its months.")
    for month in found.groups():
        # Years that lie completely within the range of nanosecond time stamps.
        if not 1678 <= int(month[:4]) <= 2261:
            raise ValueError(f"{month} is not within 1678 to 2261; choose other --months.")
    return found[1], found[2]


def _period_text(period: str | None) -> str:
    return ":".join(_ends(period) or ("all that are observed",))


def _print_summary(
    store: Path, before: int, seconds: float, failed: Sequence[tuple[str, str]]
) -> None:
    from mlda_core.reanalysis.store import read_done

    flags = read_done(store)
    done = int(flags.sum())
    new = done - before
    speed = f" at {new / seconds:.2g} months a second" if new else ""
    out.print(
        f"Wrote {store}: {done} of {flags.size} months, {new} of them now{speed}.", highlight=False
    )
    if failed:
        for month, why in failed[:_MOST_PRINTED]:
            errors.print(f"{month}: {why}", style="yellow", markup=False, highlight=False)
        raise ValueError(
            f"{len(failed)} months could not be assimilated, such as {failed[0][0]}; correct their "
            "observations and begin another store, or leave them missing."
        )
