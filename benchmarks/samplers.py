"""Time the samplers of the posterior: 50 members, the network known.

    python benchmarks/samplers.py [--bundle assets/bundles/speedy] [--out docs/posterior.md]

Medians of repeated ensembles of one calendar month in one process, on two threads, as a person sees
them who edits observations, each with the analysis that they are about; and the median of the
processor's time, which other work on the machine changes less. ``first`` is the first ensemble of
that calendar month and network.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

import torch

from mlda_core import Assimilator, Bundle, NetworkSpec, load_bundle, places, synthesise
from mlda_core.assimilation.posterior.samplers import SAMPLERS
from mlda_core.climate.errors import UserError

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import marks  # noqa: E402

MONTHS = [f"{year}-12" for year in (1984, 1986, 1989, 1993, 1997)]
ANALYSIS = "the analysis alone"
MEMBERS, THREADS = 50, 2
NETWORKS = {
    "30 stations": NetworkSpec("stations", count=30, seed=1),
    "300 stations": NetworkSpec("stations", count=300, seed=1),
    "the whole sea": NetworkSpec("sst_only"),
}


def clock(bundle: Bundle, spec: NetworkSpec, sampler: str) -> list[str]:
    """Return the cells of a row: first, median and processor's seconds; or why there are none."""
    engine = Assimilator(bundle)
    where = places(spec, bundle)
    tables = {
        month: synthesise(where, bundle, bundle.target(month), int(month[5:]), seed=1)
        for month in MONTHS
    }
    wall, worked = [], []
    try:
        for month, table in tables.items():
            began, before = time.perf_counter(), time.process_time()
            if sampler == ANALYSIS:
                engine.run(table, month)
            else:
                engine.ensemble(table, month, sampler=sampler, members=MEMBERS)
            wall.append(time.perf_counter() - began)
            worked.append(time.process_time() - before)
    except UserError as problem:
        print(f"  {sampler}: {problem}", flush=True)
        return ["", "", ""]
    times = (wall[0], statistics.median(wall[1:]), statistics.median(worked[1:]))
    return [f"{seconds:.2f}" for seconds in times]


def main() -> None:
    """Time each sampler with each network, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", default="assets/bundles/speedy")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(THREADS)
    bundle = load_bundle(asked.bundle)
    lines = [
        "| observed | sampler | first, s | median, s | processor, s |",
        "|---|---|---|---|---|",
    ]
    for label, spec in NETWORKS.items():
        for sampler in (ANALYSIS, *SAMPLERS):
            cells = clock(bundle, spec, sampler)
            if any(cells):
                name = sampler if sampler == ANALYSIS else f"`{sampler}`"
                lines.append(f"| {label} | {name} | {' | '.join(cells)} |")
                print(lines[-1], flush=True)
    if asked.out:
        marks.write(asked.out, "samplers", "\n".join(lines))


if __name__ == "__main__":
    main()
