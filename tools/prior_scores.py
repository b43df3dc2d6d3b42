"""The tables of docs/priors.md, from a bundle's scores; written by readme_scores.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

NOT_SCORED = (
    "(Not compared yet: `mlda prior train BUNDLE --config FILE` and `mlda validate BUNDLE --priors "
    "--config FILE`.)"
)
LABELS = {"gaussian": "N(0, I)", "flow": "flow", "diffusion": "diffusion"}
NETWORKS = {"stations_10": "10 stations", "stations_30": "30 stations"}


def priors_table(bundle: Path) -> str:
    """Return the tables of what was measured on VALIDATION months.

    Parameters
    ----------
    bundle : Path
        Folder with the ``scores.json``.
    """
    scores = json.loads((bundle / "scores.json").read_text(encoding="utf-8"))
    found = scores.get("priors", {}).get("validation")
    if found is None:
        return NOT_SCORED
    priors: dict[str, Any] = found["priors"]
    names = list(priors["gaussian"]["variance_ratio"])
    lines = [
        "| | log density, nats over N(0, I) | energy distance from the codes | Niño 3.4, K "
        "| its skewness | variance, % (" + ", ".join(names) + ") |",
        "|---|---|---|---|---|---|",
    ]
    for key, one in priors.items():
        gain = "none known"
        if "gain" in one:
            gain = f"{one['gain']:+.2f} ± {one['standard_error']:.2f}" if one["gain"] else "0"
        ratio = ", ".join(f"{100 * one['variance_ratio'][v]:.0f}" for v in names)
        lines.append(
            f"| {LABELS.get(key, key)} | {gain} | {one['energy_distance']:.3f} "
            f"| {_index(one)} | {ratio} |"
        )
    if found["halves"] is not None:
        lines.append(f"| one year's codes from another's | | {found['halves']:.3f} | | | |")
    for name, label in (("codes", "decoded codes, training months"), ("months", "their months")):
        if "nino34" in found:
            lines.append(f"| {label} | | | {_index({'nino34': found['nino34'][name]})} | |")
    lines += ["", f"({found['months']} months.)", "", *_analyses(priors, names)]
    trained = found.get("trained", {})
    if trained:
        cost = "; ".join(
            f"{LABELS.get(key, key)} {about['seconds']:.0f} s, best after epoch "
            f"{about['history']['best_epoch']} of {about['history']['epochs']}"
            for key, about in trained.items()
        )
        lines += ["", f"Training, on one core: {cost}."]
    return "\n".join(lines)


def _index(one: dict[str, Any]) -> str:
    index = one.get("nino34")
    return f"{index['sd']:.2f} | {index['skewness']:+.2f}" if index else " | "


def _analyses(priors: dict[str, Any], names: list[str]) -> list[str]:
    """Return the rows of explained variance; those of the sampler guided are of fewer months."""
    known = [
        v["months"] for v in priors["gaussian"].get("analyses", {}).get("stations_10", {}).values()
    ]
    count = f", {known[0]} months" if known else ""
    lines = [
        f"| explained variance ({' '.join(names)}){count} | {' | '.join(NETWORKS.values())} |",
        "|---|" + "---|" * len(NETWORKS),
    ]
    for key, one in priors.items():
        if "analyses" not in one:
            continue
        label, rows = LABELS.get(key, key), {"": "explained_variance"}
        first = next(iter(next(iter(one["analyses"].values())).values()))
        if "of_gaussian" in first:
            months = first["months"]
            label = f"{label}, mean of 50 members of guided ({months} months)"
            rows = {"": "explained_variance", "N(0, I), the same months": "of_gaussian"}
        for other, name in rows.items():
            cells = [
                " ".join(
                    f"{one['analyses'][network][v][name]:.3f}".replace("0.", ".", 1)
                    for v in names
                    if v in one["analyses"][network]
                )
                for network in NETWORKS
                if network in one["analyses"]
            ]
            lines.append(f"| {other or label} | " + " | ".join(cells) + " |")
    return lines
