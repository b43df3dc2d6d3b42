"""``mlda validate --coverage``: held-out months reconstructed from historical coverage."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from mlda_core.assimilation.methods import spelled
from mlda_core.cli.console import one_sentence, out, ticking

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle


def validate_coverage(folder: Path, split: str, output: Path | None, threads: int) -> None:
    """Score reconstruction from historical station coverage, into ``scores.json``.

    Parameters
    ----------
    folder : Path
        Of the bundle.
    split : str
        Split to score, of the bundle's months.
    output : Path, optional
        Folder of ``scores.json``; the bundle's own by default.
    threads : int
        CPU threads.
    """
    with one_sentence():
        import torch

        from mlda_core.bundle.bundle import load_bundle
        from mlda_core.climate.errors import StateError
        from mlda_core.evaluation.coverage import YEARS, score_coverage, write_coverage

        torch.set_num_threads(threads)
        bundle = load_bundle(folder)
        months = [m for m in bundle.months if bundle.split(m) == split]
        if not months:
            raise StateError(f"No month is in the split '{split}'; choose test, validation, ...")
        target = (output or folder) / "scores.json"
        scores: dict[str, Any] = {}
        with ticking() as tick:
            for year in YEARS:
                scores |= score_coverage(bundle, months, years=[year], tick=tick)
                out.print(_table(bundle, str(year), scores[str(year)]))
        write_coverage(scores, bundle, split, target)
    out.print(f"Wrote {target}", highlight=False)


def _table(bundle: Bundle, year: str, scores: dict[str, Any]) -> Table:
    from mlda_core.evaluation.coverage import CLASSES

    places = ", ".join(f"{count} {name}" for name, count in scores["places"].items())
    table = Table(
        title=f"Coverage of {year} ({places}): explained variance by distance to the nearest place"
    )
    for name in ("variable", "method"):
        table.add_column(name)
    for name in CLASSES:
        table.add_column(name.replace("_km", " km +"), justify="right")
    for variable in bundle.variables:
        for method, by_class in scores[variable.name].items():
            if method != "climatology":
                cells = [
                    f"{by_class[c]['explained_variance']:.3f}" if c in by_class else ""
                    for c in CLASSES
                ]
                table.add_row(variable.name, spelled(method), *cells)
    return table
