"""Cycled methods on a bundle's days: a twin experiment over a held-out year.

    python benchmarks/daily_twin.py runs/daily/bundle --split test
    python benchmarks/daily_twin.py runs/daily/bundle --out docs/cycling.md

Random stations observe psl and tas of the true days with errors of 0.2 of the local spread.
Explained variance of anomalies is of the cells without a station. How far to trust a forecast is
learnt on VALIDATION, whatever is scored; the covariance of its errors on cycles over training days,
scaled to those of VALIDATION. Both are kept in the folder of the run, as each score is: the same
command again goes on where it was stopped. With ``--out`` nothing is run, and the table of TEST is
written between its marks in that page.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mlda_core.bundle.bundle import Bundle, load_bundle
from mlda_core.cycling.bundle_case import (
    ENSEMBLE_HALF_WIDTH_KM,
    Case,
    case_of,
    climatology_of,
    learn_from,
    localisation_of,
)
from mlda_core.cycling.covariance import Gaussian
from mlda_core.cycling.cycle import Cycle
from mlda_core.cycling.error_model import ErrorModel
from mlda_core.cycling.error_model_file import load_error_models
from mlda_core.cycling.latent_case import latent_space_of
from mlda_core.cycling.latent_space import LatentSpace
from mlda_core.cycling.learnt_background import (
    LearntBackground,
    load_background,
    save_background,
)
from mlda_core.cycling.methods import CYCLED, cycled_method
from mlda_core.cycling.methods.vae_var import VaeVar
from mlda_core.cycling.training_errors import with_training_errors
from mlda_core.evaluation.assimilation import network_of
from mlda_core.evaluation.cycling import score_cycle
from mlda_core.forecast.dynamics import Dynamics
from mlda_core.forecast.loading import load_forecast
from mlda_core.vae.config import load_config
from mlda_core.vae.dataset import Months, TrainingData, load_training_data

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import marks  # noqa: E402

STATIONS = (30, 100, 300)
# Those that need the learnt model of forecast errors.
VAE_VAR = tuple(key for key, method in CYCLED.items() if isinstance(method, VaeVar))
# Settings by method, found on VALIDATION.
SETTINGS: dict[str, dict[str, Any]] = {
    **{key: dict(method.offered) for key, method in CYCLED.items() if method.offered is not None},
    **{key: {} for key in VAE_VAR},
    "hybrid": {},
    "4dvar": {"lag": 1, "window": "overlapping", "iterations": 1},
    "enkf_latent": {"members": 400},
    "pf_bootstrap_latent": {"particles": 10_000},
    "pf_optimal_latent": {"particles": 10_000},
}
# Those whose forecasts are damped, and whose covariance is learnt.
LEARNT = ("3dvar", *VAE_VAR, "hybrid", "4dvar", "4dvar_weak")
MARK = "daily-twin"


class Twin:
    """The experiments of one bundle and its data.

    Parameters
    ----------
    bundle : Bundle
    data : TrainingData
    dynamics : Dynamics
    run : Path
        Folder for what was learnt and scored.
    days : int, optional
        The first days of a year only.
    every : int
        Observations every so many days: then what is learnt and scored has a folder of its own.
    """

    def __init__(
        self,
        bundle: Bundle,
        data: TrainingData,
        dynamics: Dynamics,
        run: Path,
        *,
        days: int | None = None,
        every: int = 1,
    ) -> None:
        self.bundle, self.data, self.dynamics = bundle, data, dynamics
        self.run, self.days, self.every = run, days, every
        self.climatology: Gaussian = climatology_of(bundle, data.train)
        self.localisation = localisation_of(bundle)
        self.of_ensemble = localisation_of(bundle, ENSEMBLE_HALF_WIDTH_KM)

    def year(self, split: str) -> Months:
        """Return the days of a split."""
        days = self.data.observed.in_split(split)
        return days.where(np.arange(len(days)) < (self.days or len(days)))

    @cached_property
    def latent(self) -> LatentSpace:
        """The latent space, whose rest is that of VALIDATION days."""
        held = self.data.observed.in_split("validation")
        return latent_space_of(self.bundle, load_forecast(self.bundle, "koopman"), held)

    def case(
        self,
        days: Months,
        stations: int,
        learnt: LearntBackground | None,
    ) -> Case:
        """Return the problem of days and a network."""
        places, _ = network_of(self.bundle, f"stations_{stations}", 0)
        return case_of(
            self.bundle,
            self.dynamics,
            days,
            places,
            self.climatology,
            learnt=learnt,
            observed_every=self.every,
            localisation=self.of_ensemble,
        )

    def learnt(self, stations: int) -> LearntBackground:
        """Return what cycles over VALIDATION teach for a network, learnt once."""
        path = self.run / f"background_{stations}.safetensors"
        if not path.exists():
            case = self.case(self.year("validation"), stations, None)

            def tell(i: int, made: LearntBackground) -> None:
                parts = made.factor.reshape(len(self.bundle.variables), -1).mean(axis=1)
                say(f"{stations} stations, round {i + 1}: trusted by {parts.round(2).tolist()}")

            held = learn_from(self.bundle, case, tell=tell)
            learnt = with_training_errors(
                self.bundle,
                held,
                self.data.train,
                lambda days: self.case(days, stations, held),
            )
            say(f"{stations} stations: {len(learnt.covariance.anomalies)} errors of training days")
            save_background(path, learnt)
        return load_background(path, self.localisation, self.bundle.seasons)

    def errors(self, stations: int) -> ErrorModel:
        """Return the learnt model of forecast errors, as ``mlda cycle train`` wrote it there."""
        path = self.run / "errors.safetensors"
        return load_error_models(path, self.bundle).of(self.bundle, stations)

    def score(self, split: str, stations: int, method: str) -> dict[str, Any]:
        """Return the scores of a method, from the folder if they are there."""
        path = self.run / f"{split}_{stations}_{method}.json"
        if not path.exists():
            learnt = self.learnt(stations) if method in LEARNT else None
            case = self.case(self.year(split), stations, learnt)
            if method in VAE_VAR:
                case = replace(case, problem=replace(case.problem, errors=self.errors(stations)))
            if method.endswith("_latent"):
                case = replace(case, problem=replace(case.problem, latent=self.latent))
            steps = Cycle(case.problem, method, **SETTINGS[method]).run()
            found = score_cycle(self.bundle, case, steps)
            path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        return dict(json.loads(path.read_text(encoding="utf-8")))


def say(words: str) -> None:
    """Print with the time of day."""
    print(time.strftime("%H:%M:%S"), words, flush=True)


def table(bundle: Bundle, run: Path, split: str) -> str:
    """Return the table of what a folder holds of a split, as Markdown."""
    names = [v.name for v in bundle.variables]
    lines = [
        f"| stations | method | of | {' | '.join(names)} | seconds a day |",
        "|" + "---|" * (len(names) + 4),
    ]
    for path in sorted(run.glob(f"{split}_*.json"), key=_order):
        _, stations, key = path.stem.split("_", 2)
        found = json.loads(path.read_text(encoding="utf-8"))
        label = cycled_method(key).label
        for of in ("background", "analysis"):
            numbers = " | ".join(f"{found[name][of]:.2f}" for name in names)
            seconds = f"{found['seconds']:.2f}" if of == "analysis" else ""
            lines.append(f"| {stations} | {label} | {of} | {numbers} | {seconds} |")
    return "\n".join(lines)


def _order(path: Path) -> tuple[int, int]:
    _, stations, key = path.stem.split("_", 2)
    return int(stations), cycled_method(key).rank


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--config", type=Path, default=Path("configs/daily.toml"))
    parser.add_argument("--split", choices=("validation", "test"), default="validation")
    parser.add_argument("--stations", type=int, nargs="+", default=STATIONS)
    parser.add_argument("--methods", nargs="+", default=["static", "3dvar"])
    parser.add_argument("--days", type=int)
    parser.add_argument("--observed-every", type=int, default=1, help="days; 2: every second one")
    parser.add_argument("--set", nargs="*", default=[], help="name=number, of the method")
    parser.add_argument("--run", type=Path, default=Path("runs/daily/twin"))
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    given = {k: float(v) if "." in v else int(v) for k, v in (one.split("=") for one in asked.set)}
    for method in asked.methods:
        SETTINGS[method] |= given
    bundle = load_bundle(asked.bundle)
    mark = MARK
    if asked.observed_every > 1:
        mark = f"{MARK}-every-{asked.observed_every}"
        asked.run = asked.run / f"every-{asked.observed_every}"
    if asked.out:
        marks.write(asked.out, mark, f"\n{table(bundle, asked.run, 'test')}\n")
        return
    torch.set_num_threads(1)
    asked.run.mkdir(parents=True, exist_ok=True)
    data = load_training_data(load_config(asked.config))
    twin = Twin(
        bundle,
        data,
        load_forecast(bundle),
        asked.run,
        days=asked.days,
        every=asked.observed_every,
    )
    for stations in asked.stations:
        for method in asked.methods:
            found = twin.score(asked.split, stations, method)
            parts = [f"{v.name} {found[v.name]['analysis']:.2f}" for v in bundle.variables]
            say(f"{stations} {method}: {', '.join(parts)}; {found['seconds']:.2f} s a day")


if __name__ == "__main__":
    main()
