"""Write the tables of docs/forecast.md from the scores of a bundle of days.

Examples
--------
Once the forecasts are scored on TEST::

    mlda validate runs/daily/bundle --config configs/daily.toml --split test --forecast
    python tools/forecast_scores.py runs/daily/bundle/scores.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from statistics import mean
from typing import Any

import marks

from mlda_core.forecast.models import FORECASTS

PAGE = Path(__file__).resolve().parents[1] / "docs/forecast.md"
LEADS = (1, 2, 3, 5, 10)
WAVES = ((1, 5), (6, 10), (11, 20), (21, 40))
SPECTRUM = (
    "Power of the grid model's forecasts at 45N over that of the true states, by zonal wavenumber; "
    "1 is as rough as the states:"
)

RUNS = "The grid model's runs of sixty days from twelve true states, their last ten days:"
LONG = {
    "variance_ratio": "variance over that of the states",
    "mean": "mean, in units of the local spread",
}


def names_in(found: dict[str, Any]) -> list[str]:
    """Return the variables that a model was scored on."""
    return [n for n, of in found.items() if isinstance(of, dict) and "explained_variance" in of]


def by_lead(found: dict[str, Any]) -> str:
    """Return explained variances by lead as Markdown.

    Parameters
    ----------
    found : dict
        As :func:`mlda_core.evaluation.forecast.score_forecasts` returns it.
    """
    kinds = [key for key in FORECASTS if key in found]
    names = names_in(found[kinds[0]])
    lines = [f"| model | days | {' | '.join(names)} |", "|" + "---|" * (len(names) + 2)]
    for key in kinds:
        for lead in LEADS:
            numbers = [found[key][name]["explained_variance"] for name in names]
            if lead <= len(numbers[0]):
                cells = " | ".join(f"{one[lead - 1]:.2f}" for one in numbers)
                lines.append(f"| {FORECASTS[key].label} | {lead} | {cells} |")
    return "\n".join(lines)


def by_wave(model: dict[str, Any]) -> str:
    """Return the power of a model's forecasts over that of the states as Markdown."""
    names = [name for name in names_in(model) if name in model["spectrum"]["1"]]
    lines = [f"| days | wavenumbers | {' | '.join(names)} |", "|" + "---|" * (len(names) + 2)]
    for days, found in model["spectrum"].items():
        for first, last in WAVES:
            cells = [mean(found[name][first - 1 : last]) for name in names]
            words = " | ".join(f"{cell:.2f}" for cell in cells)
            lines.append(f"| {days} | {first} to {last} | {words} |")
    return "\n".join(lines)


def after_long(model: dict[str, Any]) -> str:
    """Return variance and mean at the end of a model's long runs as Markdown."""
    found = model["long_run"]
    lines = [f"| | {' | '.join(found)} |", "|" + "---|" * (len(found) + 1)]
    for name, words in LONG.items():
        cells = " | ".join(f"{of[name]:.2f}" for of in found.values())
        lines.append(f"| {words} | {cells} |")
    return "\n".join(lines)


def main() -> None:
    """Write them between their marks."""
    parser = argparse.ArgumentParser(description="Write the tables of docs/forecast.md.")
    parser.add_argument("scores", type=Path, help="scores.json of a bundle of days")
    found = json.loads(parser.parse_args().scores.read_text(encoding="utf-8"))
    scores = found["forecast"]["test"]
    grid = scores["grid"]
    tables = "\n\n".join(
        (by_lead(scores), SPECTRUM, by_wave(grid), RUNS, after_long(grid)),
    )
    marks.write(PAGE, "forecast", f"\n{tables}\n")


if __name__ == "__main__":
    main()
