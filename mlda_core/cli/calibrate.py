"""The command ``mlda calibrate``: add to a trained bundle what assimilation needs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mlda_core.cli.console import one_sentence, out, ticking


def calibrate(  # noqa: PLR0917 - options of a command, given by name
    bundle: Annotated[Path, typer.Argument(help="Folder of the bundle; written to.")],
    config: Annotated[Path, typer.Option(help="The model's TOML file, which names its data.")],
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="Of every sea network, instead of its own number."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="A setting of the assimilation: half_width=8000"),
    ] = None,
    keep_validation: Annotated[
        bool,
        typer.Option(help="Leave VALIDATION months out of all statistics, to tune on them."),
    ] = False,
    patterns: Annotated[
        int | None,
        typer.Option(min=1, help="Of the covariances, the decoder's own among them; 600 usually."),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 1,
) -> None:
    """Estimate a bundle's errors, and train its sea network: what assimilation needs.

    Example: `mlda calibrate runs/speedy/bundle --config configs/speedy.toml`
    """
    with one_sentence():
        import torch

        from mlda_core.assimilation.calibrate import PATTERNS
        from mlda_core.assimilation.calibrate import calibrate as run
        from mlda_core.bundle.bundle import load_bundle
        from mlda_core.bundle.statistics import TunedParameters
        from mlda_core.vae.config import load_config
        from mlda_core.vae.dataset import load_training_data
        from mlda_core.vae.sea_training import SeaTraining

        torch.set_num_threads(threads)
        model = load_bundle(bundle)
        chosen = TunedParameters.from_dict({**model.settings.to_dict(), **_numbers(settings or [])})
        data = load_training_data(load_config(config))
        training = SeaTraining()
        if epochs is not None:
            training = SeaTraining(epochs=epochs, epochs_normalised=epochs)
        held = ("calibration",) if keep_validation else ("validation", "calibration")
        with ticking() as tick:
            run(
                model,
                data,
                chosen,
                training=training,
                held=held,
                patterns=patterns or PATTERNS,
                tick=tick,
            )
    size = sum(f.stat().st_size for f in bundle.iterdir() if f.is_file()) / 1e6
    out.print(f"{bundle} has what assimilation needs ({size:.1f} MB).", highlight=False)


def _numbers(settings: list[str]) -> dict[str, Any]:
    overrides: dict[str, Any] = {}
    for setting in settings:
        key, _, value = setting.partition("=")
        try:
            overrides[key.strip()] = float(value)
        except ValueError:
            raise ValueError(
                f"'{setting}' is not a setting; write it as name=number, such as half_width=8000."
            ) from None
    return overrides
