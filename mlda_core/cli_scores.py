"""``mlda validate --assimilation``: every method on every network of held-out months."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from mlda_core.console import one_sentence, out, ticking

if TYPE_CHECKING:
    from mlda_core.bundle import Bundle


def validate_assimilation(
    folder: Path,
    split: str,
    config: Path | None,
    chosen: str | None,
    output: Path | None,
    threads: int,
) -> None:
    """Score assimilation and write it into ``scores.json``, a network at a time.

    Parameters
    ----------
    folder : Path
        Of the bundle.
    split : str
        Months to score.
    config : Path, optional
        The model's TOML file: score every member. Without it the shipped months are scored, and
        the scores go into ``output``.
    chosen : str, optional
        Networks, separated by commas; all by default.
    output : Path, optional
        Folder of the scores without a configuration.
    threads : int
        CPU threads.
    """
    with one_sentence():
        import torch

        from mlda_core.assimilation.scoring import NETWORKS, ceiling, score, write_assimilation
        from mlda_core.bundle import load_bundle
        from mlda_core.vae.config import ConfigError, load_config
        from mlda_core.vae.dataset import load_training_data
        from mlda_core.validation import check_same_model, months_of_bundle

        torch.set_num_threads(threads)
        bundle = load_bundle(folder)
        wanted = [n.strip() for n in chosen.split(",")] if chosen else list(NETWORKS)
        unknown = [n for n in wanted if n not in NETWORKS]
        if unknown:
            raise ConfigError(
                f"There is no network '{unknown[0]}'; use some of {', '.join(NETWORKS)}."
            )
        target = (output or Path("runs") / f"validate-{bundle.name}-{split}") / "scores.json"
        if config:
            data = load_training_data(load_config(config))
            check_same_model(bundle, data)
            months, target = data.observed, folder / "scores.json"
        else:
            months = months_of_bundle(bundle)
        months = months.in_split(split)
        if not len(months):
            raise ConfigError(f"No month is in the split '{split}'; choose test, validation, ...")
        with ticking() as tick:
            for network in wanted:
                found = score(bundle, months, networks=[network], tick=tick)
                if network == "sst_only":
                    for name, value in ceiling(bundle, months).items():
                        found[network][name]["ceiling"] = value
                write_assimilation(found, bundle, split, target)
                out.print(_table(bundle, network, found[network]))
    out.print(f"Wrote {target}", highlight=False)


def _table(bundle: Bundle, network: str, scores: dict[str, Any]) -> Table:
    table = Table(title=f"{network}: explained variance (RMSE), where nothing was observed")
    table.add_column("method")
    for variable in bundle.variables:
        table.add_column(f"{variable.name} ({variable.anomaly_units})", justify="right")
    for method in next(iter(scores.values())):
        cells = [scores[v.name].get(method) for v in bundle.variables]
        table.add_row(
            method,
            *(
                f"{c['explained_variance']:.3f} ({c['rmse']:.2f})"
                if c and "rmse" in c
                else (f"{c['explained_variance']:.3f}" if c else "")
                for c in cells
            ),
        )
    return table
