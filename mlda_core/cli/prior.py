"""The command ``mlda prior train``: priors of a bundle's latent vector."""

from __future__ import annotations

import shlex
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from mlda_core.cli.console import one_sentence, out, ticking
from mlda_core.vae.priors import TRAINED

prior_app = typer.Typer(
    help="Priors of the latent vector other than N(0, I).",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)


@prior_app.command("train")
def train(
    bundle: Annotated[Path, typer.Argument(help="Folder of the bundle; written to.")],
    config: Annotated[Path, typer.Option(help="The model's TOML file, which names its data.")],
    prior: Annotated[
        str | None, typer.Option(help=f"One of {', '.join(TRAINED)}; all by default.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the training.")] = 0,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 1,
) -> None:
    """Train priors on the codes of training months, and keep them in the bundle; a minute.

    Example: `mlda prior train assets/bundles/speedy --config configs/speedy.toml`
    """
    with one_sentence():
        import torch

        from mlda_core.bundle.bundle import load_bundle
        from mlda_core.bundle.checks import check_same_model
        from mlda_core.bundle.codes import codes_for_priors
        from mlda_core.bundle.writing import add_prior
        from mlda_core.vae.config import load_config
        from mlda_core.vae.dataset import load_training_data
        from mlda_core.vae.prior_training import PriorTraining, train_prior
        from mlda_core.vae.priors import trainable

        torch.set_num_threads(threads)
        kinds = trainable([prior] if prior else TRAINED)
        model = load_bundle(bundle)
        data = load_training_data(load_config(config))
        check_same_model(model, data)
        words = ["mlda", "prior", "train", str(bundle), "--config", str(config)]
        settings = PriorTraining(seed=seed)
        table = Table(title="Mean loss over CALIBRATION months")
        for head in ("prior", "N(0, I)", "trained", "epoch", "seconds", "kB"):
            table.add_column(head, justify="left" if head == "prior" else "right")
        with ticking() as tick:
            codes, held_out = codes_for_priors(model, data, tick=tick)
            for kind in kinds:
                began = time.perf_counter()
                trained = kind.build(model.n_latent, {})

                def report(done: int, total: int, key: str = kind.key) -> None:
                    tick(f"training the {key} prior", done, total)

                history = train_prior(trained, codes, held_out, settings, tick=report)
                seconds = time.perf_counter() - began
                command = [*words, "--prior", kind.key, *(["--seed", str(seed)] if seed else [])]
                about = {
                    "training": asdict(settings),
                    "history": asdict(history),
                    "months": len(codes),
                    "seconds": round(seconds, 1),
                    "command": shlex.join(command),
                    "torch": torch.__version__,
                }
                # The configuration as the last one left it.
                add_prior(load_bundle(bundle), kind.key, trained, about)
                table.add_row(
                    kind.key,
                    f"{history.loss_at_start:.3f}",
                    f"{history.loss:.3f}",
                    f"{history.best_epoch} of {history.epochs}",
                    f"{seconds:.0f}",
                    f"{(bundle / f'prior-{kind.key}.safetensors').stat().st_size / 1000:.0f}",
                )
    out.print(table)
    out.print(f"Wrote {bundle}", highlight=False)
