"""Densities of one quantity: before, after, what was observed, and what was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.charts.base import TOOLTIP, Chart, bm, make_figure, paint
from app.charts.colors import COLORS

Array = NDArray[np.floating]
# Points of a curve.
POINTS = 121
# Standard deviations to either side that are drawn.
REACH = 3.2


@dataclass(frozen=True, eq=False)
class Curve:
    """A density.

    Parameters
    ----------
    name : str
        What the key calls it.
    color : str
        A name of `COLORS`.
    x, y : ndarray, shape (n,)
        Values and density.
    dash : str
        Of the line, as Bokeh calls it.
    fill : bool
        Whether the area below it is filled.
    """

    name: str
    color: str
    x: Array
    y: Array
    dash: str = "solid"
    fill: bool = False


@dataclass(frozen=True)
class Mark:
    """A value with its error, or without; or a range.

    Parameters
    ----------
    name, color : str
        As of a curve.
    value : float
        NaN of a range that has none of its own.
    error : float
        Standard deviation; 0: a line over the whole height.
    low, high : float, optional
        Ends of a range, of which one may be infinite.
    """

    name: str
    color: str
    value: float
    error: float = 0.0
    low: float | None = None
    high: float | None = None

    @property
    def sign(self) -> str:
        """How it is drawn, as a character."""
        if self.low is not None:
            return "━"
        return "●" if self.error else "|"

    def extent(self, low: float, high: float) -> tuple[float, float]:
        """Return the ends of its bar on an axis from `low` to `high`."""
        if self.low is None or self.high is None:
            return self.value - self.error, self.value + self.error
        return max(self.low, low), min(self.high, high)


@dataclass(frozen=True, eq=False)
class Densities:
    """What a chart of densities shows.

    Parameters
    ----------
    curves : sequence of Curve
    marks : sequence of Mark
    units : str
    """

    curves: Sequence[Curve] = field(default=())
    marks: Sequence[Mark] = field(default=())
    units: str = ""


def normal(name: str, color: str, mean: float, sd: float, **how: Any) -> Curve:
    """Return the curve of a normal density."""
    x = mean + np.linspace(-REACH, REACH, POINTS) * sd
    y = np.exp(-0.5 * ((x - mean) / sd) ** 2) / (sd * np.sqrt(2.0 * np.pi))
    return Curve(name, color, x, y, **how)


class DensityChart(Chart):
    """Up to so many curves and marks over one axis of values.

    Parameters
    ----------
    theme : str
    height : int
        Pixels; 0 to fill its place.
    """

    CURVES, MARKS = 3, 3

    def __init__(self, theme: str, height: int = 0) -> None:
        super().__init__(theme)
        self._shown = Densities()
        self.figure = make_figure(
            x_range=bm.Range1d(0, 1),
            y_range=bm.Range1d(0, 1),
            toolbar_location=None,
            **({"height": height} if height else {}),
        )
        fig = self.figure
        if height:
            fig.sizing_mode = "stretch_width"
        self._sources = [bm.ColumnDataSource(_no_curve()) for _ in range(self.CURVES)]
        self._areas = [
            fig.varea("x", 0, "y", source=source, fill_alpha=0.18) for source in self._sources
        ]
        self._lines = [fig.line("x", "y", source=s, line_width=1.8) for s in self._sources]
        self._marks = bm.ColumnDataSource(_no_marks())
        self._bars = fig.segment("low", "y", "high", "y", source=self._marks, line_width=2)
        self._posts = fig.segment("x", "foot", "x", "top", source=self._marks, line_width=2)
        self._dots = fig.scatter("x", "y", source=self._marks, size="size", line_color=None)
        for glyph in (self._bars.glyph, self._posts.glyph):
            glyph.line_color = {"field": "color"}
        self._dots.glyph.fill_color = {"field": "color"}
        fig.add_tools(bm.HoverTool(renderers=[*self._lines, self._dots], tooltips=TOOLTIP))
        fig.update(min_border_left=8, min_border_right=8)
        fig.yaxis.visible = False
        fig.ygrid.visible = False
        fig.xaxis[0].ticker = bm.BasicTicker(desired_num_ticks=5, num_minor_ticks=0)
        self._paint()

    def draw(self, shown: Densities) -> None:
        """Draw densities and marks; the same object again costs nothing."""
        if shown is self._shown:
            return
        self._shown = shown
        for i, source in enumerate(self._sources):
            if i < len(shown.curves):
                curve = shown.curves[i]
                source.data = {"x": curve.x, "y": curve.y, "text": [curve.name] * len(curve.x)}
            else:
                source.data = _no_curve()
        ends = [v for c in shown.curves for v in (float(np.min(c.x)), float(np.max(c.x)))]
        for mark in shown.marks:
            around = 0.0 if mark.low is not None else 1.5 * mark.error
            given = (mark.low, mark.high, mark.value - around, mark.value + around)
            ends += [v for v in given if v is not None and np.isfinite(v)]
        low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
        margin = 0.03 * (high - low) or 1.0
        top = max((float(np.max(c.y)) for c in shown.curves), default=1.0)
        self.figure.x_range.update(start=low - margin, end=high + margin)
        self.figure.y_range.update(start=-0.02 * top, end=1.1 * top)
        self.figure.xaxis[0].axis_label = shown.units
        spread = [bool(mark.error) or mark.low is not None for mark in shown.marks]
        height = [0.5 * top if wide else 0.0 for wide in spread]
        bars = [mark.extent(low - margin, high + margin) for mark in shown.marks]
        self._marks.data = {
            "x": [mark.value for mark in shown.marks],
            "y": height,
            "low": [bar[0] for bar in bars],
            "high": [bar[1] for bar in bars],
            "foot": height,
            "top": [y if wide else 1.1 * top for y, wide in zip(height, spread, strict=True)],
            "size": [7 if wide else 0 for wide in spread],
            "color": [COLORS[self._theme][mark.color] for mark in shown.marks],
            "text": [mark.name for mark in shown.marks],
        }
        self._paint()

    def key(self) -> str:
        """Return what the colours are, as HTML."""
        colors = COLORS[self._theme]
        parts = [
            f'<span style="white-space:nowrap"><i style="display:inline-block;width:14px;'
            f"border-top:2px {'dashed' if one.dash != 'solid' else 'solid'} {colors[one.color]};"
            f'vertical-align:middle"></i> {one.name}</span>'
            for one in self._shown.curves
        ]
        parts += [
            f'<span style="white-space:nowrap"><b style="color:{colors[one.color]}">'
            f"{one.sign}</b> {one.name}</span>"
            for one in self._shown.marks
        ]
        return " &nbsp; ".join(parts)

    def _paint(self) -> None:
        colors = paint(self.figure, self._theme)
        for i, curve in enumerate(self._shown.curves):
            self._lines[i].glyph.update(line_color=colors[curve.color], line_dash=curve.dash)
            self._areas[i].glyph.fill_color = colors[curve.color]
            self._areas[i].visible = curve.fill
        if self._shown.marks:
            marked = [colors[mark.color] for mark in self._shown.marks]
            self._marks.data = {**self._marks.data, "color": marked}


def _no_curve() -> dict[str, Any]:
    return {"x": [], "y": [], "text": []}


def _no_marks() -> dict[str, Any]:
    names = ("x", "y", "low", "high", "foot", "top", "size", "color", "text")
    return {name: [] for name in names}
