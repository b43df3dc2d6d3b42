"""One observation of 500 hPa height at 21N 129E, and what it does to the winds at 850 hPa.

The experiment of VAE-Var (Xiao et al. 2025, ICLR), by the page's own methods: writes a figure, and prints
how far each increment reaches and how geostrophic it is, month by month.

    python examples/single_observation.py assets/bundles/upper --out single-observation.png
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mlda_core import Assimilator, Bundle, coastline, load_bundle
from mlda_core.bundle.samples import months_of_bundle
from mlda_core.evaluation.single_observation import PLACE, Increment, observe, run, skill
from mlda_core.vae.config import load_config
from mlda_core.vae.dataset import load_training_data

METHODS = {"vae": "VAE", "vae_latent_only": "VAE, latents only", "enoi": "ensemble OI"}
MONTHS = {1: "January", 7: "July"}
WEST, EAST, SOUTH, NORTH = 60, 240, -20, 70


def draw(bundle: Bundle, found: dict[int, dict[str, Increment]], path: Path) -> None:
    """Draw two methods in two months: height in colours, wind as arrows."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    east, lat = coastline()
    coast = east % 360, lat
    # What is cut at Greenwich leaves no line across the map.
    jump = np.abs(np.diff(coast[0], append=coast[0][-1])) > 180
    lon = np.where(jump, np.nan, coast[0])
    grid, top = bundle.grid, 40.0
    figure, axes = plt.subplots(2, 2, figsize=(10.5, 5.8), sharex=True, sharey=True)
    for row, (month, words) in zip(axes, MONTHS.items(), strict=True):
        for ax, method in zip(row, ("vae", "enoi"), strict=True):
            height, u, v = found[month][method].fields
            shown = ax.contourf(
                grid.lon, grid.lat, height, np.linspace(-top, top, 17), cmap="RdBu_r", extend="both"
            )
            ax.plot(lon, coast[1], color="0.35", lw=0.6)
            every = 2
            arrows = ax.quiver(
                grid.lon[::every], grid.lat[::every], u[::every, ::every], v[::every, ::every],
                angles="uv", scale=24, width=0.0022, headwidth=4,
            )  # fmt: skip
            ax.quiverkey(arrows, 0.88, 1.05, 1.0, "1 m/s", labelpos="E")
            ax.plot(PLACE[1], PLACE[0], "o", ms=5, mfc="none", mec="k", mew=1.2)
            ax.set(xlim=(WEST, EAST), ylim=(SOUTH, NORTH), aspect="equal")
            ax.set_xticks(range(WEST, EAST, 30), [_east(x) for x in range(WEST, EAST, 30)])
            ax.set_yticks(range(0, NORTH + 1, 30), ["0°", "30°N", "60°N"])
            ax.set_title(f"{words}, {METHODS[method]}", loc="left", fontsize=10)
    figure.subplots_adjust(left=0.05, right=0.9, top=0.95, bottom=0.06, wspace=0.06, hspace=0.16)
    bar = figure.colorbar(
        shown, cax=figure.add_axes((0.92, 0.14, 0.014, 0.72)), ticks=range(-40, 41, 20)
    )
    bar.set_label("increment of 500 hPa height, m")
    figure.savefig(path, dpi=100)


def _east(lon: int) -> str:
    return f"{lon}°E" if lon < 180 else "180°" if lon == 180 else f"{360 - lon}°W"


def table(bundle: Bundle, found: dict[int, dict[str, Increment]]) -> str:
    """Return the numbers of every month and method as Markdown."""
    heads = [
        *("month", "value, m", "method", "at the place, m", "half at, km", "tenth at, km"),
        *("wind beyond 4000 km, %", "geostrophic, correlation", "slope"),
    ]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for month, by_method in found.items():
        value = observe(bundle, month)["value"].iloc[0]
        for method, made in by_method.items():
            lines.append(
                f"| {month} | {value:.0f} | {METHODS[method]} | {made.peak:.1f} | "
                f"{made.half_km:.0f} | {made.tenth_km:.0f} | {100 * made.far_share:.0f} | "
                f"{made.balance:.2f} | {made.slope:.2f} |"
            )
    return "\n".join(lines)


def bent(bundle: Bundle, engine: Assimilator, month: int, method: str) -> float:
    """Return how far the increments of opposite values are from opposite: 0 for linear methods."""
    low, high = (
        run(engine, month, methods=(method,), deviations=d)[method].fields for d in (-2.0, 2.0)
    )
    w = bundle.grid.weights
    return float(np.sqrt((w * (low + high) ** 2).sum() / (w * (low - high) ** 2).sum()))


def main(arguments: Any = None) -> None:
    """Run every month and method, print the table and draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path, nargs="?", default=Path("assets/bundles/upper"))
    parser.add_argument("--out", type=Path, help="PNG to write.")
    parser.add_argument("--months", default=",".join(map(str, range(1, 13))))
    parser.add_argument("--config", type=Path, help="Score the months of every member it names.")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    bundle = load_bundle(given.bundle)
    engine = Assimilator(bundle)
    months = [int(month) for month in given.months.split(",")]
    found = {month: run(engine, month, methods=tuple(METHODS)) for month in months}
    print(table(bundle, found))
    for method, label in METHODS.items():
        every = [found[month][method] for month in months]
        print(
            f"{label}: mean correlation {np.mean([m.balance for m in every]):.2f}, "
            f"half at {np.mean([m.half_km for m in every]):.0f} km, a tenth at "
            f"{np.mean([m.tenth_km for m in every]):.0f} km, beyond 4000 km "
            f"{100 * np.mean([m.far_share for m in every]):.0f} %; opposite values differ by "
            f"{100 * np.mean([bent(bundle, engine, m, method) for m in months]):.1f} %"
        )
    held = months_of_bundle(bundle)
    if given.config:
        held = load_training_data(load_config(given.config)).observed
    scores = skill(engine, held.in_split("test"), methods=tuple(METHODS))
    for method, areas in scores.items():
        print(
            f"{METHODS[method]}, explained variance of TEST months: "
            + "; ".join(
                f"{area} " + ", ".join(f"{name} {score:.3f}" for name, score in by_name.items())
                for area, by_name in areas.items()
            )
        )
    if given.out:
        missing = {month: run(engine, month) for month in MONTHS if month not in found}
        draw(bundle, {**found, **missing}, given.out)


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError) as error:
        sys.exit(f"{Path(__file__).name}: {error}")
