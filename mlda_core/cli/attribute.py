"""The command ``mlda attribute``: series of a regional mean, and the drivers of one month."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from rich.table import Table

from mlda_core.cli.console import errors, one_sentence, out, progress_bar
from mlda_core.cli.output_files import files_of_bundle, refuse_inputs, whole

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from mlda_core.bundle.bundle import Bundle
    from mlda_core.climate.regions import Region
    from mlda_core.perturbation.attribution import Drivers, Scenario
    from mlda_core.perturbation.responder import Responder
    from mlda_core.perturbation.sst_patches import Patch


def attribute(  # noqa: PLR0917 - options of a command, given by name
    bundle: Annotated[Path, typer.Argument(help="Folder of the bundle.")],
    variable: Annotated[str, typer.Option(help="CF name, such as pr.")],
    region: Annotated[
        str, typer.Option(help="Where the mean is taken: nino34, ..., or south:north:west:east.")
    ] = "globe",
    sst: Annotated[
        list[str] | None,
        typer.Option(
            help="Change of the sea: nino34:+2K, south:north:west:east:+1.5K, or a netCDF pattern; "
            "several add up."
        ),
    ] = None,
    detrend: Annotated[
        bool, typer.Option("--detrend", help="Take the sea's linear trend away instead.")
    ] = False,
    months: Annotated[
        str, typer.Option(help="all, test, or a period YYYY-MM:YYYY-MM of the bundle.")
    ] = "all",
    held: Annotated[
        str,
        typer.Option(
            help="What the analyses are given: sst_only, sst_and_pressure, or outside (the sea, "
            "and everything outside the change, or outside the region where there is none)."
        ),
    ] = "sst_only",
    drivers: Annotated[
        str | None,
        typer.Option(help="YYYY-MM: print what each basin's sea adds to the mean of this month."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--out", help="CSV or netCDF file of the series to write.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 1,
) -> None:
    """Write a regional mean's series with and without a change of the sea; or print its drivers.

    Example: `mlda attribute assets/bundles/speedy --variable pr --region nino34 --detrend
    --out pr.csv`
    """
    with one_sentence():
        import torch

        from mlda_core.assimilation.assimilator import Assimilator
        from mlda_core.bundle.bundle import load_bundle
        from mlda_core.perturbation.responder import Responder
        from mlda_core.perturbation.sst_patches import Patch

        torch.set_num_threads(threads)
        patches = [Patch.parse(text) for text in sst or []]
        held = held.replace("-", "_")
        _check(sst, output, drivers, detrend=detrend)
        if output is not None:
            refuse_inputs(output, [*(p.file or None for p in patches), *files_of_bundle(bundle)])
        model = load_bundle(bundle)
        where = region_of(region)
        responder = Responder(Assimilator(model))
        if drivers is not None:
            _print_drivers(responder, drivers, variable, where, held, patches)
        if output is None:
            return
        scenario, label = _scenario(responder, patches, held, where)
        chosen = _months(model, months)
        row = _row(model, variable, where)
        finished = _run(scenario, chosen, label)
        table = to_table(scenario, chosen, row, where)
        command = ["mlda", "attribute", str(bundle), "--variable", variable, "--region", region]
        command += [w for text in sst or [] for w in ("--sst", text)]
        command += ["--detrend"] if detrend else []
        command += ["--months", months, "--held", held, "--out", str(output)]
        with whole(output) as part:
            if output.suffix == ".csv":
                table.to_csv(part, index=False, float_format="%.5g")
            else:
                about = {"history": shlex.join(command), "change_of_the_sea": label}
                data = to_dataset(table, model, row, where, held, about)
                data.to_netcdf(part, engine="netcdf4")
        _print_means(table, model, row, where, label)
        out.print(f"Wrote {output}", highlight=False)
        if not finished:
            raise typer.Exit(130)


def region_of(text: str) -> Region:
    """Parse a region: a key of :data:`mlda_core.climate.regions.REGIONS`, or a box's four limits.

    Raises
    ------
    ValueError
        If it is neither.
    """
    from mlda_core.climate.regions import REGIONS, drawn_box

    if text in REGIONS:
        return REGIONS[text]
    try:
        south, north, west, east = (float(part) for part in text.split(":"))
    except ValueError:
        raise ValueError(
            f"There is no region '{text[:40]}'; use one of {', '.join(REGIONS)}, or a box as "
            "south:north:west:east."
        ) from None
    return drawn_box(south, north, west, east)


def to_table(scenario: Scenario, months: Sequence[str], row: int, region: Region) -> pd.DataFrame:
    """Return a series as a table.

    Parameters
    ----------
    scenario : Scenario
    months : sequence of str
        ``YYYY-MM`` each, ascending.
    row : int
        Index of the variable.
    region : Region

    Returns
    -------
    DataFrame
        Columns month, split, target, unperturbed and perturbed, the last three in display units;
        NaN for months not computed.
    """
    import pandas as pd

    control, changed = (part.means(region) for part in (scenario.control, scenario.changed))
    at = [control.months.index(month) for month in months]
    return pd.DataFrame(
        {
            "month": list(months),
            "split": [control.split[i] for i in at],
            "target": control.target[at, row],
            "unperturbed": control.analysis[at, row],
            "perturbed": changed.analysis[at, row],
        }
    )


def to_dataset(
    table: pd.DataFrame, bundle: Bundle, row: int, region: Region, held: str, about: dict[str, str]
) -> xr.Dataset:
    """Return :func:`to_table`'s series as a dataset with units.

    Parameters
    ----------
    table : DataFrame
    bundle : Bundle
    row : int
        Index of the variable.
    region : Region
    held : str
        A key of :data:`mlda_core.perturbation.response.HELD`.
    about : dict
        Additional global attributes.

    Returns
    -------
    Dataset
        Dimension time; variables target, unperturbed and perturbed.
    """
    import xarray as xr

    from mlda_core.climate.cf import time_axis
    from mlda_core.perturbation.response import HELD

    variable = bundle.variables[row]
    words = {
        "target": "in the bundle's own month",
        "unperturbed": "in the analysis under the sea as it was",
        "perturbed": "in the analysis under the changed sea",
    }
    data = xr.Dataset(coords={"time": time_axis(list(table["month"]))})
    for name, where in words.items():
        attrs = {
            "long_name": f"Anomaly of {variable.label.lower()}, mean over {region.label}, {where}",
            "units": variable.anomaly_units,
            "cell_methods": "time: mean area: mean",
        }
        data[name] = ("time", table[name].to_numpy(np.float64), attrs)
    data["split"] = ("time", table["split"].to_numpy(str), {"long_name": "use of the month"})
    return data.assign_attrs(
        Conventions="CF-1.11",
        source=f"mlda bundle {bundle.name}",
        variable=variable.name,
        region=region.label,
        held=f"{HELD[held].label}. {HELD[held].question}",
        base_period=bundle.base_period,
        **about,
    )


def _check(
    sst: list[str] | None, output: Path | None, drivers: str | None, *, detrend: bool
) -> None:
    if sst and detrend:
        raise ValueError("--sst and --detrend are two changes of the sea; give one of them.")
    if output is None and drivers is None:
        raise ValueError("There is nothing to do; give --out FILE, or --drivers YYYY-MM.")
    if output is not None and not (sst or detrend):
        raise ValueError("A series needs a change of the sea; give --sst, or --detrend.")
    if output is not None and output.suffix not in {".csv", ".nc"}:
        raise ValueError(f"{output} is neither .csv nor .nc; name it so.")


def _scenario(
    responder: Responder, patches: Sequence[Patch], held: str, region: Region
) -> tuple[Scenario, str]:
    """Return the scenario, and a description of its SST change."""
    from mlda_core.perturbation.attribution import Scenario, with_patches, without_trend

    bundle = responder.bundle
    if patches:
        change = with_patches(bundle, patches)
        inside = responder.inside(patches, held)
        return Scenario(responder, change, held, inside=inside), " + ".join(
            patch.label for patch in patches
        )
    inside = responder.inside([], held, region)
    return Scenario(responder, without_trend(bundle), held, inside=inside), "no trend of the sea"


def _months(bundle: Bundle, text: str) -> list[str]:
    from mlda_core.assimilation.regional_series import months_of
    from mlda_core.cli.perturb import choose_months

    if text in {"all", "test"}:
        return sorted(months_of(bundle, "all" if text == "all" else "test"))
    return choose_months(bundle, [], text)


def _row(bundle: Bundle, variable: str, region: Region) -> int:
    from mlda_core.climate.errors import StateError
    from mlda_core.climate.regions import region_mask

    names = [v.name for v in bundle.variables]
    if variable not in names:
        raise StateError(
            f"This bundle has no variable '{variable[:24]}'; use one of {', '.join(names)}."
        )
    row = names.index(variable)
    if not (region_mask(bundle.grid, region) * bundle.mask[row]).any():
        raise StateError(f"{variable} does not exist in {region.label}; choose another region.")
    return row


def _run(scenario: Scenario, months: Sequence[str], label: str) -> bool:
    """Compute the months; return False if the user interrupted it."""
    with progress_bar() as bar:
        task = bar.add_task(f"two seas: as it was, and {label}", total=len(months))
        try:
            for _ in scenario.run(months):
                bar.advance(task)
        except KeyboardInterrupt:
            done = len(months) - len(scenario.missing(months))
            errors.print(
                f"mlda: stopped after {done} of {len(months)} months; the others are missing in "
                "the file.",
                markup=False,
            )
            return False
    return True


def _print_means(table: pd.DataFrame, bundle: Bundle, row: int, region: Region, label: str) -> None:
    variable = bundle.variables[row]
    difference = (table["perturbed"] - table["unperturbed"]).dropna()
    if not len(difference):
        return
    digits = variable.decimals + 1
    out.print(
        f"{variable.label} over {region.label}, {label}: {difference.mean():+.{digits}f} "
        f"{variable.anomaly_units} on average over {len(difference)} months, from "
        f"{difference.min():+.{digits}f} to {difference.max():+.{digits}f}.",
        highlight=False,
    )


def _print_drivers(
    responder: Responder,
    month: str,
    variable: str,
    region: Region,
    held: str,
    patches: Sequence[Patch],
) -> None:
    from mlda_core.perturbation.attribution import drivers as find

    inside = responder.inside(patches, held, None if patches else region)
    found = find(responder, month, variable, region, held, inside=inside)
    row = [v.name for v in responder.bundle.variables].index(variable)
    out.print(_drivers_table(found, responder.bundle.variables[row].decimals + 1))
    for sentence in found.words:
        out.print(sentence, highlight=False)


def _drivers_table(found: Drivers, digits: int) -> Table:
    from mlda_core.perturbation.response import HELD

    table = Table(
        title=f"Drivers of {found.variable} over {found.region.label}, {found.month}; "
        f"held: {HELD[found.held].label}"
    )
    table.add_column("the sea of")
    for head in ("its anomaly, K", f"adds, {found.units}", "share of the sum"):
        table.add_column(head, justify="right")
    for part in found.parts:
        share = "" if part.share is None else f"{round(100 * part.share)} %"
        table.add_row(part.label, f"{part.anomaly:+.2f}", f"{part.contribution:+.{digits}f}", share)
    table.add_section()
    for label, value in (
        ("all basins", found.linear),
        ("a sea without anomalies", found.normal),
        ("not linear in the sea", found.remainder),
        ("the analysis", found.value),
    ):
        table.add_row(label, "", f"{value:+.{digits}f}", "")
    return table
