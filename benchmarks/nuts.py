"""Samplers of the posterior against NUTS on the bundled model's own decoder.

    python benchmarks/nuts.py [--bundle assets/bundles/speedy] [--out docs/posterior.md]

Four scenarios: one, 30 and 300 stations, and twenty ordinal reports. NUTS (pyro, of the extra
``test``) samples the model of docs/assimilation.md with the prior's covariance as it is, so the
scaling of the prior by the month's departures is left out of the samplers here. ``guided`` has the
exact denoiser of the same prior, N(0, I): NUTS needs a density, and the trained diffusion prior has
a score alone. Takes half an hour of one core.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "helpers"), str(ROOT / "tools")]

import marks  # noqa: E402
from nuts import index_of, sample  # noqa: E402

from mlda_core import (  # noqa: E402
    Assimilator,
    Bundle,
    NetworkSpec,
    load_bundle,
    places,
    synthesise,
    synthesise_reports,
)
from mlda_core.assimilation.options import Setting  # noqa: E402
from mlda_core.assimilation.posterior import draws_cache as draws_module  # noqa: E402
from mlda_core.assimilation.posterior import samplers  # noqa: E402
from mlda_core.assimilation.posterior.samplers.guided import SAMPLER as GUIDED  # noqa: E402
from mlda_core.observations.standardised import standardise  # noqa: E402
from mlda_core.observations.table import read  # noqa: E402

MONTH = "1984-01"
MEMBERS = 500
SAMPLERS = ("laplace", "perturbed", "multistart", "guided")
# It refuses errors that are not normal.
NORMAL_ONLY = ("guided",)
INDICES = (
    "variable,lat,lon,value,error_sd,kind,area\ntos,,,0,1,mean,nino34\npsl,,,0,1,mean,north_atlantic\n"
    "tas,,,0,1,mean,40 60 0 30\n"
)


def reports_of(bundle: Bundle, count: int = 20) -> pd.DataFrame:
    """Ordinal reports of a month at places in Europe: classes of what the month was."""
    spec = NetworkSpec(
        "stations",
        variables=("tas", "pr"),
        count=count // 2,
        region=(35.0, 65.0, 350.0, 40.0),
        seed=1,
    )
    where = places(spec, bundle)
    return synthesise_reports(where, bundle, bundle.target(MONTH), int(MONTH[5:]), seed=1)


def stations(bundle: Bundle, count: int) -> pd.DataFrame:
    """Synthetic observations of air temperature and pressure, two a station."""
    where = places(NetworkSpec("stations", count=count, seed=1), bundle)
    return synthesise(where, bundle, bundle.target(MONTH), int(MONTH[5:]), seed=1)


def compare(bundle: Bundle, table: pd.DataFrame, draws: int) -> list[str]:
    """Return rows of the table: differences of means in sd, ratios of sd."""
    engine = Assimilator(bundle)
    month = int(MONTH[5:])
    observed = standardise(table, bundle, month)
    problem = engine.preparation.problem(observed, np.arange(len(observed)), month, Setting())
    began = time.perf_counter()
    reference = sample(bundle, problem, draws=draws, warmup=draws // 4)
    print(f"  NUTS {time.perf_counter() - began:.0f} s", flush=True)
    rows = read(INDICES, bundle, month=month).table
    mean, sd = index_of(bundle, problem, reference, rows)
    z = problem.z_b + reference.zeta @ problem.gain.prior.turn.T
    out = []
    normal = all(table["kind"] == "value") if "kind" in table else True
    exact = {"guided": replace(GUIDED, prior="gaussian")}
    for name in SAMPLERS:
        if name in NORMAL_ONLY and not normal:
            continue
        ones = np.ones(len(bundle.variables))
        with (
            mock.patch.object(draws_module, "scale_of", return_value=ones),
            mock.patch.dict(samplers.SAMPLERS, exact),
        ):
            ensemble = engine.ensemble(table, MONTH, sampler=name, members=MEMBERS)
        own = standardise(rows, bundle, month).likelihoods
        at = bundle.operator.apply(own.shown, ensemble.anomalies)
        far_z = np.sqrt(np.mean(((ensemble.z.mean(axis=0) - z.mean(axis=0)) / z.std(axis=0)) ** 2))
        wide_z = np.sqrt(np.mean(ensemble.z.var(axis=0)) / np.mean(z.var(axis=0)))
        far = (at.mean(axis=0) - mean) / sd
        wide = at.std(axis=0) / sd
        cells = " | ".join(f"{a:+.2f} ({b:.2f})" for a, b in zip(far, wide, strict=True))
        out.append(f"| `{name}` | {far_z:.2f} ({wide_z:.2f}) | {cells} |")
    return out


def main() -> None:
    """Run the four scenarios, and write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bundle", default="assets/bundles/speedy")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--draws", type=int, default=300, help="of NUTS")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    bundle = load_bundle(asked.bundle)
    lines = [
        "| observed | sampler | z | Niño 3.4 | North Atlantic pressure | Europe's air |",
        "|---|---|---|---|---|---|",
    ]
    scenarios = {
        "one station": stations(bundle, 1),
        "30 stations": stations(bundle, 30),
        "300 stations": stations(bundle, 300),
        "20 reports": reports_of(bundle),
    }
    for name, table in scenarios.items():
        print(name, len(table), flush=True)
        rows = [f"| {name} {line}" for line in compare(bundle, table, asked.draws)]
        print("\n".join(rows), flush=True)
        lines += rows
    if asked.out:
        marks.write(asked.out, "nuts", "\n".join(lines))


if __name__ == "__main__":
    main()
