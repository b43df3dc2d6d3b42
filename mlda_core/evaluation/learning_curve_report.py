"""Write a learning curve as JSON, tables and a figure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from io import BytesIO
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlda_core.assimilation.methods import METHODS, scored_in

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mlda_core.climate.variables import Variable

Scores = Mapping[str, Any]

NAME = "learning-curve"
WHAT = {
    "reconstruction": "every cell observed, told by the latent numbers alone",
    "stations_100": "100 stations",
    "sst_only": "sea surface temperature only",
}
LABELS = {key: METHODS[key].label for key in (*scored_in("learning_curve"), "climatology")}
# Okabe and Ito's colour-blind-safe colours, with markers for printing in black and white.
_STYLES = (
    ("#D55E00", "o"),
    ("#E69F00", "s"),
    ("#009E73", "^"),
    ("#0072B2", "D"),
    ("#CC79A7", "v"),
    ("#56B4E9", "P"),
    ("#F0E442", "X"),
)
LOOKS = dict(zip(scored_in("learning_curve"), cycle(_STYLES), strict=False))


def write_curve(
    points: Sequence[Scores], variables: Sequence[Variable], folder: Path, **about: Any
) -> tuple[Path, Path, Path]:
    """Write a curve into a folder.

    Parameters
    ----------
    points : sequence of dict
        From :meth:`mlda_core.evaluation.learning_curve.Curve.run`.
    variables : sequence of Variable
    folder : Path
    **about
        Provenance, stored in the JSON file.

    Returns
    -------
    tuple of Path
        Of the numbers (JSON), the tables (Markdown) and the figure (PNG).
    """
    folder.mkdir(parents=True, exist_ok=True)
    numbers, tables, picture = (folder / f"{NAME}.{end}" for end in ("json", "md", "png"))
    kept = [{k: v for k, v in p.items() if k not in {"made_of", "finished"}} for p in points]
    about |= {"units": {v.name: v.anomaly_units for v in variables}}
    numbers.write_text(json.dumps({**about, "points": kept}, indent=1) + "\n", encoding="utf-8")
    tables.write_text(tables_of(points, variables), encoding="utf-8")
    _save(draw(points, variables), picture)
    return numbers, tables, picture


def _save(figure: Figure, path: Path) -> None:
    """Save a figure in 64 colours, which suffice: a third of the size."""
    from PIL import Image

    drawn = BytesIO()
    figure.savefig(drawn, dpi=100)
    with Image.open(drawn) as image:
        image.convert("RGB").quantize(64).save(path, optimize=True)


def tables_of(points: Sequence[Scores], variables: Sequence[Variable]) -> str:
    """Return a Markdown table of explained variance for each observed data set.

    Parameters
    ----------
    points : sequence of dict
    variables : sequence of Variable

    Returns
    -------
    str
        One row for each method; each cell lists the points in increasing order of months.
    """
    groups = [g for g in (_group(points, mixed=m) for m in (False, True)) if g]
    parts = []
    for what, words in WHAT.items():
        shown = [v for v in variables if any(v.name in p.get(what, {}) for p in points)]
        if not shown:
            continue
        lines = [
            f"**{words[0].upper()}{words[1:]}** (`{what}`)",
            "",
            "| explained variance | training months | " + " | ".join(v.name for v in shown) + " |",
            "|---|---|" + "---|" * len(shown),
        ]
        for method, label in LABELS.items():
            # Climatology is that of months under the observed sea.
            for group in groups[:1] if method == "climatology" else groups:
                if not any(method in by for p in group for by in p.get(what, {}).values()):
                    continue
                cells = [
                    " ".join(_cell(p.get(what, {}).get(v.name, {}).get(method)) for p in group)
                    for v in shown
                ]
                lines.append(f"| {label} | {_months(group)} | " + " | ".join(cells) + " |")
        known = {
            v.name: p[what][v.name]["ceiling"]
            for p in points
            for v in shown
            if "ceiling" in p.get(what, {}).get(v.name, {})
        }
        if known:
            cells = [_cell(known.get(v.name)) for v in shown]
            lines.append("| ceiling: what members share | | " + " | ".join(cells) + " |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def draw(points: Sequence[Scores], variables: Sequence[Variable]) -> Figure:
    """Draw explained variance against the number of training months.

    Parameters
    ----------
    points : sequence of dict
    variables : sequence of Variable

    Returns
    -------
    Figure
        One row for each observed data set, one column for each variable.
    """
    # Figure rather than pyplot: no global state, no window system.
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    rows = [what for what in WHAT if any(p.get(what) for p in points)]
    size = (2.0 + 2.7 * len(variables), 1.3 + 2.5 * len(rows))
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(len(rows), len(variables), squeeze=False, sharex=True)
    used: list[str] = []
    for row, what in zip(axes, rows, strict=True):
        for ax, variable in zip(row, variables, strict=True):
            _panel(ax, points, what, variable.name, used)
        row[0].set_ylabel(WHAT[what].partition(",")[0] + "\nexplained variance")
    for ax, variable in zip(axes[0], variables, strict=True):
        ax.set_title(f"{variable.label}", fontsize=11)
    for ax in axes[-1]:
        ax.set_xlabel("training months")
    handles = [
        Line2D([], [], color=LOOKS[m][0], marker=LOOKS[m][1], label=LABELS[m])
        for m in LOOKS
        if m in used
    ]
    if any(p["mixed_sea_months"] for p in points):
        handles += [
            Line2D([], [], color="0.3", marker="o", label="observed seas"),
            Line2D([], [], color="0.3", marker="o", ls="--", mfc="white", label="and mixed seas"),
        ]
    if "ceiling" in used:
        handles.append(Line2D([], [], color="0.5", ls=":", label="what members share"))
    figure.legend(handles=handles, loc="outside upper center", ncols=4, frameon=False)
    return figure


def _panel(ax: Axes, points: Sequence[Scores], what: str, name: str, used: list[str]) -> None:
    """Draw one variable of one observed data set; record the methods."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.grid(color="0.92")
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    there = [p[what][name] for p in points if name in p.get(what, {})]
    if not there:
        ax.text(0.5, 0.5, "observed", ha="center", color="0.4", transform=ax.transAxes)
        ax.set_yticks([])
        return
    for method, (colour, marker) in LOOKS.items():
        for mixed in (False, True):
            line = [
                (_total(p), p[what][name][method]["explained_variance"])
                for p in _group(points, mixed=mixed)
                if method in p.get(what, {}).get(name, {})
            ]
            if not line:
                continue
            used.append(method)
            ax.plot(
                *zip(*line, strict=True),
                color=colour,
                marker=marker,
                ms=5.5,
                lw=1.6,
                ls="--" if mixed else "-",
                mfc="white" if mixed else colour,
            )
    known = [by["ceiling"]["explained_variance"] for by in there if "ceiling" in by]
    if known:
        used.append("ceiling")
        ax.axhline(known[0], color="0.5", ls=":", lw=1.2)


def _group(points: Sequence[Scores], *, mixed: bool) -> list[Scores]:
    """Points with or without mixed seas, in increasing order of months."""
    chosen = [p for p in points if bool(p["mixed_sea_months"]) == mixed]
    return sorted(chosen, key=_total)


def _total(point: Scores) -> int:
    return int(point["training_months"] + point["mixed_sea_months"])


def _months(group: Sequence[Scores]) -> str:
    """Return the numbers of months to which a cell's numbers refer."""
    counts = ", ".join(str(p["training_months"]) for p in group)
    mixed = group[0]["mixed_sea_months"]
    return f"{counts}, each with {mixed} mixed" if mixed else counts


def _cell(score: Mapping[str, float] | None) -> str:
    # Avoid negative zero.
    return "–" if score is None else f"{round(score['explained_variance'], 3) + 0.0:.3f}"
