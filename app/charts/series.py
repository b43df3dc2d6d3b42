"""The chart of a series: lines, a band of uncertainty, test years, the month shown.

Bokeh's own figure and not the elements of `mlda_core.plotting`: test years stand side by side
without the decades between them, a click chooses a month, and both themes are repainted in place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import bokeh.events
import numpy as np
from bokeh.core.properties import value
from numpy.typing import NDArray

from app.charts.base import FONT_SIZE, TOOLTIP, Chart, bm, make_figure, paint
from app.maps.figures import FONT
from app.web_files import read

Values = Sequence[float | None]

# Months that do not follow each other, as test years side by side, stand this much apart.
GAP = 0.8
# A strip that the pointer finds ends just before its month does: on the edge of two it finds both,
# and says both.
STRIP = 0.999
# Of so many months each has a dot, so that lines are told apart without their colours.
DOTTED = 120
# A year of months at least is seen, or twelve days, however far one has zoomed in.
LEAST_MONTHS = 12
TEST = "T"


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Parameters
    ----------
    kind : str
        One of those that the chart was made for.
    name : str
        In the legend.
    values : sequence of float or None
        Of all months.
    """

    kind: str
    name: str
    values: Values


@dataclass(frozen=True)
class ChartData:
    """What a chart shows.

    Parameters
    ----------
    months : sequence of str
        ``YYYY-MM``, or ``YYYY-MM-DD``, ascending.
    split : str
        A letter a month; ``T`` is a test month.
    shown : sequence of int
        Which of the months.
    lines : sequence of Line
    units : str
    texts : sequence of str
        What the tooltip says of each month shown.
    band : tuple of sequences, optional
        Low and high of all months.
    """

    months: Sequence[str]
    split: str
    shown: Sequence[int]
    lines: Sequence[Line]
    units: str
    texts: Sequence[str]
    band: tuple[Values, Values] | None = None
    centres: NDArray[np.floating] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "centres", centres_of([self.months[i] for i in self.shown]))


def month_index(month: str) -> int:
    """Return a month's number, counted from the year 0."""
    return 12 * int(month[:4]) + int(month[5:7]) - 1


def centres_of(months: Sequence[str]) -> NDArray[np.floating]:
    """Return where months or days stand on the axis, one unit each, those that do not follow apart.

    >>> centres_of(["1989-11", "1989-12", "1997-01"]).tolist()
    [0.5, 1.5, 3.3]
    """
    # Numpy takes the unit, months or days, from their form.
    index = np.array(months, dtype="datetime64").astype(np.int64)
    apart = np.concatenate([[0], np.cumsum(np.diff(index) != 1)]) if len(index) else index
    return np.arange(len(index)) + 0.5 + GAP * apart


def runs_of(flags: NDArray[np.bool_], centres: NDArray[np.floating]) -> list[slice]:
    """Return the stretches of months that follow each other and for which `flags` holds."""
    starts, runs = -1, []
    for j, on in enumerate(flags):
        follows = j > 0 and centres[j] - centres[j - 1] < 1 + GAP / 2
        if starts >= 0 and not (on and follows):
            runs.append(slice(starts, j))
            starts = -1
        if on and starts < 0:
            starts = j
    if starts >= 0:
        runs.append(slice(starts, len(flags)))
    return runs


