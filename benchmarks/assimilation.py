"""Time the assimilation on the bundled model: ``python benchmarks/assimilation.py``.

Medians of repeated runs in one process, one torch thread, on the months of one calendar month, as a
person sees them who moves from year to year or edits observations. "Cached" means that the network
of places was assimilated before in that calendar month, with other values.

Against Adam: both minimise the same cost, from the solver's own start and from a random one; the
time counts until the cost is within 1 % of the least that the solver reaches in 200 steps. Adam is
torch's, with the best of three step sizes. Our time holds all of an analysis up to there, Adam's
its steps alone.

Prints a table, and JSON with ``--json``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import machine
import numpy as np
import pandas as pd
import torch

from mlda_core.assimilation.assimilator import Assimilator, Setting
from mlda_core.assimilation.cost import DecodedCost
from mlda_core.bundle.bundle import Bundle, load_bundle
from mlda_core.climate.regions import REGIONS
from mlda_core.observations.networks import NetworkSpec, places, synthesise
from mlda_core.perturbation.responder import Responder
from mlda_core.perturbation.sst_patches import Patch

ROOT = Path(__file__).resolve().parent.parent
CALENDAR = 12
ADAM_RATES, ADAM_STEPS = (0.03, 0.1, 0.3), 3000


def observe(bundle: Bundle, where: pd.DataFrame, month: str) -> pd.DataFrame:
    """Observe a month's target at places, with noise."""
    return synthesise(where, bundle, bundle.target(month), int(month[5:]), seed=1)


def clock(calls: Iterable[Callable[[], Any]]) -> dict[str, float]:
    """Return the median and the slowest of some calls, in milliseconds.

    And the median of the processor's time: what a call costs on a machine that does other things.
    """
    took, worked = [], []
    for call in calls:
        start, before = time.perf_counter(), time.process_time()
        call()
        took.append(1e3 * (time.perf_counter() - start))
        worked.append(1e3 * (time.process_time() - before))
    return {
        "median_ms": statistics.median(took),
        "max_ms": max(took),
        "processor_ms": statistics.median(worked),
        "runs": len(took),
    }


def networks(bundle: Bundle) -> dict[str, pd.DataFrame]:
    """Return the networks that are timed."""
    both = ("tas", "psl")
    return {
        "300 observations": places(
            NetworkSpec(kind="stations", count=150, variables=both, seed=1), bundle
        ),
        "300 stations": places(
            NetworkSpec(kind="stations", count=300, variables=both, seed=1), bundle
        ),
        "SST only": places(NetworkSpec(kind="sst_only"), bundle),
        "10,000 observations": places(
            NetworkSpec(kind="stations", count=5000, variables=both, seed=1), bundle
        ),
    }


def time_network(
    assimilator: Assimilator, bundle: Bundle, where: pd.DataFrame, months: list[str]
) -> dict[str, Any]:
    """Time a network's first analysis, and its linear solutions and analyses from then on."""
    tables = {m: observe(bundle, where, m) for m in months}
    first = clock([lambda: assimilator.run(tables[months[0]], months[0])])
    rest = months[1:]
    # The fields of a linear solution are made when it is drawn, and so they are here.
    linear = clock([lambda m=m: next(assimilator.steps(tables[m], m)).fields for m in rest])
    cached = clock([lambda m=m: assimilator.run(tables[m], m) for m in rest])
    analysis = assimilator.run(tables[rest[0]], rest[0])
    return {
        "observations": len(where),
        "used": analysis.statistics.n_used,
        "first": first,
        "linear": linear,
        "cached": cached,
    }


def time_edits(
    assimilator: Assimilator, bundle: Bundle, where: pd.DataFrame, month: str, runs: int
) -> dict[str, Any]:
    """Time what a hand does to observations: another value, one more, one fewer; and the spread."""
    table = observe(bundle, where, month)
    assimilator.run(table, month)
    rng = np.random.default_rng(0)

    def another_value() -> None:
        changed = table.copy()
        changed.loc[int(rng.integers(len(table))), "value"] += 1.0
        assimilator.run(changed, month)

    def one_more() -> None:
        spot = table.iloc[[0]].assign(
            lat=np.degrees(np.arcsin(rng.uniform(-1, 1))), lon=rng.uniform(0, 360)
        )
        assimilator.run(pd.concat([table, spot], ignore_index=True), month)

    def one_withheld() -> None:
        held = table.copy()
        held.loc[int(rng.integers(len(table))), "withheld"] = True
        assimilator.run(held, month)

    def influence() -> None:
        assimilator.influence(table, month, int(rng.integers(len(table))))

    made = {
        "another value": clock([another_value] * runs),
        "one place more": clock([one_more] * runs),
        "one withheld": clock([one_withheld] * runs),
        "influence of one": clock([influence] * runs),
    }
    analyses = [
        assimilator.run(table.assign(value=table["value"] + 0.01 * i), month) for i in range(runs)
    ]
    made["spread"] = clock([lambda a=a: a.spread for a in analyses])
    return made


