"""Pictures of the calibration of posterior ensembles: histograms, coverage, spread by area."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mlda_core.climate.variables import Variable

# By network and variable: what mlda_core.evaluation.posterior.score_posterior returns.
Scores = Mapping[str, Mapping[str, Any]]
Array = NDArray[np.float64]

# Nineteen of twenty shares lie within so many standard deviations.
REACH = 1.96
# Okabe and Ito's blue and orange.
BARS, LEVELS = "#0072B2", {"coverage_50": "#E69F00", "coverage_90": "#0072B2"}
BAND = "0.78"
# The colours of spread over error end at this factor, either way.
FARTHEST = 1.5


def draw_histograms(
    found: Scores,
    variables: Sequence[Variable],
    networks: Mapping[str, str],
    chance: Scores | None = None,
) -> Figure:
    """Draw the probability integral transform, a row a network and a column a variable.

    Parameters
    ----------
    found : mapping
        Scores by network and variable.
    variables : sequence of Variable
    networks : mapping of str to str
        Those to draw, with their labels.
    chance : mapping, optional
        Scores that say how far shares stray by chance, where ``found`` does not.

    Returns
    -------
    Figure
        With the band in which nineteen of twenty bars of a calibrated ensemble lie; none where it
        is not known.
    """
    from matplotlib.figure import Figure

    rows = [key for key in networks if key in found]
    figure = Figure(figsize=(8.4, 0.8 + 0.85 * len(rows)), layout="constrained")
    axes = figure.subplots(len(rows), len(variables), squeeze=False, sharex=True, sharey=True)
    for row, key in zip(axes, rows, strict=True):
        for ax, variable in zip(row, variables, strict=True):
            of = found[key].get(variable.name)
            _plain(ax)
            if of is None:
                ax.text(0.5, 0.5, "not scored", ha="center", color="0.4", transform=ax.transAxes)
                continue
            pit = np.asarray(of["pit"])
            edges = np.linspace(0, 1, len(pit) + 1)
            ax.stairs(len(pit) * pit, edges, fill=True, color=BARS, alpha=0.75)
            sd = chance_of(of, _at(chance, key, variable.name), "pit_sd")
            if sd is not None:
                away = REACH * len(pit) * sd
                ax.stairs(1 + away, edges, baseline=1 - away, fill=True, color=BAND, alpha=0.7)
            ax.axhline(1, color="0.15", lw=0.8)
        label = textwrap.fill(networks[key], 14)
        row[0].set_ylabel(label, fontsize=8, rotation=0, ha="right", va="center", labelpad=12)
    for ax, variable in zip(axes[0], variables, strict=True):
        ax.set_title(variable.label, fontsize=9)
    axes[0, 0].set(xlim=(0, 1), xticks=[0, 0.5, 1], ylim=(0, None))
    figure.supxlabel(
        "share of the members that the truth is above; heights: frequency, 1 where all are alike",
        fontsize=9,
    )
    return figure


def draw_coverage(
    found: Scores,
    variables: Sequence[Variable],
    networks: Mapping[str, str],
    chance: Scores | None = None,
) -> Figure:
    """Draw how often the truth is within the 50 and 90 % intervals, and spread over error by area.

    Parameters
    ----------
    found, variables, networks, chance
        As for :func:`draw_histograms`.

    Returns
    -------
    Figure
        Coverage above, spread over error below; a column a variable.
    """
    from matplotlib.figure import Figure

    rows = [key for key in networks if key in found]
    figure = Figure(figsize=(9.6, 2.0 + 0.5 * len(rows)), layout="constrained")
    axes = figure.subplots(2, len(variables), squeeze=False, sharey=True)
    for (above, below), variable in zip(axes.T, variables, strict=True):
        _coverage(above, found, variable.name, rows, chance)
        above.set_title(variable.label, fontsize=9)
        drawn = _spread(below, found, variable.name, rows)
    for ax in axes[:, 0]:
        ax.set_yticks(range(len(rows)), [networks[key] for key in rows], fontsize=8)
        ax.tick_params(labelsize=8)
    axes[0, 0].set_ylim(len(rows) - 0.5, -0.5)
    for ax in axes[:, 1:].flat:
        ax.tick_params(left=False)
    label = "spread over error"
    bar = figure.colorbar(drawn, ax=axes[1], shrink=0.9, pad=0.01)
    bar.set_label(label, fontsize=8)
    ends = [1 / FARTHEST, 0.8, 0.9, 1, 1.1, 1.25, FARTHEST]
    bar.set_ticks(list(np.log(ends)), labels=[f"{end:.2g}" for end in ends], fontsize=7)
    return figure


def chance_of(of: Mapping[str, Any], other: Mapping[str, Any] | None, name: str) -> Array | None:
    """Return how far a share strays by chance over the months of a score.

    Parameters
    ----------
    of : mapping
        The score of a variable.
    other : mapping or None
        The same of other months: what strays by chance there does so here, as the root of the
        number of months.
    name : str
        Ends with ``_sd``.

    Returns
    -------
    ndarray or None
        None where neither says it.
    """
    if name in of:
        return np.asarray(of[name], np.float64)
    if other is None or name not in other:
        return None
    # Without their number: those of one member, the same for each draw of the network.
    months = of.get("truths", of["months"] // of["draws"])
    return np.asarray(other[name], np.float64) * np.sqrt(other["truths"] / months)


def _at(scores: Scores | None, network: str, variable: str) -> Mapping[str, Any] | None:
    return None if scores is None else scores.get(network, {}).get(variable)


def _plain(ax: Axes) -> None:
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.tick_params(labelsize=7)


def _coverage(
    ax: Axes, found: Scores, name: str, rows: Sequence[str], chance: Scores | None
) -> None:
    _plain(ax)
    for score, colour in LEVELS.items():
        nominal = int(score.removeprefix("coverage_"))
        ax.axvline(nominal, color="0.15", lw=0.8, zorder=0)
        for y, key in enumerate(rows):
            if name not in found[key]:
                continue
            of = found[key][name]
            sd = chance_of(of, _at(chance, key, name), f"{score}_sd")
            if sd is not None:
                width = 200 * REACH * float(sd)
                ax.barh(y, width, 0.7, left=nominal - width / 2, color=BAND, zorder=-1)
            marker = "s" if nominal == 50 else "o"
            ax.plot(100 * of[score], y, marker, color=colour, ms=4.5, clip_on=False)
    ax.set(xlim=(30, 100), xticks=[50, 90])
    ax.set_xlabel("% of the truth within", fontsize=8)


def _spread(ax: Axes, found: Scores, name: str, rows: Sequence[str]) -> Any:
    """Draw numbers on colours: a row a network, a column an area."""
    areas = ["globe", *next(iter(by[name]["areas"] for by in found.values() if name in by))]
    values = np.full((len(rows), len(areas)), np.nan)
    for y, key in enumerate(rows):
        of = found[key].get(name, {})
        for x, area in enumerate(areas):
            part = of if area == "globe" else of.get("areas", {}).get(area, {})
            values[y, x] = part.get("spread_over_error", np.nan)
    limit = np.log(FARTHEST)
    drawn = ax.imshow(np.log(values), cmap="PuOr", vmin=-limit, vmax=limit, aspect="auto")
    for (y, x), value in np.ndenumerate(values):
        if np.isfinite(value):
            dark = abs(np.log(value)) > 0.75 * limit
            words = f"{value:.2f}".removeprefix("0")
            ax.text(x, y, words, ha="center", va="center", fontsize=5, color="w" if dark else "k")
    ax.set_xticks(range(len(areas)), [_band(area) for area in areas], rotation=90, fontsize=7)
    return drawn


def _band(area: str) -> str:
    """Write a band of latitude as people do: 60S-30S."""
    south, dots, north = area.partition("..")
    if not dots:
        return area

    def one(lat: int) -> str:
        return f"{abs(lat)}{'S' if lat < 0 else 'N'}"

    return f"{one(int(south))}–{one(int(north))}"
