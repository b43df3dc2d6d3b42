"""Tables of the real-world model: its months from their codes, and from the stations of a year."""

from __future__ import annotations

import json
from pathlib import Path

from mlda_core.assimilation.methods import spelled

REAL = Path(__file__).resolve().parents[1] / "assets/bundles/real"
METHODS = {
    "vae": "VAE, by its encoder",
    "vae_minimised": "VAE, by minimising over the 100 numbers",
    "eof": "100 EOFs, same training months",
}


def _real() -> dict:
    return json.loads((REAL / "scores.json").read_text(encoding="utf-8"))


def reconstruction_table() -> str:
    """Return how well the real-world model's codes draw its own months."""
    test = _real()["reconstruction"]["test"]
    lines = [
        f"| {' | '.join(['explained variance (RMSE)', *test])} |",
        "|---|" + "---|" * len(test),
    ]
    for method, label in METHODS.items():
        cells = [_cell(by_method.get(method)) for by_method in test.values()]
        if any(cells):
            lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _classes() -> dict[str, str]:
    from mlda_core.evaluation.coverage import DISTANCES

    ends = [f" to {high:,} km" for high in DISTANCES[1:]] + [" km and more"]
    return {f"{low}_km": f"{low:,}{end}" for low, end in zip(DISTANCES, ends, strict=True)}


def coverage_table() -> str:
    """Return temperature from the stations of a year: ours, and ensemble OI's, by distance."""
    classes = _classes()
    found = _real()["coverage"]["test"]
    lines = [
        "| stations of | " + " | ".join(classes.values()) + " |",
        "|---|" + "---|" * len(classes),
    ]
    for year, scores in found.items():
        cells = []
        for c in classes:
            ours, theirs = (_short(scores["tasa"][m].get(c)) for m in ("vae", "enoi"))
            cells.append(f"{ours} ({theirs})" if ours else "")
        lines.append(f"| {year} ({scores['places']['tasa']}) | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def every_coverage() -> str:
    """Return every method's score, by variable, year and distance."""
    classes = {"all": "all", **_classes()}
    lines: list[str] = []
    for variable in ("tasa", "psl"):
        head = f"| {variable}, stations of | method | "
        lines += [
            "",
            head + " | ".join(classes.values()) + " |",
            "|---|---|" + "---|" * len(classes),
        ]
        for year, scores in _real()["coverage"]["test"].items():
            rows = scores[variable]
            for method, by_class in rows.items():
                if method == "climatology":
                    continue
                cells = [_cell(by_class.get(c)) for c in classes]
                first = f"{year} ({scores['places'][variable]})" if method == "vae" else ""
                lines.append(f"| {first} | `{spelled(method)}` | " + " | ".join(cells) + " |")
            shares = [
                f"{100 * rows['climatology'][c]['share']:.0f} %" if c in rows["climatology"] else ""
                for c in classes
            ]
            lines.append("| | share of the area | " + " | ".join(shares) + " |")
    return "\n".join(lines[1:])


def _short(found: dict | None) -> str:
    return f"{found['explained_variance']:.2f}".replace("0.", ".", 1) if found else ""


def _cell(found: dict | None) -> str:
    return f"{found['explained_variance']:.3f} ({found['rmse']:.2f})" if found else ""
