"""Time ``mlda reanalyse`` on the bundled model: ``python benchmarks/reanalyse.py``.

Months a second of one run with one worker and one with two, in turn on the same machine: all months
of the bundle, observed by networks of its own. The clock starts when the workers are there and
have the engine, and stops when the last month is in the store; starting them is told beside it.
A worker has one thread, of torch and of BLAS alike.

Prints a table, and JSON with ``--json``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import machine
from dask.distributed import Client

from mlda_core.assimilation.netcdf import provenance
from mlda_core.assimilation.regional_series import observer
from mlda_core.bundle.bundle import Bundle, load_bundle
from mlda_core.cli.reanalyse import network_of
from mlda_core.reanalysis.run import YEARS, cluster, run
from mlda_core.reanalysis.store import lay_out, read_done
from mlda_core.reanalysis.work import assimilate_rows

ROOT = Path(__file__).resolve().parent.parent


def make_store(path: Path, bundle: Bundle, network: str, months: list[str]) -> None:
    """Lay out the months of the bundle, observed by a network."""
    settings = {"method": "vae", "error_scale": 1.0, "spread": False}
    about = provenance(bundle, settings)
    about["observations_sha256"] = hashlib.sha256(network.encode()).hexdigest()
    lay_out(path, bundle, months, observer(network_of(network), bundle), about)


def warm(client: Client, store: Path, bundle: Path, workers: int) -> None:
    """Import torch and load the bundle in every worker, on a month of another store."""
    client.wait_for_workers(workers)
    client.run(assimilate_rows, str(store), str(bundle), [0])


def time_run(
    bundle: Bundle, network: str, months: list[str], workers: int, years: int
) -> dict[str, Any]:
    """Time one reanalysis by some workers."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        first, store = Path(folder, "first.zarr"), Path(folder, "timed.zarr")
        make_store(first, bundle, network, months[:1])
        make_store(store, bundle, network, months)
        laid_out = time.perf_counter()
        with cluster(None, workers) as client:
            warm(client, first, bundle.path, workers)
            before = sum(client.run(time.process_time).values())
            ready = time.perf_counter()
            failed = run(store, bundle.path, client, years=years)
            seconds = time.perf_counter() - ready
            worked = sum(client.run(time.process_time).values()) - before
        assert not failed
        assert read_done(store).all()
    return {
        "workers": workers,
        "months": len(months),
        "lay_out_s": laid_out - began,
        "start_s": ready - laid_out,
        "seconds": seconds,
        "months_per_second": len(months) / seconds,
        # What a month costs on a machine that does other things.
        "processor_ms_a_month": 1e3 * worked / len(months),
    }


def measure(
    bundle: Bundle, networks: list[str], months: list[str], workers: list[int], years: int
) -> dict[str, Any]:
    """Time every network with every number of workers, one after the other."""
    found: dict[str, Any] = {"machine": machine.described(), "networks": {}}
    for network in networks:
        runs = [time_run(bundle, network, months, n, years) for n in workers]
        ratio = runs[-1]["months_per_second"] / runs[0]["months_per_second"]
        found["networks"][network] = {"runs": runs, "ratio": ratio}
    return found


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--bundle", type=Path, default=ROOT / "assets/bundles/speedy")
    parser.add_argument("--networks", default="stations_100,sst_only")
    parser.add_argument("--months", help="YYYY-MM:YYYY-MM of the bundle; all by default")
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--chunk", type=int, default=YEARS)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    bundle = load_bundle(given.bundle)
    first, last = (given.months or f"{bundle.months[0]}:{bundle.months[-1]}").split(":")
    months = [m for m in bundle.months if first <= m <= last]
    workers = [int(n) for n in given.workers.split(",")]
    found = measure(bundle, given.networks.split(","), months, workers, given.chunk)
    if given.json:
        print(json.dumps(found, indent=1))
        return
    on = found["machine"]
    print(
        f"{on['processor']}, {on['cores']} cores, {on['day']}, load before {on['load_average']:.1f}"
    )
    for network, result in found["networks"].items():
        for one in result["runs"]:
            print(
                f"{network:18} {one['workers']} workers: {one['months_per_second']:6.2f} months/s "
                f"({one['months']} months in {one['seconds']:.0f} s; processors "
                f"{one['processor_ms_a_month']:.0f} ms a month; laid out in "
                f"{one['lay_out_s']:.0f} s, workers ready in {one['start_s']:.0f} s)"
            )
        print(f"{network:18} ratio {result['ratio']:.2f}")


# Workers import this file again.
if __name__ == "__main__":
    main()
