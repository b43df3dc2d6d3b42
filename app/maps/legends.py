"""Colour bars, keys, scores and axes: the HTML beside and over the figures."""

from __future__ import annotations

import re
from html import escape

import numpy as np
from numpy.typing import NDArray

from app.maps.color_scales import (
    UNSIGNED,
    Look,
    cmap_of,
    colours,
    column_limits,
    column_units,
    limits,
    units,
)
from app.maps.frames import COLUMNS, MapPane, Request, ScatterPane
from app.text import date_phrase, decimals_of, number
from mlda_core.climate.variables import Variable

# What stands there while the numbers are still of another month.
WAITING = '<div class="reading"><b>…</b></div>'
# What a reading's name means.
READING_TITLES = {
    "patch": "Mean over the cells that are changed by more than half of the greatest change; in "
    "brackets where the model extrapolates"
}


# What the words beside a row's name mean.
ROLE_TITLES = {
    "observed": "The analysis is given observations of this variable",
    "inferred": "No observation of this variable is given: the analysis infers it from the others",
}


def legend_html(
    variable: Variable,
    *,
    full: bool,
    look: Look | None = None,
    i: int = 0,
    column: str = "model",
    role: str = "",
) -> str:
    """Return a row's name, units and vertical colour bar.

    Parameters
    ----------
    variable : Variable
        Of the row.
    full : bool
        Of full fields instead of anomalies.
    look : Look, optional
        The scales of both columns, where they are neither.
    i : int
        Which variable it is.
    column : str
        What both columns show, one of `COLUMNS`.
    role : str
        Whether the analysis is given the variable: "observed" or "inferred"; '' where that is no
        question.
    """
    full = full and column == "model"
    low, high = limits(variable, full=full)
    kind, unit = "" if full else "anomaly, ", units(variable, full=full)
    if full and variable.standard_name.endswith("_anomaly"):
        # Its zero is its makers' base period, not the page's.
        kind = "anomaly as recorded, "
    cmap = cmap_of(variable, full=full)
    if column != "model":
        low, high = column_limits(variable, column)
        kind, cmap = f"{COLUMNS[column]}, ", UNSIGNED.get(column, cmap)
        unit = column_units(variable, column)
    if look is not None:
        limit = look.limits[i] or 1.0
        low, high, kind, unit = -limit, limit, f"{look.words}, ", look.units[i]
    stops = ", ".join(colours(cmap, 33))
    ticks = legend_ticks(low, high, full=full)
    decimals = max(decimals_of(float(tick)) for tick in ticks)
    signed = low < 0 and not full
    marks = "".join(
        f'<span style="--at:{100 * i / (len(ticks) - 1):.4g}%">'
        f"{'+' if value > 0 and signed else ''}{number(float(value), decimals)}</span>"
        for i, value in enumerate(ticks)
    )
    return (
        f'<div class="name"><b>{_unbroken(variable.label)}</b><i><span>{kind}</span>{escape(unit)}'
        f"</i>{_role(role)}</div>"
        f'<div class="scale" role="img" aria-label="Colour scale from {number(low, decimals)} to '
        f'{number(high, decimals)} {escape(unit)}"><div class="ramp" '
        f'style="--colours:{stops}"></div><div class="ticks">{marks}'
        "</div></div>"
    )


def _unbroken(label: str) -> str:
    """Return a label as HTML that breaks between words: not at hyphens, nor after a number."""
    words = re.findall(r"[\d.]+ \S+|\S+", label)
    return " ".join(f"<span>{escape(word)}</span>" for word in words)


def _role(role: str) -> str:
    words = ROLE_TITLES.get(role, "")
    return f'<em class="{role}" title="{words}">{role}</em>' if words else ""


def legend_ticks(low: float, high: float, *, full: bool) -> NDArray[np.float64]:
    """Return evenly spaced ticks, whole numbers if that can be had."""
    for count in (5, 4, 6, 7, 3) if full else (5,):
        ticks = np.linspace(low, high, count)
        if np.allclose(ticks, np.rint(ticks)):
            return ticks
    return np.linspace(low, high, 5)


def key_html(
    variable: Variable,
    kind: str,
    look: Look | None = None,
    i: int = 0,
    *,
    said: str = "",
    named: str = "",
) -> str:
    """Return a small colour scale for the model's column, where that is not the row's.

    ``said`` stands before it; ``named`` is what it is of, for those who do not see it.
    """
    own = None if look is None else look.limits[i]
    if look is not None and own is None:
        return f'<div class="key">{escape(look.plain)}</div>' if look.plain else ""
    low, high = column_limits(variable, kind) if own is None else (-own, own)
    low = 0.0 if kind in UNSIGNED else low
    cmap = UNSIGNED.get(kind, variable.anomaly_cmap)
    stops = ", ".join(colours(cmap, 17))
    decimals = decimals_of(high)
    unit = escape(column_units(variable, kind) if look is None else look.units[i])
    top = ("+" if kind not in UNSIGNED else "") + number(high, decimals)
    words = named or (COLUMNS[kind] if look is None else look.words)
    words = f"{words}, {escape(said)}" if said else words
    start = (f"<span>{escape(said)}</span>" if said else "") + number(low, decimals)
    return (
        f'<div class="key" role="img" aria-label="{words}: {number(low, decimals)} to '
        f'{top} {unit}">{start}<i style="background:linear-gradient(to right, '
        f'{stops})"></i>{top} {unit}</div>'
    )


def gap_words(variable: Variable, request: Request, pane: MapPane) -> str:
    """Return what to say where the target lacks a whole variable in the month shown."""
    if request.scene is not None or np.isfinite(pane.cells).any():
        return ""
    when = date_phrase(request.month)
    return f"<span>No {escape(variable.label.lower())} {when}</span>"


def score_html(pane: ScatterPane, variable: Variable, *, full: bool, awaited: bool = False) -> str:
    """Return what is written inside a scatter; scores are of anomalies, always.

    ``awaited`` says that what is missing is not a target but still being made.
    """
    if pane.readings:
        return "".join(
            f'<div class="reading"{_title(name)}><i>{escape(name)}</i> <b>{escape(value)}'
            f"{f' <u>{escape(unit)}</u>' if unit else ''}</b></div>"
            for name, value, unit in pane.readings
        )
    scores = pane.scores
    if not np.isfinite(scores.rmse):
        return WAITING if awaited else '<div class="reading"><i>no target</i></div>'
    unit = f" <u>{escape(units(variable, full=False))}</u>"
    rows = (
        ("r", "r", number(scores.r)),
        ("rmse", "RMSE", number(scores.rmse) + unit),
        ("ev", "expl. var.", number(scores.explained_variance)),
    )
    note = "<small>of the anomalies</small>" if full else ""
    return (
        "".join(
            f'<div class="{key}"><i>{name}</i> <b>{value}</b></div>' for key, name, value in rows
        )
        + note
    )


def _title(name: str) -> str:
    words = READING_TITLES.get(name, "")
    return f' title="{escape(words)}"' if words else ""


def axes_html(ticks: tuple[float, ...], low: float, high: float, *, full: bool) -> str:
    """Return the tick labels of a scatter, placed along its left and lower edge."""
    marks = []
    for value in ticks:
        place = 100 * (value - low) / (high - low)
        sign = "+" if value > 0 and not full else ""
        text = f"{sign}{number(value, decimals_of(value))}"
        marks.append(f'<span class="y" style="bottom:{place:.4g}%">{text}</span>')
        marks.append(f'<span class="x" style="left:{place:.4g}%">{text}</span>')
    return f'<div class="axes" aria-hidden="true">{"".join(marks)}</div>'
