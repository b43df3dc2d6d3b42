"""Cycled methods on Lorenz-63 and Lorenz-96 against DAPPER's published numbers.

    python benchmarks/twin/run.py [CASE ...] [--out docs/cycling.md] [--densities]

A case is a settings file of benchmarks/twin/cases, named by its paper; all of them by default. The
table is of time-mean root mean square errors of the analysis after the spin-up, the mean of several
truths with its standard error. ``--densities`` also compares the filters with the exact densities,
and draws them into docs/images/cycling. Takes some minutes of one core.
"""

from __future__ import annotations

import argparse
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mlda_core.cycling.covariance import Gaussian
from mlda_core.cycling.cycle import Cycle
from mlda_core.cycling.localisation import on_a_circle
from mlda_core.cycling.operators import LinearOperator
from mlda_core.cycling.problem import Problem
from mlda_core.cycling.twin import Twin, score, simulate
from mlda_core.forecast.dynamics import Dynamics
from mlda_core.forecast.lorenz import Lorenz63, Lorenz96
from mlda_core.forecast.model_error import DiagonalCovariance

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "tools")]

import marks  # noqa: E402
from densities import compare  # noqa: E402

CASES = sorted(path.stem for path in (HERE / "cases").glob("*.toml"))
PICTURES = HERE.parents[1] / "docs" / "images" / "cycling"
# Within this of the published number counts as reached.
CLOSE = 0.05


def system(spec: dict[str, Any]) -> Dynamics:
    """Make the forecast model of a case."""
    if spec["name"] == "lorenz63":
        return Lorenz63(spec["dt"])
    return Lorenz96(spec["size"], spec["dt"])


def twin(case: dict[str, Any], seed: int) -> tuple[Twin, Problem]:
    """Draw a truth of a case, and make the problem that its observations pose."""
    dynamics, run = system(case["system"]), case["run"]
    d = dynamics.size
    mean = np.zeros(d)
    mean[: len(case["initial"]["mean"])] = case["initial"]["mean"]
    initial = Gaussian(mean, DiagonalCovariance(np.full(d, case["initial"]["variance"])))
    at = np.arange(0, d, case["observed"]["stride"])
    operator = LinearOperator.of_components(at, d, at[:, None].astype(np.float64))
    variance = np.full(at.size, case["observed"]["variance"])
    every, cycles = run["every"], run["cycles"]
    drawn = simulate(dynamics, initial, operator, variance, cycles=cycles, every=every, seed=seed)
    local = case.get("localisation")
    problem = Problem(
        dynamics,
        np.arange(every * cycles + 1),
        drawn.observations,
        initial,
        Gaussian.of_sample(drawn.truth),
        every=every,
        localisation=on_a_circle(d, local["half_width"], local["batch"]) if local else None,
        background=DiagonalCovariance(np.ones(d)) if run.get("background") == "identity" else None,
    )
    return drawn, problem


def row(experiment: dict[str, Any], errors: list[float], spread: float) -> str:
    """Format the scores of one experiment as a row of the table."""
    settings = experiment.get("settings", {})
    said = ", ".join(f"{k} {str(v).lower() if v is True else v}" for k, v in settings.items())
    ours, published = float(np.mean(errors)), experiment["published"]
    doubt = float(np.std(errors, ddof=1) / np.sqrt(len(errors))) if len(errors) > 1 else 0.0
    away = ours / published - 1
    # As many digits as were published: .18 stands for .175 to .185.
    reached = "**no**"
    if abs(away) <= CLOSE or round(ours, 2) == published:
        reached = "yes"
    elif abs(ours - published) <= 2 * doubt:
        reached = "no, but within 2 standard errors"
    spread_said = "" if np.isnan(spread) else f"{spread:.2f}"
    return (
        f"| {experiment['label']} | `{experiment['method'].replace('_', '-')}` | {said} | "
        f"{published:.2f} | {ours:.3f}{f' ± {doubt:.3f}' if doubt else ''} | {away:+.0%} | "
        f"{spread_said} | {reached} |"
    )


def table(name: str) -> list[str]:
    """Run all experiments of a case, and return its heading and rows."""
    case = tomllib.loads((HERE / "cases" / f"{name}.toml").read_text())
    run = case["run"]
    truths = [(seed, *twin(case, seed)) for seed in run["seeds"]]
    head = "| method | key | settings | DAPPER | ours | difference | spread | within 5 % |"
    lines = [f"### {case['title']}", "", f"{case['source']}.", case["note"], ""]
    count = f"{len(run['seeds'])} truth{'s' if len(run['seeds']) > 1 else ''}"
    lines += [
        f"{run['cycles']} cycles, the first {run['burn_in']} left out, {count}.",
        f"Settings: `benchmarks/twin/cases/{name}.toml`.",
        "",
        head,
        "|---|---|---|---|---|---|---|---|",
    ]
    for experiment in case["experiment"]:
        began, errors, spreads = time.process_time(), [], []
        for seed, drawn, problem in truths:
            cycle = Cycle(
                problem, experiment["method"], seed=1000 + seed, **experiment.get("settings", {})
            )
            scores = score(cycle.run(), drawn.at_cycles()).mean_after(run["burn_in"])
            errors.append(scores[1])
            spreads.append(scores[2])
        lines.append(row(experiment, errors, float(np.mean(spreads))))
        print(name, lines[-1], f"{time.process_time() - began:.0f} s", flush=True)
    return [*lines, ""]


def main() -> None:
    """Run the cases, and write their tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}")
    parser.add_argument("--out", type=Path, help="a page with the markers of the cases")
    parser.add_argument("--densities", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    for name in asked.cases or CASES:
        if name not in CASES:
            parser.error(f"there is no case {name}; use {', '.join(CASES)}")
        lines = table(name)
        if asked.out:
            marks.write(asked.out, name, "\n".join(["", *lines]))
    if asked.densities:
        lines = compare(PICTURES)
        print("\n".join(lines))
        if asked.out:
            marks.write(asked.out, "densities", "\n".join(["", *lines]))


if __name__ == "__main__":
    main()
