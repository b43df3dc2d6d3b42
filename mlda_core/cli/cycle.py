"""The commands ``mlda cycle run`` and ``mlda cycle learn``: assimilation through time."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from rich.table import Table

from mlda_core.cli.console import one_sentence, out, ticking
from mlda_core.cli.output_files import files_of_bundle, refuse_inputs
from mlda_core.forecast.models import FORECASTS

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.climate.regions import Region
    from mlda_core.cycling.covariance import Gaussian
    from mlda_core.cycling.cycle import CycledStep
    from mlda_core.cycling.learnt_background import LearntBackground
    from mlda_core.vae.dataset import Months

cycle_app = typer.Typer(
    help="Assimilation through time: forecast, analysis, forecast, and so on.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)
Config = Annotated[Path, typer.Option(help="The model's TOML file, which names its data.")]
Stations = Annotated[
    int, typer.Option(min=1, max=5000, help="Random stations that observe the bundle's own states.")
]
Model = Annotated[str, typer.Option(help=f"Forecast model: {', '.join(FORECASTS)}.")]
ObservedEvery = Annotated[int, typer.Option(min=1, help="Observations every so many times.")]
Threads = Annotated[int, typer.Option(min=1, help="CPU threads.")]


@cycle_app.command("run")
def run(  # noqa: PLR0917 - options of a command, given by name
    bundle: Annotated[Path, typer.Argument(help="Folder of the bundle.")],
    start: Annotated[str, typer.Option("--from", help="First time, of the bundle.")],
    end: Annotated[str, typer.Option("--to", help="Last time.")],
    output: Annotated[Path, typer.Option("--out", help="NetCDF file to write, or to go on with.")],
    config: Annotated[
        Path | None,
        typer.Option(
            help="The model's TOML file: climatology is then of its training data. Without it, "
            "climatology and errors of the forecast are those that the bundle ships, as on the "
            "page."
        ),
    ] = None,
    # Their registry imports torch, which takes longer than all other help together.
    method: Annotated[
        str, typer.Option(help="A cycled method: static, 3dvar, letkf, ... (docs/cycling.md).")
    ] = "3dvar",
    model: Model = "grid",
    stations: Stations = 100,
    observed_every: ObservedEvery = 1,
    background: Annotated[
        Path | None, typer.Option(help="Background errors, as mlda cycle learn wrote them.")
    ] = None,
    errors: Annotated[
        Path | None,
        typer.Option(help="Learnt models of forecast errors, as mlda cycle train wrote them."),
    ] = None,
    withhold: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TIME:AREA",
            help="From a time on an area has no observations: 1997-02-01:europe. 1997-02-08:none "
            "brings all back.",
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="A setting of the method: members=20, lag=3."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the observations' noise and the run.")] = 0,
    threads: Threads = 1,
) -> None:
    """Cycle a method through the bundle's times; a run that was stopped goes on where it was.

    Examples: `mlda cycle run assets/bundles/daily --from 1997-01-01 --to 1997-03-31 --out
    cycle.nc`; `mlda cycle run runs/daily/bundle --config configs/daily.toml --from 1997-01-01 --to
    1997-03-31 --background errors.safetensors --out cycle.nc`
    """
    with one_sentence():
        import torch

        from mlda_core.bundle.bundle import load_bundle
        from mlda_core.bundle.samples import months_of_bundle
        from mlda_core.climate.errors import UserError
        from mlda_core.cycling.bundle_case import (
            ENSEMBLE_HALF_WIDTH_KM,
            case_of,
            localisation_of,
        )
        from mlda_core.cycling.cycle import Cycle
        from mlda_core.cycling.error_model_file import load_error_models
        from mlda_core.cycling.latent_case import latent_space_of
        from mlda_core.cycling.latent_method import LatentMethod
        from mlda_core.cycling.methods import cycled_method
        from mlda_core.cycling.run_file import RunFile
        from mlda_core.cycling.withheld import with_changes
        from mlda_core.evaluation.assimilation import network_of
        from mlda_core.evaluation.cycling import score_cycle
        from mlda_core.forecast.loading import load_forecast

        torch.set_num_threads(threads)
        inputs = [config, background, errors, *files_of_bundle(bundle)]
        refuse_inputs(output, inputs)
        own = load_bundle(bundle)
        days = _between(own, start, end)
        dynamics = load_forecast(own, model)
        climatology, given = _believed(own, days, config, background, stations)
        model_of_errors = load_error_models(errors, own).of(own, stations) if errors else None
        places, _ = network_of(own, f"stations_{stations}", 0)
        chosen = dict(_setting(text) for text in settings or ())
        case = case_of(
            own,
            dynamics,
            days,
            places,
            climatology,
            errors=model_of_errors,
            observed_every=observed_every,
            localisation=localisation_of(own, ENSEMBLE_HALF_WIDTH_KM),
            seed=seed,
            **given,
        )
        changes = _changes(withhold or (), days)
        case = replace(case, problem=with_changes(own, case, changes))
        if isinstance(cycled_method(method), LatentMethod):
            # Held out of training: codes leave more out of these.
            held = months_of_bundle(own).in_split("validation")
            space = latent_space_of(own, load_forecast(own, "koopman"), held)
            case = replace(case, problem=replace(case.problem, latent=space))
        try:
            cycle = Cycle(case.problem, method, seed, **chosen)
        except TypeError as error:
            raise UserError(f"A setting of --set has the wrong type ({error}).") from error
        begun = {
            "bundle": own.config["checksums"],
            "method": cycle.method.key,
            "settings": chosen,
            "model": model,
            "stations": stations,
            "observed_every": observed_every,
            "withhold": list(withhold or ()),
            "config": str(config) if config else "",
            "background": str(background) if background else "",
            "errors": str(errors) if errors else "",
            "seed": seed,
            "from": str(days.names[0]),
            "to": str(days.names[-1]),
        }
        words = ["mlda", "cycle", "run", str(bundle)]
        words += ["--config", str(config)] if config else []
        words += ["--from", start, "--to", end, "--method", method, "--model", model]
        words += ["--stations", str(stations), "--observed-every", str(observed_every)]
        words += ["--background", str(background)] if background else []
        words += ["--errors", str(errors)] if errors else []
        words += [part for text in withhold or () for part in ("--withhold", text)]
        words += [part for text in settings or () for part in ("--set", text)]
        attributes = {
            "title": f"{cycle.method.label} cycled through {own.title}",
            "source": f"mlda bundle {own.name}, forecast {model}, {stations} stations",
            "history": shlex.join([*words, "--seed", str(seed), "--out", str(output)]),
        }
        times = own.seasons.step.times(days.names)
        file = RunFile(output, own, times, begun, attributes)
        file.resume(cycle)
        first = cycle.next
        if first:
            out.print(f"Going on from {days.names[first]}", highlight=False)
        with ticking() as tick:
            scores = score_cycle(own, case, _told(file.steps(cycle), len(days), tick))
    # The first days of a run have the errors of its start.
    if scores["scored"]:
        out.print(_table(own, scores))
    out.print(f"Wrote {output}", highlight=False)


@cycle_app.command("learn")
def learn(  # noqa: PLR0917 - options of a command, given by name
    bundle: Annotated[Path, typer.Argument(help="Folder of the bundle.")],
    config: Config,
    output: Annotated[
        Path | None,
        typer.Option("--out", help="File for all errors of one network, for mlda cycle run."),
    ] = None,
    model: Model = "grid",
    stations: Annotated[
        list[int] | None,
        typer.Option(
            min=1, max=5000, help="Stations of a network; once for each. [default: 30, 100, 300]"
        ),
    ] = None,
    observed_every: ObservedEvery = 1,
    split: Annotated[str, typer.Option(help="Held-out times whose truth teaches.")] = "validation",
    rounds: Annotated[int, typer.Option(min=1, max=20, help="Cycles over them.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="Of the observations' noise.")] = 0,
    threads: Threads = 1,
) -> None:
    """Learn from cycles over held-out times how far to trust forecasts, and how they err.

    The bundle keeps one number a variable and latitude for each network, which the page's tool
    Cycle needs; with --out a file keeps all errors of one network instead.

    Examples: `mlda cycle learn runs/daily/bundle --config configs/daily.toml`;
    `mlda cycle learn runs/daily/bundle --config configs/daily.toml --stations 100 --out
    errors.safetensors`
    """
    with one_sentence():
        import torch

        from mlda_core.bundle.bundle import load_bundle
        from mlda_core.bundle.samples import months_of_bundle
        from mlda_core.climate.errors import UserError
        from mlda_core.cycling.bundle_case import case_of, climatology_of, learn_from
        from mlda_core.cycling.learnt_background import save_background
        from mlda_core.cycling.shipped_case import save_trust, trust_of
        from mlda_core.cycling.training_errors import with_training_errors
        from mlda_core.evaluation.assimilation import network_of
        from mlda_core.forecast.loading import load_forecast

        torch.set_num_threads(threads)
        sizes = sorted(set(stations or ((100,) if output else (30, 100, 300))))
        if output and len(sizes) > 1:
            raise UserError("--out holds the errors of one network; give --stations once.")
        if output:
            refuse_inputs(output, [config, *files_of_bundle(bundle)])
        own = load_bundle(bundle)
        days = months_of_bundle(own).in_split(split)
        if not len(days):
            raise UserError(
                f"The bundle has no {own.seasons.step.plural} of the split '{split}'; choose "
                "validation or test."
            )
        dynamics = load_forecast(own, model)
        training = _training(own, config)
        climatology = climatology_of(own, training)
        names = [variable.name for variable in own.variables]
        found: dict[int, LearntBackground] = {}
        with ticking() as tick:
            for number, size in enumerate(sizes):
                places, _ = network_of(own, f"stations_{size}", 0)
                case_of_days = partial(
                    case_of,
                    own,
                    dynamics,
                    places=places,
                    climatology=climatology,
                    observed_every=observed_every,
                    seed=seed,
                )
                done = number * rounds

                def tell(
                    i: int, made: LearntBackground, size: int = size, done: int = done
                ) -> None:
                    tick("rounds", done + i + 1, len(sizes) * rounds)
                    parts = made.factor.reshape(len(names), -1).mean(axis=1)
                    said = ", ".join(f"{n} {p:.2f}" for n, p in zip(names, parts, strict=True))
                    out.print(
                        f"{size} stations, round {i + 1}: forecasts are trusted by {said}",
                        highlight=False,
                    )

                tick("rounds", done, len(sizes) * rounds)
                found[size] = learn_from(own, case_of_days(days), rounds, tell)
            if output:
                # The network is that of the last case: --out takes one.
                held = found[sizes[0]]
                made = with_training_errors(
                    own,
                    held,
                    training,
                    partial(case_of_days, learnt=held),
                    tell=lambda done, total: tick("training times", done, total),
                )
        if output:
            save_background(output, made)
        else:
            output = save_trust(own, trust_of(own, found))
    out.print(f"Wrote {output}", highlight=False)


def _between(bundle: Bundle, start: str, end: str) -> Months:
    """Return the bundle's times from one to another, checked."""
    from mlda_core.bundle.samples import months_of_bundle
    from mlda_core.climate.errors import UserError

    step = bundle.seasons.step
    for label in (start, end):
        bundle.seasons.of(label)
        bundle.split(label)
    wanted = step.labels(step.between(start, end))
    if len(wanted) < 2:
        raise UserError(f"--to {end} is not after --from {start}; give a later {step.name}.")
    missing = sorted(set(wanted) - set(bundle.months))
    if missing:
        raise UserError(f"The bundle lacks {missing[0]}; give times that it has without a gap.")
    days = months_of_bundle(bundle)
    return days.where(np.isin(days.names, wanted))


