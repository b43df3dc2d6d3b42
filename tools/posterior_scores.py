"""Tables of docs/posterior.md: how well calibrated the posterior of a bundle's TEST months is."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

NETWORKS = {
    "sst_only": "sea surface temperature",
    "sst_and_pressure": "the same and pressure",
    **{f"stations_{n}": f"{n} stations" for n in (10, 30, 100, 300, 1000)},
    "all_fields": "every cell of everything",
}
AREAS = ("-90..-60", "-60..-30", "-30..30", "30..60", "60..90", "land", "sea")
# What is aimed at.
SPREAD, COVERAGE = (0.9, 1.1), (0.87, 0.93)


def marked(bundle: Path) -> dict[str, Callable[[], str]]:
    """Return what makes the text between the marks of each name."""
    scores = json.loads((bundle / "scores.json").read_text(encoding="utf-8"))
    config = json.loads((bundle / "config.json").read_text(encoding="utf-8"))
    units = {v["name"]: v["anomaly_units"] for v in config["variables"]}
    by_method = {m: s["laplace"] for m, s in scores["posterior"]["test"].items()}
    return {
        "posterior": partial(table, by_method["vae"]),
        "regions": partial(regions, by_method["vae"]),
        "reached": partial(reached, by_method["vae"]),
        "crps": partial(crps, by_method, units),
    }


def table(found: dict[str, Any]) -> str:
    """Return a row a network: spread over error and coverage of 90 %."""
    variables = list(found["stations_30"])
    lines = [
        "| observed | months | " + " | ".join(variables) + " | withheld |",
        "|---|---|" + "---|" * (len(variables) + 1),
    ]
    for network, label in NETWORKS.items():
        rows = found[network]
        cells = [_calibration(rows.get(v)) for v in variables]
        withheld = [_calibration(r.get("withheld")) for r in rows.values() if "withheld" in r]
        months = next(iter(rows.values()))["months"]
        lines.append(f"| {label} | {months} | {' | '.join(cells)} | {', '.join(withheld)} |")
    return "\n".join(lines)


def regions(found: dict[str, Any]) -> str:
    """Return a row a network and variable: spread over error by area."""
    lines = [
        "| observed | variable | " + " | ".join(map(_area, AREAS)) + " |",
        "|---|---|" + "---|" * len(AREAS),
    ]
    for network, label in NETWORKS.items():
        for variable, scored in found[network].items():
            cells = [_spread(scored["areas"].get(area)) for area in AREAS]
            lines.append(f"| {label} | {variable} | {' | '.join(cells)} |")
    return "\n".join(lines)


def reached(found: dict[str, Any]) -> str:
    """Return how many cases are within the aims, over the globe, withheld and by area."""
    everywhere = [s for rows in found.values() for s in rows.values()]
    withheld = [s["withheld"] for s in everywhere if "withheld" in s]
    areas = [s["areas"][a] for s in everywhere for a in AREAS if a in s["areas"]]
    spreads = [a["spread_over_error"] for a in areas]
    inside = sum(SPREAD[0] <= x <= SPREAD[1] for x in spreads)
    return (
        f"Both aims are reached in {sum(map(_within, everywhere))} of {len(everywhere)} cases over "
        f"the globe ({sum(_within(s, 2) for s in everywhere)} to whole percent), and in "
        f"{sum(map(_within, withheld))} of {len(withheld)} at withheld observations "
        f"({sum(_within(s, 2) for s in withheld)} to whole percent).\n"
        f"By area spread over error is {SPREAD[0]} to {SPREAD[1]} in {inside} of {len(spreads)} "
        f"cases, and between {min(spreads):.2f} and {max(spreads):.2f} in all."
    )


def crps(by_method: dict[str, Any], units: dict[str, str]) -> str:
    """Return a row a network: CRPS of the VAE and of ensemble OI."""
    lines = [
        "| observed | " + " | ".join(f"{v}, {units[v]}" for v in units) + " |",
        "|---|" + "---|" * len(units),
    ]
    for network, label in NETWORKS.items():
        cells = []
        for v in units:
            vae, enoi = (by_method[m][network].get(v, {}).get("crps") for m in ("vae", "enoi"))
            cells.append("" if vae is None else f"{vae:.3f}, {enoi:.3f}")
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _within(scored: dict[str, Any], digits: int = 6) -> bool:
    spread = round(scored["spread_over_error"], digits)
    return (
        SPREAD[0] <= spread <= SPREAD[1]
        and COVERAGE[0] <= round(scored["coverage_90"], digits) <= COVERAGE[1]
    )


def _calibration(found: dict[str, Any] | None) -> str:
    """Write spread over error, and the share of the truth within the 90 % interval."""
    if not found:
        return ""
    return f"{found['spread_over_error']:.2f} ({100 * found['coverage_90']:.0f} %)"


def _spread(found: dict[str, Any] | None) -> str:
    return "" if not found else f"{found['spread_over_error']:.2f}"


def _area(key: str) -> str:
    if ".." not in key:
        return key
    south, north = (int(edge) for edge in key.split(".."))
    return f"{_latitude(south)} to {_latitude(north)}"


def _latitude(degrees: int) -> str:
    return f"{abs(degrees)}°{'N' if degrees > 0 else 'S'}"
