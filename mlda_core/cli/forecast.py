"""The commands ``mlda forecast train`` and ``mlda forecast run``."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from rich.table import Table

from mlda_core.cli.console import one_sentence, out, ticking
from mlda_core.cli.output_files import files_of_bundle, refuse_inputs
from mlda_core.forecast.models import FORECASTS, TRAINED

if TYPE_CHECKING:
    import xarray as xr

    from mlda_core.bundle.bundle import Bundle

forecast_app = typer.Typer(
    help="Forecast models of a bundle's states.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)


@forecast_app.command("train")
def train(
    bundle: Annotated[Path, typer.Argument(help="Folder of the bundle; written to.")],
    config: Annotated[Path, typer.Option(help="The model's TOML file, which names its data.")],
    model: Annotated[
        str | None, typer.Option(help=f"One of {', '.join(TRAINED)}; all by default.")
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(help="Folder of checkpoints; runs/NAME/forecast by default."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the training.")] = 0,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 1,
) -> None:
    """Train forecast models on training times, and keep them in the bundle; `grid` takes an hour.

    A training that was interrupted goes on where it was.

    Example: `mlda forecast train runs/daily/bundle --config configs/daily.toml`
    """
    with one_sentence():
        import torch

        from mlda_core.bundle.bundle import load_bundle
        from mlda_core.bundle.checks import check_same_model
        from mlda_core.bundle.writing import add_forecast
        from mlda_core.forecast.models import forecast_of
        from mlda_core.vae.config import load_config
        from mlda_core.vae.dataset import load_training_data

        torch.set_num_threads(threads)
        kinds = [forecast_of(key) for key in ([model] if model else TRAINED)]
        settings = load_config(config)
        data = load_training_data(settings)
        check_same_model(load_bundle(bundle), data)
        where = run or Path("runs") / settings.name / "forecast"
        words = ["mlda", "forecast", "train", str(bundle), "--config", str(config)]
        with ticking() as tick:
            for kind in kinds:
                began = time.perf_counter()
                own = load_bundle(bundle)
                made = kind.train(own, data, where / kind.key, seed=seed, tick=tick)
                command = [*words, "--model", kind.key, *(["--seed", str(seed)] if seed else [])]
                about = {
                    "seconds": round(time.perf_counter() - began, 1),
                    **made.provenance,
                    "command": shlex.join(command),
                    "torch": torch.__version__,
                }
                add_forecast(own, kind.key, made.tensors, made.shape, about)
    for kind in kinds:
        out.print(f"Trained {kind.key}: {kind.sentence}.", highlight=False)
    out.print(f"Wrote {bundle}", highlight=False)


@forecast_app.command("run")
def run(  # noqa: PLR0917 - options of a command, given by name
    bundle: Annotated[Path, typer.Argument(help="Folder of the bundle.")],
    start: Annotated[str, typer.Option("--from", help="Month or day of the bundle to start from.")],
    output: Annotated[Path, typer.Option("--out", help="NetCDF file to write.")],
    steps: Annotated[int, typer.Option(min=1, max=366, help="Number of steps.")] = 10,
    model: Annotated[str, typer.Option(help=f"One of {', '.join(FORECASTS)}.")] = "grid",
    members: Annotated[
        int, typer.Option(min=1, max=200, help="Members; more than one draw model errors.")
    ] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Of the model errors.")] = 0,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 1,
) -> None:
    """Forecast from a state of the bundle; write the forecasts as CF netCDF.

    Example: `mlda forecast run runs/daily/bundle --from 1997-12-05 --steps 10 --out forecast.nc`
    """
    with one_sentence():
        import torch

        from mlda_core.bundle.bundle import load_bundle
        from mlda_core.forecast.kind import ForecastError
        from mlda_core.forecast.loading import load_forecast

        torch.set_num_threads(threads)
        refuse_inputs(output, files_of_bundle(bundle))
        own = load_bundle(bundle)
        # Refuses what is no time of the bundle before the model is read.
        own.seasons.of(start)
        own.split(start)
        dynamics = load_forecast(own, model)
        if members > 1 and dynamics.model_error is None:
            raise ForecastError(
                f"The forecast '{model}' has no model error to draw members from; use grid, or one "
                "member."
            )
        made = forecast_dataset(own, dynamics, start, steps, members, seed)
        made.attrs["history"] = shlex.join(
            [
                *("mlda", "forecast", "run", str(bundle), "--from", start, "--steps", str(steps)),
                *("--model", model, "--members", str(members), "--seed", str(seed)),
            ]
        )
        output.parent.mkdir(parents=True, exist_ok=True)
        made.to_netcdf(output)
        out.print(f"Wrote {output}", highlight=False)


def forecast_dataset(
    bundle: Bundle, dynamics: Any, start: str, steps: int, members: int, seed: int
) -> xr.Dataset:
    """Return forecasts as full fields with CF names and units.

    Parameters
    ----------
    bundle : Bundle
    dynamics : Dynamics
    start : str
        A time of the bundle.
    steps, members, seed : int

    Returns
    -------
    Dataset
        Dimensions (time, lat, lon), or (member, time, lat, lon) of several members; the first
        time is the start.
    """
    import xarray as xr

    from mlda_core.bundle.datasets import dataset_of
    from mlda_core.forecast.dynamics import trajectory

    seasons = bundle.seasons
    times = seasons.step.times([start])[0] + np.arange(steps + 1)
    first = np.nan_to_num(bundle.target_standardised(start)).ravel()
    generator = np.random.default_rng(seed) if members > 1 else None
    states = trajectory(dynamics, np.repeat(first[None], members, axis=0), times[:-1], generator)
    season, labels = seasons.of_times(times), seasons.step.labels(times)
    parts = []
    for member in range(members):
        x = states[:, member].reshape(-1, *bundle.mask.shape)
        fields = bundle.normaliser.restore(x, season)
        for v, variable in enumerate(bundle.variables):
            if variable.non_negative:
                fields[:, v] = np.maximum(fields[:, v], 0.0)
        parts.append(
            dataset_of(
                np.where(bundle.mask, fields, np.nan).astype(np.float32),
                labels,
                bundle.variables,
                bundle.grid,
                source=f"mlda bundle {bundle.name}, forecast {dynamics.name} from {start}",
                step=seasons.step,
            )
        )
    if members == 1:
        return parts[0]
    joined = xr.concat(parts, "member", data_vars="minimal", coords="minimal", compat="override")
    return joined.assign_coords(member=np.arange(members))


def forecast_table(bundle: Bundle, scores: dict[str, Any]) -> Table:
    """Return explained variances by lead as a table."""
    table = Table(title="Explained variance by lead")
    for head in ("model", "lead", *(v.name for v in bundle.variables)):
        table.add_column(head, justify="left" if head == "model" else "right")
    for key, found in scores.items():
        count = len(found[bundle.variables[0].name]["explained_variance"])
        for lead in (k for k in (1, 2, 3, 5, 10) if k <= count):
            numbers = [found[v.name]["explained_variance"][lead - 1] for v in bundle.variables]
            table.add_row(key, str(lead), *(f"{n:.2f}" for n in numbers))
    return table
