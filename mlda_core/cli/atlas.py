"""The command ``mlda atlas``: responses to every patch of the GFMIP protocol, in one file."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from rich.table import Table

from mlda_core.assimilation.methods import RESPONDING, spelled
from mlda_core.cli.console import one_sentence, out, progress_bar
from mlda_core.cli.output_files import files_of_bundle, part_of, refuse_inputs, whole
from mlda_core.cli.perturb import choose_months

if TYPE_CHECKING:
    from mlda_core.climate.regions import Region
    from mlda_core.perturbation.atlas import Atlas

# Seconds between two times that unfinished work is saved.
_SAVE_EVERY = 30.0


def atlas(  # noqa: PLR0917 - options of a command, given by name
    bundle: Annotated[Path, typer.Argument(help="Folder of the bundle.")],
    output: Annotated[Path, typer.Option("--out", help="NetCDF file to write.")],
    month: Annotated[
        list[str] | None, typer.Option(help="YYYY-MM of the bundle; may be given again.")
    ] = None,
    months: Annotated[
        str | None, typer.Option(help="All months of the bundle from YYYY-MM to YYYY-MM: A:B.")
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(
            help="Whose mean's sensitivity is mapped: a named region, or SOUTH,NORTH,WEST,EAST; "
            "the globe by default, and several may be given."
        ),
    ] = None,
    amplitude: Annotated[
        float, typer.Option(help="Kelvin at a patch's centre; negative for cold patches.")
    ] = 2.0,
    held: Annotated[
        str, typer.Option(help="What both analyses are given: sst_only or sst_and_pressure.")
    ] = "sst_only",
    method: Annotated[
        str, typer.Option(help=f"{spelled(*RESPONDING)}; regression with sst_only alone.")
    ] = "vae",
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 1,
) -> None:
    """Warm one patch of the sea after the other; write all responses as CF netCDF.

    An interrupted call leaves a file OUT.part, from which the same call goes on.

    Example: `mlda atlas assets/bundles/speedy --month 1997-12 --region nino34 --out atlas.nc`
    """
    with one_sentence():
        import torch

        from mlda_core.assimilation.assimilator import Assimilator
        from mlda_core.assimilation.netcdf import provenance
        from mlda_core.assimilation.targeting import target_of
        from mlda_core.bundle.bundle import load_bundle
        from mlda_core.perturbation.atlas import AtlasRun, settings_of
        from mlda_core.perturbation.responder import Responder
        from mlda_core.perturbation.response import HELD

        torch.set_num_threads(threads)
        refuse_inputs(output, files_of_bundle(bundle))
        model = load_bundle(bundle)
        asked = region or ["globe"]
        regions = {_name(text): target_of(f"_:{text}").region for text in asked}
        run = AtlasRun(
            Responder(Assimilator(model)),
            choose_months(model, month or [], months),
            kelvin=amplitude,
            held=held.replace("-", "_"),
            method=method,
        )
        part = part_of(output)
        if run.resume(part):
            out.print(f"Going on with {part}: {run.done} of {run.total} done.", highlight=False)
        saved = time.monotonic()
        try:
            with progress_bar() as bar:
                task = bar.add_task("warming patches", total=run.total, completed=run.done)
                for done in run.steps():
                    bar.update(task, completed=done)
                    if time.monotonic() - saved > _SAVE_EVERY:
                        run.save(part)
                        saved = time.monotonic()
        except BaseException:
            run.save(part)
            raise
        made = run.atlas()
        data = made.to_dataset(regions)
        words = ["mlda", "atlas", str(bundle), *(w for m in month or [] for w in ("--month", m))]
        words += ["--months", months] if months else []
        words += [w for text in region or [] for w in ("--region", text)]
        words += ["--amplitude", f"{amplitude:g}", "--held", made.held]
        words += ["--method", spelled(made.method), "--out", str(output)]
        data.attrs |= provenance(model, settings_of(made)) | {
            "title": f"Responses to the patches of the GFMIP protocol by {model.title}",
            "history": shlex.join(words),
            "held": f"{HELD[made.held].label}. {HELD[made.held].question}",
            "references": "Bloch-Johnson et al. 2024, https://doi.org/10.1029/2023MS003700",
            "comment": (
                f"Each patch changes the open sea by {made.kelvin:g} K at its centre. The response "
                "is A(y + d) - A(y), mean over the months. Sensitivities are divided by the change "
                "of the mean over the open sea."
            ),
        }
        packed = {name: {"zlib": True} for name, field in data.items() if field.ndim > 1}
        part.unlink(missing_ok=True)
        with whole(output) as path:
            data.to_netcdf(path, engine="netcdf4", encoding=packed)
        out.print(f"Held: {HELD[made.held].label}. {HELD[made.held].question}", highlight=False)
        for name, where in regions.items():
            out.print(table_of(made, where, name))
        out.print(f"Wrote {output}", highlight=False)


def _name(text: str) -> str:
    """Return a region as part of a variable's name in the file."""
    return "box_" + text.replace(",", "_").replace("-", "m") if "," in text else text


def table_of(made: Atlas, region: Region, name: str) -> Table:
    """Return the patches to which each variable's mean is the most sensitive."""
    values = made.told(region)
    count = len(made.months)
    table = Table(
        title=f"Sensitivity of means over {region.short} ({name}): per kelvin of the open sea's "
        f"mean, {len(made.patches)} patches, {count} month{'s' if count > 1 else ''}"
    )
    table.add_column("")
    for heading in ("largest", "at", "smallest", "at"):
        table.add_column(heading, justify="right")
    for i, v in enumerate(made.bundle.variables):
        column = values[:, i]
        cells: Sequence[str] = ["-"] * 4
        if np.isfinite(column).any():
            ends = int(np.nanargmax(column)), int(np.nanargmin(column))
            cells = [
                text
                for k in ends
                for text in (f"{column[k]:+.{v.decimals + 1}f}", made.patches[k].label)
            ]
        table.add_row(f"{v.name} ({v.anomaly_units} per K)", *cells)
    return table
