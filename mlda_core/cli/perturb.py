"""The command ``mlda perturb``: responses of months to an SST change, in one netCDF file."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from rich.table import Table

from mlda_core.assimilation.methods import RESPONDING, spelled
from mlda_core.cli.console import one_sentence, out, progress_bar
from mlda_core.cli.output_files import files_of_bundle, refuse_inputs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlda_core.bundle.bundle import Bundle

# Areas whose mean response is printed, keys of REGIONS.
AREAS = ("globe", "tropics", "north", "south")


def perturb(  # noqa: PLR0917 - options of a command, given by name
    bundle: Annotated[Path, typer.Argument(help="Folder of the bundle.")],
    sst: Annotated[
        list[str],
        typer.Option(
            help="Change of the sea: nino34:+2K, south:north:west:east:+1.5K, or a netCDF pattern; "
            "several add up."
        ),
    ],
    output: Annotated[Path, typer.Option("--out", help="NetCDF file to write.")],
    month: Annotated[
        list[str] | None, typer.Option(help="YYYY-MM of the bundle; may be given again.")
    ] = None,
    months: Annotated[
        str | None, typer.Option(help="All months of the bundle from YYYY-MM to YYYY-MM: A:B.")
    ] = None,
    held: Annotated[
        str,
        typer.Option(
            help="What both analyses are given: sst_only, sst_and_pressure, or outside (the sea, "
            "and everything outside the change)."
        ),
    ] = "sst_only",
    method: Annotated[
        str, typer.Option(help=f"{spelled(*RESPONDING)}; regression with sst_only alone.")
    ] = "vae",
    per_kelvin: Annotated[
        bool, typer.Option("--per-kelvin", help="Divide the response by the mean change.")
    ] = False,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 1,
) -> None:
    """Warm the sea of some months; write the response A(y + d) - A(y) as CF netCDF.

    Example: `mlda perturb assets/bundles/speedy --sst nino34:+2K --month 1997-12 --out warm.nc`
    """
    with one_sentence():
        import torch

        from mlda_core.assimilation.assimilator import Assimilator
        from mlda_core.assimilation.regional_series import by_season
        from mlda_core.bundle.bundle import load_bundle
        from mlda_core.perturbation.attribution import with_patches
        from mlda_core.perturbation.netcdf import label_of, provenance, writing
        from mlda_core.perturbation.responder import Responder
        from mlda_core.perturbation.response import HELD
        from mlda_core.perturbation.sst_patches import Patch

        torch.set_num_threads(threads)
        patches = [Patch.parse(text) for text in sst]
        refuse_inputs(output, [*(p.file or None for p in patches), *files_of_bundle(bundle)])
        held = held.replace("-", "_")
        model = load_bundle(bundle)
        chosen = choose_months(model, month or [], months)
        responder = Responder(Assimilator(model))
        method = responder.check_method(method, held).key
        # Refuses patches without open sea before the work begins.
        change = with_patches(model, patches)
        inside = responder.inside(patches, held)
        means = Means(model)
        words = ["mlda", "perturb", str(bundle), *(w for text in sst for w in ("--sst", text))]
        words += [w for name in month or [] for w in ("--month", name)]
        words += ["--months", months] if months else []
        words += ["--held", held, "--method", spelled(method)]
        words += [*(["--per-kelvin"] if per_kelvin else []), "--out", str(output)]
        settings = {"held": held, "method": method, "per_kelvin": per_kelvin}
        about = provenance(model, patches, settings) | {"history": shlex.join(words)}
        frozen = []
        with writing(output, chosen, about) as add, progress_bar() as bar:
            task = bar.add_task("warming the sea", total=len(chosen))
            for name in by_season(chosen):
                given = change(name)
                frozen += [] if given.any() else [name]
                response = responder.respond_to(name, given, held, inside=inside, method=method)
                add(response.to_dataset(per_kelvin=per_kelvin))
                means.add(response.per_kelvin() if per_kelvin else response.anomalies)
                bar.advance(task)
        out.print(f"Held: {HELD[held].label}. {HELD[held].question}", highlight=False)
        if frozen:
            out.print(
                f"In {len(frozen)} of {len(chosen)} months, such as {min(frozen)}, the change lies "
                "under ice, and nothing answers.",
                highlight=False,
            )
        out.print(means.table(label_of(patches), per_kelvin=per_kelvin))
        out.print(f"Wrote {output}", highlight=False)


def choose_months(bundle: Bundle, single: list[str], period: str | None) -> list[str]:
    """Return months of a bundle by name and by period, ascending, without duplicates.

    Parameters
    ----------
    bundle : Bundle
    single : list of str
        ``YYYY-MM`` each.
    period : str, optional
        ``YYYY-MM:YYYY-MM``, inclusive.

    Returns
    -------
    list of str

    Raises
    ------
    StateError
        If there are none, or the bundle lacks one.
    """
    from mlda_core.climate.errors import StateError

    chosen = set(single)
    ends = period.split(":") if period is not None else []
    if period is not None and len(ends) != 2:
        raise StateError(f"--months '{period}' is not a period; write it as 1997-06:1998-05.")
    # Raises an error with the available months if the bundle lacks one.
    for name in (*single, *ends):
        bundle.split(name)
    if ends:
        if ends[0] > ends[1]:
            raise StateError(f"--months '{period}' ends before it begins; exchange its months.")
        chosen |= {m for m in bundle.months if ends[0] <= m <= ends[1]}
    if not chosen:
        raise StateError("No month is chosen; give --month YYYY-MM or --months YYYY-MM:YYYY-MM.")
    return sorted(chosen)


class Means:
    """Mean responses over areas, pooled over months.

    Parameters
    ----------
    bundle : Bundle
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._sum = np.zeros((len(AREAS), len(bundle.variables)))
        self._months = 0

    def add(self, response: NDArray[np.floating]) -> None:
        """Add a month, (V, lat, lon), display units."""
        from mlda_core.climate.regions import REGIONS, regional_mean

        for i, area in enumerate(AREAS):
            self._sum[i] += regional_mean(response, self.bundle.grid, REGIONS[area])
        self._months += 1

    def table(self, label: str, *, per_kelvin: bool) -> Table:
        """Return the table to print."""
        from mlda_core.climate.regions import REGIONS

        count = f"{self._months} month{'s' if self._months > 1 else ''}"
        table = Table(title=f"Response to {label}, mean over {count}")
        table.add_column("mean over")
        for variable in self.bundle.variables:
            units = variable.anomaly_units + (" per K" if per_kelvin else "")
            table.add_column(f"{variable.name} ({units})", justify="right")
        for area, row in zip(AREAS, self._sum, strict=True):
            cells = [
                "-" if np.isnan(x) else f"{x / self._months:+.{v.decimals + 1}f}"
                for x, v in zip(row, self.bundle.variables, strict=True)
            ]
            table.add_row(REGIONS[area].label, *cells)
        return table