def _believed(
    bundle: Bundle, days: Months, config: Path | None, background: Path | None, stations: int
) -> tuple[Gaussian, dict[str, Any]]:
    """Return the climatology of a run, and what its case is given of background errors."""
    from mlda_core.climate.errors import UserError
    from mlda_core.cycling.bundle_case import climatology_of, localisation_of
    from mlda_core.cycling.learnt_background import load_background
    from mlda_core.cycling.shipped_case import (
        load_trust,
        shipped_background,
        shipped_climatology,
    )

    given: dict[str, Any] = {}
    if background:
        given["learnt"] = load_background(background, localisation_of(bundle), bundle.seasons)
    if config:
        return climatology_of(bundle, _training(bundle, config)), given
    known = [name for name in days.names if bundle.split(str(name)) != "test"]
    if known:
        raise UserError(
            f"{known[0]} is no TEST {bundle.seasons.step.name}, and the climatology that the "
            "bundle ships is of others; give --config, or times of TEST."
        )
    climatology = shipped_climatology(bundle)
    if not background:
        learnt = shipped_background(bundle, climatology, load_trust(bundle), stations)
        # Its covariance is climatology's already.
        given = {"learnt": learnt, "share": 0.0}
    return climatology, given


def _changes(given: Sequence[str], days: Months) -> list[tuple[int, Region | None]]:
    """Return from which cycle on which area is withheld."""
    from mlda_core.climate.errors import UserError
    from mlda_core.page_state.cycles import AREAS

    labels = days.names.tolist()
    found: list[tuple[int, Region | None]] = []
    for text in given:
        time, _, area = text.rpartition(":")
        if time not in labels:
            raise UserError(
                f"--withhold '{text[:40]}' names no time of the run; write it as TIME:AREA with a "
                f"time from {labels[0]} to {labels[-1]}."
            )
        if area != "none" and area not in AREAS:
            raise UserError(
                f"Nothing can be withheld in '{area[:24]}'; choose one of {', '.join(AREAS)}, or "
                "none."
            )
        found.append((labels.index(time), AREAS.get(area)))
    return sorted(found, key=lambda change: change[0])


