"""A winter from twenty reports in Europe, against the stations' answer: docs/reports.md.

    python benchmarks/winter_from_reports.py

Writes the table of docs/reports.md and its picture anew, from the bundle of the real climate. A
minute of one core.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image

from mlda_core import (
    Analysis,
    Assimilator,
    Bundle,
    NetworkSpec,
    load_bundle,
    places,
    synthesise,
    synthesise_reports,
)
from mlda_core.climate.regions import REGIONS, Region, region_mask

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import marks  # noqa: E402
from gallery import save_small  # noqa: E402

PAGE = ROOT / "docs" / "reports.md"
PICTURE = ROOT / "docs" / "images" / "reports" / "winter.png"
WINTER = ("1985-12", "1986-01", "1986-02")
EUROPE = (36.0, 64.0, 352.0, 40.0)
AREAS = {
    "Europe": Region("Europe", 36.0, 64.0, 352.0, 40.0),
    "North Atlantic": REGIONS["north_atlantic"],
    "north of 30° N": REGIONS["north"],
}


def tables(bundle: Bundle, month: str) -> dict[str, pd.DataFrame]:
    """Observations of a month: reports, the same places by thermometer, all stations of 1880."""
    europe = NetworkSpec("stations", variables=("tasa",), count=40, region=EUROPE, seed=3)
    target, calendar = bundle.target(month), int(month[5:])
    # The record lacks cells, in this winter the coldest: it is clipped at 5 K.
    seen = synthesise(places(europe, bundle), bundle, target, calendar, seed=None)
    where = seen.iloc[:20].reset_index(drop=True)
    stations = places(NetworkSpec("historical", variables=("tasa",), year=1880), bundle)
    return {
        "20 reports": synthesise_reports(where, bundle, target, calendar, seed=1),
        "20 thermometers": synthesise(where, bundle, target, calendar, seed=1),
        "stations of 1880": synthesise(stations, bundle, target, calendar, seed=1),
    }


def main() -> None:
    """Write table and picture."""
    torch.set_num_threads(1)
    bundle = load_bundle(ROOT / "assets" / "bundles" / "real")
    engine = Assimilator(bundle)
    row = [v.name for v in bundle.variables].index("tasa")
    sums: dict[tuple[str, str], list[float]] = {}
    counts: dict[str, int] = {}
    shown: dict[str, Analysis] = {}
    for month in WINTER:
        truth = bundle.target(month)[row].astype(float)
        for name, table in tables(bundle, month).items():
            found = engine.run(table, month)
            counts[name] = len(table)
            if month == WINTER[-1]:
                shown[name] = found
            error, spread = found.anomalies[row] - truth, found.spread[row]
            for area, region in AREAS.items():
                weight = region_mask(bundle.grid, region) * bundle.grid.weights
                weight = np.where(np.isfinite(error), weight, 0.0)
                terms = (error**2, truth**2, spread**2)
                old = sums.setdefault((name, area), [0.0, 0.0, 0.0])
                for i, term in enumerate(terms):
                    old[i] += float((weight * np.nan_to_num(term)).sum())
    lines = [
        f"| observed | {' | '.join(AREAS)} |",
        f"|---|{'---|' * len(AREAS)}",
    ]
    for name, count in counts.items():
        cells = []
        for area in AREAS:
            error, truth, spread = sums[name, area]
            cells.append(f"{1 - error / truth:.2f} ({np.sqrt(spread / error):.2f})")
        label = name if name[0].isdigit() else f"{count} {name}"
        lines.append(f"| {label} | {' | '.join(cells)} |")
    print("\n".join(lines))
    marks.write(PAGE, "winter", "\n".join(lines))
    draw(bundle, shown, row)


def draw(bundle: Bundle, shown: dict[str, Analysis], row: int) -> None:
    """Draw target and analyses of the last month."""
    from mlda_core.plotting import field_map, look_of, save
    from mlda_core.plotting.layout import arrange

    month = WINTER[-1]
    look = look_of(bundle.variables[row])
    maps = [
        field_map(
            bundle.target(month)[row],
            bundle.grid,
            look,
            projection="atlantic",
            title=f"Target, {month}",
            backend="matplotlib",
        )
    ]
    maps += [
        field_map(
            found.anomalies[row],
            bundle.grid,
            look,
            projection="atlantic",
            observations=found.observations,
            title=name[0].upper() + name[1:],
            backend="matplotlib",
        )
        for name, found in shown.items()
    ]
    save(arrange(maps, (1.5, 1.5), "matplotlib"), PICTURE, dpi=110)
    with Image.open(PICTURE) as drawn:
        save_small(drawn.convert("RGB"), PICTURE)


if __name__ == "__main__":
    main()
