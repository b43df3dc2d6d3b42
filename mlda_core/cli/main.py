"""The command line ``mlda``: from raw data to trained models, analyses and responses."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from mlda_core.cli import assimilation_options as how
from mlda_core.cli.assimilate import assimilate
from mlda_core.cli.atlas import atlas
from mlda_core.cli.attribute import attribute
from mlda_core.cli.bench import bench_gcm
from mlda_core.cli.calibrate import calibrate
from mlda_core.cli.console import one_sentence, out, progress_bar, ticking
from mlda_core.cli.coverage import validate_coverage
from mlda_core.cli.cycle import cycle_app
from mlda_core.cli.cycle_train import train_errors
from mlda_core.cli.export_site import export_site
from mlda_core.cli.film import film
from mlda_core.cli.forecast import forecast_app
from mlda_core.cli.impact import impact_app
from mlda_core.cli.observations import observations_app
from mlda_core.cli.perturb import perturb
from mlda_core.cli.prepare import data_merge, data_prepare
from mlda_core.cli.prior import prior_app
from mlda_core.cli.reanalyse import reanalyse
from mlda_core.cli.scores import (
    validate_assimilation,
    validate_forecast,
    validate_learning_curve,
    validate_perturbation,
    validate_posterior,
    validate_priors,
)
from mlda_core.cli.show import show
from mlda_core.cli.simulate import simulate

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.vae.training import Progress as Epoch

app = typer.Typer(
    help="Train, check and describe latent-space models of climate.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
data_app = typer.Typer(help="Make canonical datasets from data sources.", no_args_is_help=True)
app.add_typer(data_app, name="data")
app.add_typer(cycle_app, name="cycle")
cycle_app.command("train")(train_errors)
app.add_typer(forecast_app, name="forecast")
app.add_typer(impact_app, name="impact")
app.add_typer(observations_app, name="observations")
app.add_typer(prior_app, name="prior")
data_app.command("prepare")(data_prepare)
bench_app = typer.Typer(help="Time what mlda does, on this machine.", no_args_is_help=True)
app.add_typer(bench_app, name="bench")
bench_app.command("gcm")(bench_gcm)
data_app.command("merge")(data_merge)
app.command()(assimilate)
app.command()(atlas)
app.command()(attribute)
app.command()(calibrate)
app.command("export-site")(export_site)
app.command()(film)
app.command()(perturb)
app.command()(reanalyse)
app.command()(show)
app.command()(simulate)


@app.command()
def train(  # noqa: PLR0917 - options of a command, given by name
    config: Annotated[Path, typer.Argument(help="The model's TOML file.")],
    run: Annotated[
        Path | None, typer.Option(help="Folder of checkpoints; runs/NAME by default.")
    ] = None,
    bundle: Annotated[
        Path | None, typer.Option(help="Folder to write; RUN/bundle by default.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Instead of the file's seed.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Instead of the file's epochs.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Another setting than the file's: network.harmonics=0"),
    ] = None,
    device: Annotated[str, typer.Option(help="A torch device: cpu, cuda, ...")] = "cpu",
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 1,
) -> None:
    """Train a model and write its bundle; go on where an interrupted run left off.

    Example: `mlda train configs/speedy.toml`
    """
    with one_sentence():
        import torch

        from mlda_core.bundle.export import export_bundle, history
        from mlda_core.vae.config import load_config
        from mlda_core.vae.dataset import load_training_data
        from mlda_core.vae.training import train as fit

        _check_device(device)
        torch.set_num_threads(threads)
        model = load_config(config, settings or ())
        changes: dict[str, Any] = {}
        if seed is not None:
            changes["seed"] = seed
        if epochs is not None:
            changes["epochs"] = epochs
        model = model.with_training(**changes)
        name = model.name if seed is None else f"{model.name}-seed{seed}"
        run = run or Path("runs") / name
        data = load_training_data(model)
        out.print(
            f"{len(data.train)} training months under the observed sea, "
            f"{0 if data.mixed is None else len(data.mixed)} under synthetic seas; "
            f"log in {run / 'log.jsonl'}",
            highlight=False,
        )
        if data.missing:
            out.print(
                f"{100 * data.missing:.1f} % of the training months' cells are missing: they count "
                "in no mean, no loss and no score",
                highlight=False,
            )
        with progress_bar() as bar:
            task = bar.add_task("training", total=None)

            def report(epoch: Epoch) -> None:
                skill = "  ".join(f"{k} {v:.4f}" for k, v in epoch.skill.items())
                bar.console.print(
                    f"epoch {epoch.epoch:3d}/{epoch.epochs}  VALIDATION explained variance: "
                    f"{skill}  mean {epoch.score:.4f}  KL {epoch.kl:.1f}  {epoch.seconds:.0f} s",
                    highlight=False,
                )

            vae = fit(
                model,
                data,
                run,
                report=report,
                tick=lambda done, total: bar.update(task, completed=done, total=total),
                device=device,
            )
        target = bundle or run / "bundle"
        summary = history(run, data)
        command = _command(config, seed, epochs, settings or (), device)
        summary |= {"command": command, "torch": torch.__version__}
        export_bundle(vae.cpu(), model, data, target, provenance=summary)
    out.print(f"Wrote {target}; look at it with: mlda info {target}", highlight=False)


@app.command()
def validate(  # noqa: PLR0917 - options of a command, given by name
    bundle: Annotated[Path, typer.Argument(help="Folder of the bundle.")],
    split: Annotated[str, typer.Option(help="Months to score: validation, test, ...")] = (
        "validation"
    ),
    config: Annotated[
        Path | None,
        typer.Option(help="The model's TOML file: score every member, and EOFs beside them."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--out", help="Folder of the figures; runs/validate-NAME-SPLIT by default."),
    ] = None,
    samples: Annotated[int, typer.Option(min=2, help="Prior samples a calendar month.")] = 600,
    assimilation: Annotated[
        bool,
        typer.Option("--assimilation", help="Score assimilation instead of reconstruction."),
    ] = False,
    networks: Annotated[
        str | None,
        typer.Option(help="With --assimilation, --posterior, --priors: stations_100,..."),
    ] = None,
    perturbation: Annotated[
        bool,
        typer.Option("--perturbation", help="Score the response to a warmer sea instead."),
    ] = False,
    runs: Annotated[
        Path | None,
        typer.Option(
            help="With --perturbation: folder of the GCM's perturbed runs, plus1 and nino34_plus2."
        ),
    ] = None,
    write_responses: Annotated[
        Path | None,
        typer.Option(help="With --perturbation: netCDF file of the mean responses to write."),
    ] = None,
    coverage: Annotated[
        bool,
        typer.Option("--coverage", help="Score what the stations of 1880, 1903, ... see instead."),
    ] = False,
    posterior: Annotated[
        bool,
        typer.Option("--posterior", help="Score the calibration of posterior ensembles instead."),
    ] = False,
    priors: Annotated[
        bool,
        typer.Option("--priors", help="Compare the priors of the latent vector instead."),
    ] = False,
    most_draws: Annotated[
        int | None,
        typer.Option(min=1, help="With --priors: draws of each network of stations, of 20."),
    ] = None,
    sampler: how.Sampler = None,
    method: Annotated[
        str | None,
        typer.Option(help="With --posterior: the method, vae by default; enoi for ensemble OI."),
    ] = None,
    most_months: Annotated[
        int | None,
        typer.Option(
            min=1, help="With --posterior: months of each draw of a network, evenly chosen."
        ),
    ] = None,
    forecast: Annotated[
        bool,
        typer.Option("--forecast", help="Score the forecast models by lead instead."),
    ] = False,
    learning_curve: Annotated[
        bool,
        typer.Option(
            "--learning-curve",
            help="Train on few and on many months instead, and score what they buy.",
        ),
    ] = False,
    members: Annotated[
        str, typer.Option(help="With --learning-curve: how many members' months train.")
    ] = "1,2,all",
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="With --learning-curve: epochs of the training on most months."),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 1,
) -> None:
    """Score a bundle on held-out months; write scores.json and a page of figures.

    Example: `mlda validate assets/bundles/speedy --config configs/speedy.toml --split test`
    """
    if assimilation:
        validate_assimilation(bundle, split, config, networks, output, threads)
        return
    if coverage:
        validate_coverage(bundle, split, output, threads)
        return
    if posterior:
        how_drawn = (method or "vae", sampler or "laplace")
        validate_posterior(bundle, split, config, networks, how_drawn, most_months, output, threads)
        return
    if not (sampler is None and method is None and most_months is None):
        with one_sentence():
            raise ValueError("--sampler, --method and --most-months are for --posterior; add it.")
    if perturbation:
        validate_perturbation(bundle, split, config, runs, write_responses, threads)
        return
    if priors:
        validate_priors(bundle, split, config, networks, samples, output, most_draws, threads)
        return
    if forecast:
        validate_forecast(bundle, split, config, output, threads)
        return
    if learning_curve:
        validate_learning_curve(bundle, split, config, members, epochs, output, threads)
        return
    with one_sentence():
        # Fail now rather than after minutes of scoring: the page is drawn with it.
        import matplotlib as mpl  # noqa: F401
        import torch

        from mlda_core.evaluation.reconstruction import validate as score
        from mlda_core.evaluation.reconstruction import write_scores
        from mlda_core.evaluation.report import RECONSTRUCTIONS, write_page
        from mlda_core.vae.config import load_config
        from mlda_core.vae.dataset import load_training_data

        torch.set_num_threads(threads)
        model = _load(bundle)
        if config:
            # Report damaged scores before the work: they will be merged with the new ones.
            _ = model.scores
        data = load_training_data(load_config(config)) if config else None
        with ticking() as tick:
            report = score(model, split=split, data=data, samples=samples, tick=tick)
        folder = output or Path("runs") / f"validate-{model.name}-{split}"
        page = write_page(report, model, split, folder)
        # Scores of the bundled member alone must not replace those of every member.
        scored = (bundle if data is not None else folder) / "scores.json"
        write_scores(report, model, scored)
    table = Table(title=f"Reconstruction of {split} months: explained variance (RMSE)")
    scores = report.scores["reconstruction"][split]
    table.add_column("method")
    for variable in model.variables:
        table.add_column(f"{variable.name} ({variable.anomaly_units})", justify="right")
    for row in next(iter(scores.values())):
        cells = [scores[v.name][row] for v in model.variables]
        table.add_row(
            RECONSTRUCTIONS.get(row, row),
            *(f"{c['explained_variance']:.3f} ({c['rmse']:.2f})" for c in cells),
        )
    out.print(table)
    out.print(f"Wrote {scored} and {page}", highlight=False)


@app.command()
def info(bundle: Annotated[Path, typer.Argument(help="Folder of the bundle.")]) -> None:
    """Say what a bundle is.

    Example: `mlda info assets/bundles/speedy`
    """
    with one_sentence():
        model = _load(bundle)
        table = Table(show_header=False, title=model.title)
        for key, value in _facts(model).items():
            table.add_row(key, value)
    out.print(table)


def _facts(model: Bundle) -> dict[str, str]:
    """Return the facts that ``mlda info`` prints."""
    from mlda_core.climate.errors import BundleError

    size = sum(f.stat().st_size for f in model.path.iterdir() if f.is_file()) / 1e6
    splits = [model.split(m) for m in model.months]
    rows = {
        "name": model.name,
        "folder": f"{model.path} ({size:.1f} MB, schema {model.config['schema_version']})",
        "grid": f"{model.grid.shape[0]} x {model.grid.shape[1]} cells",
        "variables": ", ".join(f"{v.name} ({v.anomaly_units})" for v in model.variables),
        "latent vector": f"{model.n_latent} numbers; priors: "
        + ", ".join(["gaussian", *sorted(model.config.get("priors", {}))]),
        "base period": model.base_period,
        "months": f"{model.months[0]} to {model.months[-1]}: "
        + ", ".join(f"{splits.count(s)} {s}" for s in dict.fromkeys(splits)),
        "made from": f"{model.config.get('source', '')} ({model.config.get('licence', '')})",
        "held-out years": "; ".join(
            f"{k}: {', '.join(map(str, v))}" for k, v in model.config["splits"].items()
        ),
    }
    try:
        for split, by_variable in model.scores.get("reconstruction", {}).items():
            rows[f"explained variance, {split}"] = ", ".join(
                f"{k} {v['vae']['explained_variance']:.3f}" for k, v in by_variable.items()
            )
    except (AttributeError, KeyError, TypeError) as error:
        raise BundleError(
            f"{model.path / 'scores.json'} does not hold a bundle's scores; delete it, or score "
            "again with 'mlda validate'."
        ) from error
    return rows


def _command(
    config: Path, seed: int | None, epochs: int | None, settings: Sequence[str], device: str
) -> str:
    """Return the command that reproduces the training, for a bundle's provenance."""
    words = ["mlda", "train", str(config)]
    if seed is not None:
        words += ["--seed", str(seed)]
    if epochs is not None:
        words += ["--epochs", str(epochs)]
    for setting in settings:
        words += ["--set", setting]
    if device != "cpu":
        words += ["--device", device]
    return shlex.join(words)


def _load(path: Path) -> Bundle:
    from mlda_core.bundle.bundle import load_bundle

    return load_bundle(path)


def _check_device(device: str) -> None:
    import torch

    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"There is no device '{device}' here; use --device cpu.") from error