def _training(bundle: Bundle, config: Path) -> Months:
    """Return the training times that a configuration names."""
    from mlda_core.bundle.checks import check_same_model
    from mlda_core.vae.config import load_config
    from mlda_core.vae.dataset import load_training_data

    data = load_training_data(load_config(config))
    check_same_model(bundle, data)
    return data.train


def _setting(text: str) -> tuple[str, Any]:
    """Return the name and value of ``name=value``: a whole number, a number, a truth or a word."""
    from mlda_core.climate.errors import UserError

    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise UserError(f"--set '{text}' is no setting; write it as name=value.")
    word = value.strip()
    known: dict[str, Any] = {"true": True, "false": False}
    if word.lower() in known:
        return name.strip(), known[word.lower()]
    for kind in (int, float):
        try:
            return name.strip(), kind(word)
        except ValueError:
            continue
    return name.strip(), word


def _told(steps: Iterator[CycledStep], total: int, tick: Any) -> Iterator[CycledStep]:
    """Pass on steps and show how far they are."""
    began = time.perf_counter()
    for step in steps:
        if time.perf_counter() - began > 0.2 or step.cycle + 1 == total:
            tick("cycling", step.cycle + 1, total)
            began = time.perf_counter()
        yield step


def _table(bundle: Bundle, scores: dict[str, Any]) -> Table:
    """Return the scores of a run as a table."""
    table = Table(title=f"Explained variance, {scores['seconds']:.2f} s a {bundle.seasons.step}")
    for head in ("variable", "background", "analysis"):
        table.add_column(head, justify="left" if head == "variable" else "right")
    for variable in bundle.variables:
        found = scores[variable.name]
        table.add_row(variable.name, *(f"{found[of]:.2f}" for of in ("background", "analysis")))
    return table
