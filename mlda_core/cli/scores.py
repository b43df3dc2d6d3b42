"""``mlda validate`` by ``--assimilation``, ``--posterior``, ``--priors``, and others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from mlda_core.assimilation.methods import spelled
from mlda_core.cli.console import one_sentence, out, ticking
from mlda_core.cli.output_files import GRIDDED, files_of_bundle, refuse_inputs

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.vae.dataset import Months


def validate_assimilation(
    folder: Path,
    split: str,
    config: Path | None,
    chosen: str | None,
    output: Path | None,
    threads: int,
) -> None:
    """Score assimilation and write it into ``scores.json``, one network at a time.

    Parameters
    ----------
    folder : Path
        Of the bundle.
    split : str
        Split to score.
    config : Path, optional
        The model's TOML file: score every member. Without it the bundled months are scored, and
        the scores are written to ``output``.
    chosen : str, optional
        Networks, separated by commas; all by default.
    output : Path, optional
        Folder of the scores without a configuration.
    threads : int
        CPU threads.
    """
    with one_sentence():
        import torch

        from mlda_core.bundle.bundle import load_bundle
        from mlda_core.evaluation.assimilation import ceiling, score, write_assimilation

        torch.set_num_threads(threads)
        bundle = load_bundle(folder)
        wanted = _networks(bundle, chosen)
        months, target = _months_and_file(bundle, folder, config, split, output)
        with ticking() as tick:
            for network in wanted:
                scores = score(bundle, months, networks=[network], tick=tick)
                if network == "sst_only":
                    for name, value in ceiling(bundle, months).items():
                        scores[network][name]["ceiling"] = value
                write_assimilation(scores, bundle, split, target)
                out.print(_table(bundle, network, scores[network]))
    out.print(f"Wrote {target}", highlight=False)


def validate_posterior(  # noqa: PLR0917 - options of a command, given by name
    folder: Path,
    split: str,
    config: Path | None,
    chosen: str | None,
    how_drawn: tuple[str, str],
    most_months: int | None,
    output: Path | None,
    threads: int,
) -> None:
    """Score posterior ensembles and write them into ``scores.json``, one network at a time.

    Parameters
    ----------
    folder, split, config, chosen, output, threads
        As for :func:`validate_assimilation`.
    how_drawn : tuple of str
        Method and sampler.
    most_months : int, optional
        Months of each draw of a network; all by default.
    """
    with one_sentence():
        # Fail now rather than after the first month.
        import scores.probability
        import torch

        from mlda_core.bundle.bundle import load_bundle
        from mlda_core.evaluation.posterior import score_posterior, write_posterior

        torch.set_num_threads(threads)
        bundle = load_bundle(folder)
        wanted = _networks(bundle, chosen)
        months, target = _months_and_file(bundle, folder, config, split, output)
        method, sampler = how_drawn
        with ticking() as tick:
            for network in wanted:
                scores = score_posterior(
                    bundle,
                    months,
                    method=method,
                    sampler=sampler,
                    networks=[network],
                    most_months=most_months,
                    tick=tick,
                )
                write_posterior(scores, bundle, split, how_drawn, target)
                out.print(_posterior_table(bundle, network, scores[network]))
    out.print(f"Wrote {target}", highlight=False)


def validate_priors(  # noqa: PLR0917 - options of a command, given by name
    folder: Path,
    split: str,
    config: Path | None,
    chosen: str | None,
    samples: int,
    output: Path | None,
    most_draws: int | None,
    threads: int,
) -> None:
    """Compare the priors that a bundle has, and write that into ``scores.json``.

    Parameters
    ----------
    folder, split, config, chosen, output, threads
        As for :func:`validate_assimilation`; the configuration must be given, and the networks are
        10 and 30 stations by default. With ``output`` the scores are written there.
    samples : int
        Draws of each prior in a calendar month.
    most_draws : int, optional
        Draws of each network; all by default.
    """
    with one_sentence():
        import torch

        from mlda_core.bundle.bundle import load_bundle
        from mlda_core.bundle.checks import check_same_model
        from mlda_core.evaluation.priors import NETWORKS, score_priors, write_priors
        from mlda_core.vae.config import ConfigError, load_config
        from mlda_core.vae.dataset import load_training_data

        torch.set_num_threads(threads)
        if config is None:
            raise ConfigError("--priors needs --config, the model's TOML file; add it.")
        bundle = load_bundle(folder)
        wanted = _networks(bundle, chosen) if chosen else list(NETWORKS)
        model = load_config(config)
        # Mixed seas are not used here, and take longest to read.
        data = load_training_data(replace(model, data=replace(model.data, mixed=None)))
        check_same_model(bundle, data)
        if not len(data.observed.in_split(split)):
            raise ConfigError(f"No month is in the split '{split}'; choose test, validation, ...")
        target = (output or folder) / "scores.json"
        with ticking() as tick:
            found = score_priors(
                bundle,
                data,
                split,
                samples=samples,
                networks=wanted,
                most_draws=most_draws,
                keep=lambda part: write_priors(part, bundle, split, target),
                tick=tick,
            )
        out.print(_priors_table(found))
    out.print(f"Wrote {target}", highlight=False)


def validate_perturbation(
    folder: Path,
    split: str,
    config: Path | None,
    runs: Path | None,
    responses: Path | None,
    threads: int,
) -> None:
    """Score responses to SST changes against the GCM's, into the bundle's ``scores.json``.

    Parameters
    ----------
    folder : Path
        Of the bundle.
    split : str
        Split to score.
    config : Path
        The model's TOML file: its observed dataset has the control runs.
    runs : Path
        Folder of the perturbed runs, with one folder for each experiment.
    responses : Path, optional
        NetCDF file for the mean responses of the GCM and the emulator.
    threads : int
        CPU threads.
    """
    with one_sentence():
        import torch

        from mlda_core.assimilation.assimilator import Assimilator
        from mlda_core.bundle.bundle import load_bundle
        from mlda_core.evaluation import gcm_response as gcm_scoring
        from mlda_core.perturbation.gcm import GcmError, write_responses
        from mlda_core.perturbation.gcm_runs import read_runs

        torch.set_num_threads(threads)
        if runs is None or config is None:
            lacking = "--runs, the folder of" if runs is None else "--config, whose dataset has"
            other = "the perturbed runs" if runs is None else "the runs without the change"
            raise GcmError(f"--perturbation needs {lacking} {other}; add it.")
        if responses is not None:
            refuse_inputs(responses, [runs, config, *files_of_bundle(folder)], read=GRIDDED)
        bundle = load_bundle(folder)
        engine = Assimilator(bundle)
        with ticking() as tick:
            months = _unperturbed(config, bundle, split)
            experiments = read_runs(runs, bundle, months, tick=tick)
            emulated = {
                method: gcm_scoring.emulate(engine, experiments, method, tick=tick)
                for method in gcm_scoring.METHODS
            }
        found = gcm_scoring.score(experiments, emulated, bundle)
        target = folder / "scores.json"
        gcm_scoring.write_perturbation(found, experiments, bundle, split, target)
        for experiment, by_area in found.items():
            for area, scores in by_area.items():
                out.print(_responses_table(bundle, experiment, area, scores))
        if responses:
            command = f"mlda validate --perturbation --split {split}"
            write_responses(
                gcm_scoring.responses(experiments, emulated["vae"], split),
                bundle,
                responses,
                {"history": f"made by '{command}'"},
            )
            out.print(f"Wrote {responses}", highlight=False)
    out.print(f"Wrote {target}", highlight=False)


def validate_forecast(
    folder: Path, split: str, config: Path | None, output: Path | None, threads: int
) -> None:
    """Score forecast models by lead and write them into ``scores.json``, one model at a time.

    Parameters
    ----------
    folder, split, config, output, threads
        As for :func:`validate_assimilation`.
    """
    with one_sentence():
        import torch

        from mlda_core.bundle.bundle import load_bundle
        from mlda_core.cli.forecast import forecast_table
        from mlda_core.evaluation.forecast import score_forecasts
        from mlda_core.evaluation.scores_file import put_scores, scores_of
        from mlda_core.forecast.loading import forecasts_of

        torch.set_num_threads(threads)
        bundle = load_bundle(folder)
        months, target = _months_and_file(bundle, folder, config, split, output)
        with ticking() as tick:
            for key in forecasts_of(bundle):
                found = score_forecasts(bundle, months, models=[key], tick=tick)
                scores = scores_of(bundle, target)
                scores.setdefault("forecast", {}).setdefault(split, {}).update(found)
                put_scores(scores, bundle, target)
        out.print(forecast_table(bundle, scores["forecast"][split]))
    out.print(f"Wrote {target}", highlight=False)


def validate_learning_curve(  # noqa: PLR0917 - options of a command, given by name
    folder: Path,
    split: str,
    config: Path | None,
    members: str,
    epochs: int | None,
    output: Path | None,
    threads: int,
) -> None:
    """Train models on increasing numbers of months, and score them with the baselines.

    Parameters
    ----------
    folder : Path
        Of the bundle whose assimilation parameters are used.
    split : str
        Must be ``validation``.
    config : Path
        The model's TOML file.
    members : str
        Numbers of members, separated by commas.
    epochs : int, optional
        Of the training with the largest number of months.
    output : Path, optional
        Folder of the models, tables and figure.
    threads : int
        CPU threads.
    """
    with one_sentence():
        # Fail now rather than after an hour: the figure needs it.
        import matplotlib as mpl  # noqa: F401
        import torch
        from rich.markdown import Markdown

        from mlda_core.bundle.bundle import load_bundle
        from mlda_core.evaluation.learning_curve import EPOCHS, Curve
        from mlda_core.evaluation.learning_curve_points import choose_points
        from mlda_core.evaluation.learning_curve_report import tables_of, write_curve
        from mlda_core.vae.config import ConfigError, load_config

        torch.set_num_threads(threads)
        if config is None:
            raise ConfigError("--learning-curve needs --config, the model's TOML file; add it.")
        if split != "validation":
            raise ConfigError(
                f"A learning curve is scored on VALIDATION months, not on '{split}': it chooses, "
                "and TEST is for what was chosen; leave --split out."
            )
        bundle, model = load_bundle(folder), load_config(config)
        target = output or Path("runs") / f"learning-curve-{model.name}"
        points = choose_points(model, [n.strip() for n in members.split(",")])
        with ticking() as tick:
            curve = Curve(model, bundle.settings, target, epochs=epochs or EPOCHS, tick=tick)
            scores = curve.run(points)
        about = {"title": model.title, "split": split, "epochs": curve.epochs}
        written = write_curve(scores, model.variables, target, **about)
        out.print(Markdown(tables_of(scores, model.variables)))
    out.print(f"Wrote {', '.join(map(str, written))}", highlight=False)


def _networks(bundle: Bundle, chosen: str | None) -> list[str]:
    """Return the networks to score, all of the bundle by default."""
    from mlda_core.evaluation.assimilation import NETWORKS, networks_of
    from mlda_core.vae.config import ConfigError

    wanted = [n.strip() for n in chosen.split(",")] if chosen else list(networks_of(bundle))
    unknown = [n for n in wanted if n not in NETWORKS]
    if unknown:
        raise ConfigError(f"There is no network '{unknown[0]}'; use some of {', '.join(NETWORKS)}.")
    return wanted


def _months_and_file(
    bundle: Bundle, folder: Path, config: Path | None, split: str, output: Path | None
) -> tuple[Months, Path]:
    """Return the months of a split, and the file of the scores.

    With the model's configuration every member is scored, into the bundle's own file; without it
    the months in the bundle, into another.
    """
    from mlda_core.bundle.checks import check_same_model
    from mlda_core.bundle.samples import months_of_bundle
    from mlda_core.vae.config import ConfigError, load_config
    from mlda_core.vae.dataset import load_training_data

    if config:
        data = load_training_data(load_config(config))
        check_same_model(bundle, data)
        months, target = data.observed, folder / "scores.json"
    else:
        months = months_of_bundle(bundle)
        target = (output or Path("runs") / f"validate-{bundle.name}-{split}") / "scores.json"
    months = months.in_split(split)
    if not len(months):
        raise ConfigError(f"No month is in the split '{split}'; choose test, validation, ...")
    return months, target


def _posterior_table(bundle: Bundle, network: str, scores: dict[str, Any]) -> Table:
    table = Table(title=f"{network}: calibration where nothing was observed")
    for head in ("variable", "CRPS", "spread / error", "50 %", "90 %", "withheld: spread / error"):
        table.add_column(head, justify="left" if head == "variable" else "right")
    for variable in bundle.variables:
        found = scores.get(variable.name)
        if not found:
            continue
        withheld = found.get("withheld", {}).get("spread_over_error")
        table.add_row(
            f"{variable.name} ({variable.anomaly_units})",
            f"{found['crps']:.3f}",
            f"{found['spread_over_error']:.2f}",
            f"{100 * found['coverage_50']:.0f}",
            f"{100 * found['coverage_90']:.0f}",
            "-" if withheld is None else f"{withheld:.2f}",
        )
    return table


def _priors_table(found: dict[str, Any]) -> Table:
    table = Table(title="Priors: log density and energy distance of held-out codes, and El Niño")
    for head in ("prior", "gain, nats", "energy distance", "Niño 3.4 sd, K", "skewness"):
        table.add_column(head, justify="left" if head == "prior" else "right")

    def index(of: dict[str, Any]) -> tuple[str, str]:
        index = of.get("nino34")
        return ("-", "-") if not index else (f"{index['sd']:.2f}", f"{index['skewness']:.2f}")

    for key, scores in found["priors"].items():
        gain = "-"
        if "gain" in scores:
            gain = f"{scores['gain']:.2f} ({scores['standard_error']:.2f})"
        table.add_row(key, gain, f"{scores['energy_distance']:.4f}", *index(scores))
    halves = found["halves"]
    table.add_row("halves of the years", "", "-" if halves is None else f"{halves:.4f}", "", "")
    for name, label in (("codes", "codes of training months"), ("months", "training months")):
        if "nino34" in found:
            table.add_row(label, "", "", *index({"nino34": found["nino34"][name]}))
    return table


def _unperturbed(config: Path, bundle: Bundle, split: str) -> Months:
    """Months of a split, of every member under the observed sea."""
    from mlda_core.bundle.checks import check_same_model
    from mlda_core.vae.config import ConfigError, load_config
    from mlda_core.vae.dataset import load_training_data

    model = load_config(config)
    # Synthetic seas are not used here, and take longest to read.
    data = load_training_data(replace(model, data=replace(model.data, mixed_share=0.0)))
    check_same_model(bundle, data)
    months = data.observed.in_split(split)
    if not len(months):
        raise ConfigError(f"No month is in the split '{split}'; choose test, validation, ...")
    return months


def _responses_table(
    bundle: Bundle, experiment: str, area: str, scores: dict[str, dict[str, Any]]
) -> Table:
    from mlda_core.perturbation.gcm import EXPERIMENTS

    label = EXPERIMENTS[experiment].label
    table = Table(title=f"{label}, {area}: pattern correlation with the GCM (amplitude ratio)")
    table.add_column("method")
    shown = [v.name for v in bundle.variables if v.name in scores]
    for name in shown:
        table.add_column(name, justify="right")
    for method in next(iter(scores.values())):
        cells = [scores[name][method] for name in shown]
        table.add_row(
            spelled(method),
            *(
                f"{c['pattern_correlation']:.2f}"
                + (f" ({c['amplitude_ratio']:.2f})" if "amplitude_ratio" in c else "")
                for c in cells
            ),
        )
    return table


def _table(bundle: Bundle, network: str, scores: dict[str, Any]) -> Table:
    table = Table(title=f"{network}: explained variance (RMSE), where nothing was observed")
    table.add_column("method")
    for variable in bundle.variables:
        table.add_column(f"{variable.name} ({variable.anomaly_units})", justify="right")
    for method in dict.fromkeys(m for by_method in scores.values() for m in by_method):
        cells = [scores[v.name].get(method) for v in bundle.variables]
        table.add_row(
            spelled(method),
            *(
                f"{c['explained_variance']:.3f} ({c['rmse']:.2f})"
                if c and "rmse" in c
                else (f"{c['explained_variance']:.3f}" if c else "")
                for c in cells
            ),
        )
    return table