class SeriesChart(Chart):
    """A figure of a series; made once, afterwards only its sources change.

    Parameters
    ----------
    colors : dict of str
        For each kind of line the name of its colour; the last is drawn on top.
    go : callable
        Is given the month that was clicked.
    theme : str
    band : str
        The kind of line that the band is of.
    now : ColumnDataSource, optional
        With columns x, low, median and high: an interval that is marked.
    """

    def __init__(
        self,
        colors: dict[str, str],
        go: Callable[[str], None],
        theme: str,
        *,
        band: str = "",
        now: Any = None,
    ) -> None:
        super().__init__(theme)
        self._colors, self._go, self._band = colors, go, band
        self._data: ChartData | None = None
        self._faded: frozenset[str] = frozenset()
        self._strips = bm.ColumnDataSource({"x0": [], "x1": [], "text": []})
        self._values = bm.ColumnDataSource(
            {"x": [], **{f"{k}{end}": [] for k in colors for end in ("", "_dot")}}
        )
        self._test = bm.ColumnDataSource({"x0": [], "x1": []})
        self._seams = bm.ColumnDataSource({"x": []})
        self._area = bm.ColumnDataSource({"xs": [], "ys": []})
        self._years = bm.ColumnDataSource({"x": [], "year": []})
        self.figure = self._make(now)
        self._paint()

    def _make(self, now: Any) -> Any:
        fig = make_figure(x_range=bm.Range1d(0, 1, min_interval=LEAST_MONTHS), y_range=(0, 1))
        self._shade = fig.vstrip("x0", "x1", source=self._test, line_color=None)
        self._shade.level = "underlay"
        self._seam = fig.vspan("x", source=self._seams, line_width=1, line_alpha=0.35)
        self._seam.level = "underlay"
        self._patch = fig.patches("xs", "ys", source=self._area, line_color=None, fill_alpha=0.22)
        self._lines, self._dots, items = {}, {}, []
        for kind in self._colors:
            self._lines[kind] = fig.line(
                "x", kind, source=self._values, line_width=1.8, line_join="round"
            )
            self._dots[kind] = fig.scatter(
                "x", f"{kind}_dot", source=self._values, size=4.4, line_color=None
            )
            items.append(
                bm.LegendItem(label=value(kind), renderers=[self._lines[kind], self._dots[kind]])
            )
        self._items = dict(zip(self._colors, items, strict=True))
        self._here = bm.Span(dimension="height", line_width=2, visible=False)
        self._zero = bm.Span(location=0, dimension="width", line_alpha=0.7)
        fig.add_layout(self._here)
        fig.add_layout(self._zero)
        self._mark = self._mark_dot = None
        if now is not None:
            self._mark = fig.segment(
                "x", "low", "x", "high", source=now, line_width=4, line_alpha=0.55, line_cap="round"
            )
            self._mark_dot = fig.scatter("x", "median", source=now, size=9, line_width=1.5)
            items.append(bm.LegendItem(label=value("state shown"), renderers=[self._mark_dot]))
        # Invisible strips for the hover tool, as high as the chart.
        hidden = {f"{which}fill_alpha": 0.0 for which in ("", "selection_", "nonselection_")}
        strips = fig.vstrip(
            "x0", "x1", source=self._strips, line_color=None, hover_fill_alpha=0.16, **hidden
        )
        self._hovered = strips
        fig.add_tools(
            bm.HoverTool(
                renderers=[strips],
                tooltips=TOOLTIP,
                point_policy="follow_mouse",
                visible=False,
            )
        )
        fig.on_event(bokeh.events.Tap, self._tap)
        fig.add_layout(
            bm.Legend(
                items=items,
                click_policy="hide",
                label_text_font_size="12px",
                label_text_font=FONT,
                glyph_width=14,
                glyph_height=12,
                label_height=12,
                label_standoff=4,
                spacing=0,
                padding=0,
                margin=4,
                border_line_color=None,
                background_fill_alpha=0.0,
            ),
            "right",
        )
        axis = fig.xaxis[0]
        axis.ticker = bm.CustomJSTicker(
            args={"years": self._years}, major_code=read("callbacks/year_ticks.js")
        )
        axis.formatter = bm.CustomJSTickFormatter(
            args={"years": self._years},
            code="return years.data.year[years.data.x.indexOf(tick)] ?? ''",
        )
        axis.update(
            axis_label="Year",
            axis_label_standoff=0,
            major_label_text_font_size=FONT_SIZE,
            major_label_policy=bm.NoOverlap(min_distance=8),
        )
        fig.yaxis[0].ticker.update(desired_num_ticks=4, num_minor_ticks=0)
        fig.xgrid.grid_line_color = None
        return fig

    def _tap(self, event: Any) -> None:
        data = self._data
        if data is None or event.x is None or not len(data.shown):
            return
        nearest = int(np.abs(data.centres - float(event.x)).argmin())
        self._go(data.months[data.shown[nearest]])

    def place_of(self, month: str) -> float | None:
        """Return where a month stands on the axis; None where it is not shown."""
        data = self._data
        if data is None:
            return None
        for i, centre in zip(data.shown, data.centres, strict=True):
            if data.months[i] == month:
                return float(centre)
        return None

    def draw(self, data: ChartData, month: str) -> None:
        """Draw a series, with a line where the month shown stands."""
        self._data = data
        centres, shown = data.centres, list(data.shown)
        values = {line.kind: _array(line.values)[shown] for line in data.lines}
        band = None if data.band is None else [_array(part)[shown] for part in data.band]
        self._scale(data, [*values.values(), *(band or [])])
        self._strips.data = {
            "x0": (centres - STRIP / 2).tolist(),
            "x1": (centres + STRIP / 2).tolist(),
            "text": list(data.texts),
        }
        # A line between months that do not follow each other: else distant years look consecutive.
        breaks = np.flatnonzero(np.diff(centres) > 1 + GAP / 2)
        self._seams.data = {"x": (centres[breaks] + (1 + GAP) / 2).tolist()}
        self._draw_lines(values, centres)
        self._draw_test(data)
        runs = runs_of(np.isfinite(band[0] + band[1]), centres) if band else []
        self._area.data = {
            "xs": [_outline(centres[run]).tolist() for run in runs],
            "ys": [_ring(band[0][run], band[1][run]).tolist() for run in runs] if band else [],
        }
        # What the axis names: the years of months, the months of days.
        spans = [data.months[i][:-3] for i in shown]
        starts = [
            (j, span)
            for j, span in enumerate(spans)
            if j == 0 or span != spans[j - 1] or centres[j] - centres[j - 1] > 1 + GAP / 2
        ]
        self._years.data = {
            "x": [float(centres[j]) - 0.5 for j, _ in starts],
            "year": [span for _, span in starts],
        }
        self.figure.xaxis[0].axis_label = "Month" if spans and "-" in spans[0] else "Year"
        names = {line.kind: line.name for line in data.lines}
        for kind, item in self._items.items():
            there = kind in names and bool(np.isfinite(values[kind]).any())
            item.update(label=value(names.get(kind, kind)), visible=there)
        self.figure.yaxis[0].axis_label = data.units
        self.show_month(month)

    def show_month(self, month: str) -> None:
        """Move the line that stands where the month shown is."""
        place = self.place_of(month)
        self._here.update(location=place, visible=place is not None)

    def _draw_lines(self, values: dict[str, Any], centres: NDArray[np.floating]) -> None:
        # A row of NaN where months do not follow each other breaks the lines.
        breaks = np.flatnonzero(np.diff(centres) > 1 + GAP / 2) + 1
        columns: dict[str, Any] = {"x": np.insert(centres, breaks, np.nan)}
        for kind in self._colors:
            own = values.get(kind, np.full(len(centres), np.nan))
            there = np.isfinite(own)
            lone = np.zeros(len(own), bool)
            for run in runs_of(there, centres):
                lone[run] = run.stop - run.start == 1
            first = kind == next(iter(self._colors))
            dotted = lone if first or len(own) > DOTTED else there
            columns[kind] = np.insert(own, breaks, np.nan)
            columns[f"{kind}_dot"] = np.insert(np.where(dotted, own, np.nan), breaks, np.nan)
        self._values.data = columns

    def _draw_test(self, data: ChartData) -> None:
        test = np.array([data.split[i] == TEST for i in data.shown], bool)
        runs = [] if test.all() else runs_of(test, data.centres)
        self._test.data = {
            "x0": [float(data.centres[run.start]) - 0.5 for run in runs],
            "x1": [float(data.centres[run.stop - 1]) + 0.5 for run in runs],
        }

    def _scale(self, data: ChartData, values: list[NDArray[np.floating]]) -> None:
        """Set both ranges where what they hold is another: a zoom survives new months of a run."""
        every = np.concatenate([v[np.isfinite(v)] for v in values]) if values else np.zeros(0)
        low, high = min(0.0, *every, 0.0), max(0.0, *every, 0.0)
        if high - low < 1e-9:
            low, high = low - 1, high + 1
        pad = 0.06 * (high - low)
        end = float(data.centres[-1]) + 0.5 if len(data.centres) else 1.0
        # First, or the ends would be held within those of before.
        self.figure.x_range.bounds = (0.0, end)
        for shown, ends in (
            (self.figure.x_range, (0.0, end)),
            (self.figure.y_range, (float(low - pad), float(high + pad))),
        ):
            if (shown.reset_start, shown.reset_end) != ends:
                start, stop = ends
                shown.update(start=start, end=stop, reset_start=start, reset_end=stop)

    def fade(self, kinds: frozenset[str]) -> None:
        """Draw the lines of these kinds faded: they are of other settings."""
        if kinds == self._faded:
            return
        self._faded = kinds
        for kind in self._colors:
            alpha = 0.45 if kind in kinds else 1.0
            self._lines[kind].glyph.line_alpha = alpha
            self._dots[kind].glyph.fill_alpha = alpha

    def _paint(self) -> None:
        colors = paint(self.figure, self._theme)
        for kind, name in self._colors.items():
            self._lines[kind].glyph.line_color = colors[name]
            self._dots[kind].glyph.fill_color = colors[name]
        self._shade.glyph.fill_color = colors["accent_soft"]
        self._seam.glyph.line_color = colors["muted"]
        self._here.line_color = colors["accent"]
        self._zero.line_color = colors["muted"]
        self._hovered.hover_glyph.fill_color = colors["muted"]
        if self._band:
            self._patch.glyph.fill_color = colors[self._colors[self._band]]
        if self._mark is not None and self._mark_dot is not None:
            self._mark.glyph.line_color = colors["analysis"]
            self._mark_dot.glyph.update(fill_color=colors["analysis"], line_color=colors["page"])
        self.figure.xgrid.grid_line_color = None


def _array(values: Values) -> NDArray[np.floating]:
    return np.array([np.nan if v is None else v for v in values], float)


def _outline(x: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the way along a stretch of months and back; a lone month is as wide as a month."""
    there = np.array([x[0] - 0.5, x[0] + 0.5]) if len(x) == 1 else x
    return np.concatenate([there, there[::-1]])


def _ring(low: NDArray[np.floating], high: NDArray[np.floating]) -> NDArray[np.floating]:
    if len(low) == 1:
        low, high = np.repeat(low, 2), np.repeat(high, 2)
    return np.concatenate([high, low[::-1]])
