"""The command ``mlda cycle train``: learnt models of the errors of forecasts."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from mlda_core.cli.console import one_sentence, out, ticking
from mlda_core.cli.cycle import Config, Model, ObservedEvery, Threads
from mlda_core.cli.output_files import files_of_bundle, refuse_inputs
from mlda_core.vae.priors import TRAINED


def train_errors(  # noqa: PLR0917 - options of a command, given by name
    bundle: Annotated[Path, typer.Argument(help="Folder of the bundle.")],
    config: Config,
    output: Annotated[Path, typer.Option("--out", help="File for mlda cycle run --errors.")],
    model: Model = "grid",
    stations: Annotated[
        list[int] | None,
        typer.Option(
            min=1, max=5000, help="Stations of a network; once for each. [default: 30, 100, 300]"
        ),
    ] = None,
    observed_every: ObservedEvery = 1,
    rounds: Annotated[int, typer.Option(min=1, max=20, help="Cycles over held-out times.")] = 5,
    lagged: Annotated[
        bool,
        typer.Option(
            "--lagged",
            help="Of training times differences of forecasts that began one cycle apart, scaled to "
            "the errors of held-out times: as where no truth is known.",
        ),
    ] = False,
    prior: Annotated[
        list[str] | None,
        typer.Option(
            help=f"A prior of the codes to train too, {' or '.join(TRAINED)}; once for each."
        ),
    ] = None,
    run: Annotated[
        Path | None, typer.Option(help="Folder of checkpoints; runs/NAME/errors by default.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the observations' noise.")] = 0,
    threads: Threads = 1,
) -> None:
    """Train an autoencoder on errors of forecasts in cycles, for the methods vae-var; an hour.

    The errors are those of 3D-Var cycled over training times with networks of several sizes, each
    in units of its spread on held-out times. A training that was interrupted goes on where it was.

    Example: `mlda cycle train runs/daily/bundle --config configs/daily.toml --out
    errors.safetensors`
    """
    with one_sentence():
        import torch

        from mlda_core.bundle.bundle import load_bundle
        from mlda_core.bundle.checks import check_same_model
        from mlda_core.cycling.bundle_case import case_of, climatology_of, learn_from
        from mlda_core.cycling.error_model_file import save_error_models
        from mlda_core.cycling.error_training import (
            NetworkErrors,
            scaled_to,
            train_error_model,
        )
        from mlda_core.cycling.training_errors import errors_of_cycles
        from mlda_core.evaluation.assimilation import network_of
        from mlda_core.forecast.loading import load_forecast
        from mlda_core.vae.config import load_config
        from mlda_core.vae.dataset import load_training_data
        from mlda_core.vae.priors import trainable

        torch.set_num_threads(threads)
        refuse_inputs(output, [config, *files_of_bundle(bundle)])
        kinds = trainable(prior or ())
        own, settings = load_bundle(bundle), load_config(config)
        data = load_training_data(settings)
        check_same_model(own, data)
        dynamics = load_forecast(own, model)
        climatology = climatology_of(own, data.train)
        held = data.observed.in_split("validation")
        found = {}
        with ticking() as tick:
            for size in sorted(set(stations or (30, 100, 300))):
                places, _ = network_of(own, f"stations_{size}", 0)

                case = partial(
                    case_of,
                    own,
                    dynamics,
                    places=places,
                    climatology=climatology,
                    observed_every=observed_every,
                    seed=seed,
                )
                out.print(f"Cycling with {size} stations", highlight=False)
                learnt = learn_from(own, case(held), rounds)
                cycled = partial(case, learnt=learnt)
                told = partial(tick, "times")
                past, rows = errors_of_cycles(own, data.train, cycled, told, lagged=lagged)
                late, late_rows = errors_of_cycles(own, held, cycled, told)
                if lagged:
                    past = scaled_to(own, past, late)
                found[size] = NetworkErrors(
                    size, learnt.factor, past, data.train.where(rows), late, held.where(late_rows)
                )
            models = train_error_model(
                own,
                settings,
                data,
                found,
                run or Path("runs") / settings.name / "errors",
                priors=[kind.key for kind in kinds],
                report=lambda p: out.print(
                    f"epoch {p.epoch}/{p.epochs}: explained {p.score:.3f}", highlight=False
                ),
                report_prior=lambda key, history: out.print(
                    f"{key} prior: loss over held-out errors {history.loss_at_start:.2f} at N(0, "
                    f"I), {history.loss:.2f} after {history.best_epoch} epochs",
                    highlight=False,
                ),
                tick=partial(tick, "steps"),
            )
            save_error_models(output, models)
    out.print(f"Wrote {output}", highlight=False)
