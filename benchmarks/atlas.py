"""The atlas of patches against the GCM: sensitivities regressed from runs over seas with patches.

    python benchmarks/atlas.py path/to/speedy-patches assets/bundles/speedy [another bundle ...]
    python benchmarks/atlas.py path/to/speedy-patches assets/bundles/speedy --write-sensitivities

No run of the GCM warms one patch of the GFMIP protocol alone. Two members of 35 model years have
three warm or cold patches a quarter at random places: a Green's function of regional means is
regressed from them (`mlda_core.perturbation.greens_function`), and the emulator's is compared at
the same resolution. Writes the tables of docs/atlas.md anew. A minute of one core for the runs, and
some 45 seconds for each month of each bundle, kept in the folder of ``--work``. The second command
writes what the GCM says, beside which the page shows its atlas.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from mlda_core import Assimilator, Bundle, Responder, load_bundle
from mlda_core.climate.regions import REGIONS
from mlda_core.evaluation.gcm_atlas import (
    Found,
    anomalies_of,
    area_of,
    estimated,
    gcm_atlas_of,
    patches_alone,
    predictors,
)
from mlda_core.perturbation.atlas import Atlas, AtlasRun
from mlda_core.perturbation.gcm import gcm_responses
from mlda_core.perturbation.gcm_atlas import ATLASES, write_gcm_atlas
from mlda_core.perturbation.greens_function import Agreement, agreement

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import marks  # noqa: E402

PAGE = ROOT / "docs" / "atlas.md"
# Of a VALIDATION year: the GCM's estimate is of all months together.
MONTHS = ("1984-01", "1984-04", "1984-07", "1984-10")
TARGETS = (
    ("tas", "globe"),
    ("tas", "north"),
    ("tas", "north_atlantic"),
    ("pr", "globe"),
    ("pr", "tropics"),
    ("pr", "nino34"),
    ("pr", "iod_east"),
    ("pr", "north_atlantic"),
    ("psl", "tropics"),
    ("psl", "nino34"),
    ("psl", "north_pacific"),
    ("psl", "north_atlantic"),
)

Array = NDArray[np.float64]


def atlas_of(bundle: Bundle, folder: Path, months: tuple[str, ...]) -> Atlas:
    """Make the atlas of a bundle, or go on with what was saved of it."""
    run = AtlasRun(Responder(Assimilator(bundle)), months)
    part = folder / f"{bundle.path.parent.name}-{bundle.path.name}.npz"
    run.resume(part)
    for done in run.steps():
        if done % 20 == 0:
            print(f"{bundle.path}: {done} of {run.total}", flush=True)
            run.save(part)
    run.save(part)
    return run.atlas()


def scores(atlas: Atlas, anomalies: Array) -> dict[tuple[str, str], tuple[Agreement, Found]]:
    """Compare an atlas with the runs, target by target."""
    bundle = atlas.bundle
    x = predictors(anomalies, atlas)
    area = area_of(atlas)
    names = [v.name for v in bundle.variables]
    out = {}
    for variable, key in TARGETS:
        row, region = names.index(variable), REGIONS[key]
        found = estimated(x, anomalies, row, region, bundle)
        ours = atlas.sensitivity(region)[:, row]
        out[variable, key] = agreement(ours, found.whole, found.halves, area), found
    return out


def sums(atlas: Atlas) -> list[str]:
    """Compare the sum of the patches with the GCM's own runs under other changes, by row."""
    bundle, lines = atlas.bundle, []
    weights = bundle.grid.weights * (np.abs(bundle.grid.lat) <= 30.0)[:, None]
    for response in gcm_responses(bundle).values():
        total = atlas.reconstruct(response.sst_change)
        cells = []
        for i in range(len(bundle.variables)):
            good = np.isfinite(response.gcm[i]) * weights
            a, b, c = (np.nan_to_num(f[i]) for f in (total, response.gcm, response.emulated))
            r = (good * a * b).sum() / np.sqrt((good * a * a).sum() * (good * b * b).sum())
            own = (good * c * b).sum() / np.sqrt((good * c * c).sum() * (good * b * b).sum())
            size = np.sqrt((good * a * a).sum() / (good * c * c).sum())
            cells.append(f"{r:.2f} / {own:.2f} / {size:.2f}")
        lines.append(f"| {response.label} | " + " | ".join(cells) + " |")
    return lines


def report(atlases: list[Atlas], anomalies: Array) -> str:
    """Write the tables of the page."""
    names = [f"`{atlas.bundle.path.parent.name}/{atlas.bundle.path.name}`" for atlas in atlases]
    found = [scores(atlas, anomalies) for atlas in atlases]
    lines = [
        "| mean of | " + " | ".join(names) + " | half of the runs | known patches |",
        "|---|" + "---|" * (len(names) + 2),
    ]
    for target in TARGETS:
        ours = [made[target][0] for made in found]
        known = np.trace(found[0][target][1].whole.resolution)
        variable = next(v for v in atlases[0].bundle.variables if v.name == target[0])
        cells = [f"{one.correlation:.2f} ({one.amplitude:.2f})" for one in ours]
        lines.append(
            f"| {variable.label.lower()}, {REGIONS[target[1]].short} | "
            + " | ".join([*cells, f"{ours[0].halves:.2f}", f"{known:.0f}"])
            + " |"
        )
    first = atlases[0]
    note = (
        f"(Pattern correlation over {len(first.patches)} patches, and the amplitude ratio in "
        f"brackets; months of the atlas: {', '.join(first.months)}; {anomalies.shape[0]} members "
        f"of {anomalies.shape[1] // 12} model years.)"
    )
    lines += ["", note]
    added = sums(first)
    if added:
        columns = " | ".join(v.name for v in first.bundle.variables)
        note = (
            f"({names[0]}, tropics: correlation of the sum of the patches with the GCM's response "
            "/ of the emulator's own response to the whole change with it / size of that sum over "
            "that response.)"
        )
        lines += [
            "",
            f"| GCM's run | {columns} |",
            "|---|" + "---|" * len(first.bundle.variables),
            *added,
            "",
            note,
        ]
    return "\n".join(lines)


def main() -> None:
    """Compare, and write the page."""
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    options.add_argument("runs", type=Path)
    options.add_argument("bundles", type=Path, nargs="+")
    options.add_argument("--work", type=Path, default=ROOT / "runs" / "atlas")
    options.add_argument("--months", nargs="+", default=list(MONTHS))
    options.add_argument(
        "--write-sensitivities",
        action="store_true",
        help="instead, write the GCM's own for the page of the first bundle",
    )
    given = options.parse_args()
    torch.set_num_threads(1)
    bundles = [load_bundle(path) for path in given.bundles]
    if given.write_sensitivities:
        first = bundles[0]
        made = gcm_atlas_of(anomalies_of(given.runs, first), patches_alone(first, given.months))
        about = {"runs": given.runs.name, "sea_ice_of": ", ".join(given.months)}
        write_gcm_atlas(made, first, ATLASES / f"{first.name}.nc", about)
        return
    atlases = [atlas_of(bundle, given.work, tuple(given.months)) for bundle in bundles]
    table = report(atlases, anomalies_of(given.runs, bundles[0]))
    print(table)
    marks.write(PAGE, "atlas", table)


if __name__ == "__main__":
    main()
