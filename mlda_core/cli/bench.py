"""The command ``mlda bench gcm``: speed of the atmosphere model and of the decoder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from mlda_core.cli.console import one_sentence, out, progress_bar

_BUNDLE = Path("assets/bundles/speedy")
# The model's days must lie within the year of its boundary conditions.
_MOST_DAYS = 180


def bench_gcm(
    bundle: Annotated[Path, typer.Argument(help="Folder of the bundle.")] = _BUNDLE,
    rounds: Annotated[int, typer.Option(min=1, help="Times that each is timed, in turn.")] = 9,
    days: Annotated[int, typer.Option(min=1, help="Days of the model in a round.")] = 10,
    batch: Annotated[int, typer.Option(min=1, help="Months decoded at once.")] = 120,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Time SPEEDY and the decoder in one run on one core, in months a second.

    Example: `mlda bench gcm assets/bundles/speedy`
    """
    with one_sentence():
        import jcm  # noqa: F401
        import torch

        from mlda_core.bundle.bundle import load_bundle
        from mlda_core.simulate import gcm
        from mlda_core.simulate.bench import measure
        from mlda_core.simulate.sea import Sea, packaged

        if rounds * days >= _MOST_DAYS:
            raise ValueError(
                f"{rounds} rounds of {days} days are more than the half year that is simulated; "
                f"keep their product below {_MOST_DAYS}."
            )
        torch.set_num_threads(1)
        gcm.one_thread()
        loaded = load_bundle(bundle)
        sea = Sea(packaged(), "climatology")
        model = gcm.Gcm("2001-01-01")
        forcing = model.forcing(sea.surface(2001))
        with progress_bar() as bar:
            task = bar.add_task("timing", total=rounds)
            result = measure(
                loaded,
                model,
                forcing,
                days=days,
                rounds=rounds,
                batch=batch,
                tick=lambda done, total: bar.update(task, completed=done, total=total),
            )
        result["gcm"]["label"] = gcm.name()
    if as_json:
        typer.echo(json.dumps(result, indent=1))
        return
    out.print(_table(result))
    out.print(
        "The decoder draws one month's mean state from a latent vector; it simulates no weather "
        "(docs/simulate.md).",
        highlight=False,
    )


def _table(result: dict[str, Any]) -> Table:
    load = " and ".join(f"{v:.1f}" for v in result["load"])
    table = Table(
        title=f"Months a second, one core of {result['machine']}; load average {load} before and "
        "after"
    )
    table.add_column("")
    for column in ("a month takes", "processor", "months/s", "times the model", "times Fortran"):
        table.add_column(column, justify="right")
    ratio = result["ratio"]
    rows = (("gcm", 1.0, 1.0 / ratio["fortran"]), *_decoder_rows(ratio))
    for name, to_model, to_fortran in rows:
        one = result[name]
        table.add_row(
            one["label"],
            _seconds(one["seconds_a_month"]),
            _seconds(one["processor_seconds_a_month"]),
            f"{one['months_a_second']:.3g}",
            f"{to_model:,.3g}" if to_model < 100 else f"{to_model:,.0f}",
            f"{to_fortran:,.2g}" if to_fortran < 100 else f"{to_fortran:,.0f}",
        )
    speed = result["fortran_months_a_second"]
    table.add_row(
        "SPEEDY in Fortran, as documented",
        _seconds(1.0 / speed),
        "",
        f"{speed:.3g}",
        f"{ratio['fortran']:.3g}",
        "1",
    )
    return table


def _decoder_rows(ratio: dict[str, float]) -> tuple[tuple[str, float, float], ...]:
    return tuple((k, ratio[k], ratio[f"{k}_to_fortran"]) for k in ("single", "batch"))


def _seconds(value: float) -> str:
    return f"{value:.3g} s" if value >= 0.1 else f"{1e3 * value:.3g} ms"