def race(
    assimilator: Assimilator, bundle: Bundle, where: pd.DataFrame, months: list[str]
) -> dict[str, Any]:
    """Time the solver and Adam until within a percent of the same least cost."""
    ours, theirs, rates, costs = [], [], [], []
    for month in months:
        table = observe(bundle, where, month)
        assimilator.run(table, month)
        problem = assimilator.preparation.of_table(table, int(month[5:]), Setting()).problem
        least = min(assimilator.run(table, month, max_steps=200).path)
        best, rate = min(
            (_adam_until(DecodedCost(problem), least, rate), rate) for rate in ADAM_RATES
        )
        theirs.append(best)
        rates.append(rate)
        start = time.perf_counter()
        # The linear solution is judged by the decoder's cost, as every later step is.
        for step in assimilator.steps(table, month):
            if step.index and step.cost.total <= 1.01 * least:
                break
        ours.append(1e3 * (time.perf_counter() - start))
        costs.append(least)
    ratios = [t / o for t, o in zip(theirs, ours, strict=True)]
    return {
        "ours_ms": statistics.median(ours),
        "adam_ms": statistics.median(theirs),
        "ratio": statistics.median(ratios),
        "adam_rates": sorted(set(rates)),
        "months": len(months),
        "median_cost": statistics.median(costs),
    }


def _adam_until(fit: DecodedCost, least: float, rate: float) -> float:
    """Return Adam's milliseconds until within a percent of a cost; infinite if it never is."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(fit.turn.shape[1], generator=generator, dtype=torch.float64)
    optimiser = torch.optim.Adam([x], lr=rate)
    start = time.perf_counter()
    for _ in range(ADAM_STEPS):
        cost, gradient = fit.value_and_gradient(x.numpy())
        if cost <= 1.01 * least:
            return 1e3 * (time.perf_counter() - start)
        x.grad = torch.from_numpy(gradient)
        optimiser.step()
    return float("inf")


def time_perturbation(
    assimilator: Assimilator, bundle: Bundle, months: list[str], runs: int
) -> dict[str, dict[str, float]]:
    """Return times of the response to a warmer sea, as its amount is dragged, and of a gradient."""
    responder = Responder(assimilator)
    rain = bundle.variables[-1].name

    def respond(month: str, kelvin: float) -> None:
        responder.respond(month, [Patch(kelvin, region="tropics")])

    def differentiate(month: str) -> None:
        responder.sensitivity(month, rain, REGIONS["tropics"])

    return {
        "response, first of a season": clock([lambda: respond(months[0], 2.0)]),
        "response to another amount": clock(
            [lambda i=i: respond(months[0], 1.0 + 0.1 * i) for i in range(runs)]
        ),
        "response of another year": clock([lambda m=m: respond(m, 2.0) for m in months[1:]]),
        "sensitivity to the sea, first": clock([lambda: differentiate(months[0])]),
        "sensitivity to the sea": clock([lambda m=m: differentiate(m) for m in months[1:]]),
    }


def measure(bundle: Bundle, runs: int) -> dict[str, Any]:
    """Return everything that is measured, in one process."""
    assimilator = Assimilator(bundle)
    # Every December: another value at every place, the same network.
    months = [m for m in bundle.months if int(m[5:]) == CALENDAR][: runs + 1]
    found = networks(bundle)
    # What is made once for a process or a calendar month is not what is measured.
    assimilator.run(observe(bundle, found["300 observations"].iloc[:5], months[0]), months[0])
    result: dict[str, Any] = {
        "networks": {
            name: time_network(assimilator, bundle, where, months) for name, where in found.items()
        },
        "edits": time_edits(assimilator, bundle, found["300 observations"], months[0], runs),
        "perturbation": time_perturbation(assimilator, bundle, months, runs),
        "race": race(assimilator, bundle, found["300 observations"], months[1:6]),
    }
    return result | machine.described()


def table(result: dict[str, Any]) -> str:
    """Return the result as people read it."""
    few, sea = result["networks"]["300 observations"], result["networks"]["SST only"]
    many = result["networks"]["10,000 observations"]
    lines = [f"{'median, ms':>58} {'slowest':>9} {'processor':>10}   target"]

    def row(label: str, values: dict[str, float], target: str = "") -> None:
        times = [values[k] for k in ("median_ms", "max_ms", "processor_ms")]
        lines.append(f"{label:48}{times[0]:10.1f} {times[1]:9.1f} {times[2]:10.1f}   {target}")

    row("300 observations: linear solution, drawn", few["linear"], "10")
    row("300 observations: analysis, network cached", few["cached"], "100")
    row("300 observations: first analysis", few["first"])
    stations = result["networks"]["300 stations"]
    row(f"300 stations ({stations['observations']} observations), cached", stations["cached"])
    row("SST only: linear solution, drawn", sea["linear"])
    row(f"SST only ({sea['observations']}, thinned to {sea['used']}), cached", sea["cached"], "150")
    row("SST only: first analysis", sea["first"])
    row(f"10,000 observations (thinned to {many['used']}): first", many["first"], "accepted")
    row("10,000 observations, cached", many["cached"])
    for name, values in result["edits"].items():
        row(f"of 300: {name}", values)
    for name, values in result["perturbation"].items():
        target = "1000" if name == "sensitivity to the sea" else ""
        row(f"warmer sea: {name}", values, target)
    won = result["race"]
    lines.append(
        f"within 1 % of the same cost: {won['ours_ms']:.1f} ms, Adam {won['adam_ms']:.0f} ms: "
        f"{won['ratio']:.0f} times faster   target 10"
    )
    lines.append(f"load average {result['load_average']:.1f}, {result['cores']} cores")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", type=Path, default=ROOT / "assets" / "bundles" / "speedy")
    parser.add_argument("--runs", type=int, default=20, help="analyses to time of each kind")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    result = measure(load_bundle(arguments.bundle), arguments.runs)
    print(json.dumps(result, indent=1) if arguments.json else table(result))


if __name__ == "__main__":
    main()
