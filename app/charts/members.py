"""All members of an ensemble: a page of stamps, and contours of one value over a map."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bokeh.events
import numpy as np
from numpy.typing import NDArray

from app.charts.base import Chart, bm, figure
from app.charts.colors import COLORS
from app.maps.color_scales import THEMES, map_palette
from app.maps.member_maps import Lines, coasts, member_at
from app.maps.projections import EXTENT, projection
from app.web_files import read
from mlda_core.climate.variables import Variable

COLUMNS = 11
# What stands before the members.
FIRST = ("target", "analysis")
# Width of a map over its height.
MAP_SHAPE = 2.0
Tap: Any = bokeh.events.Tap


def _plain() -> Any:
    """Return a figure without axes that fills its place, and whose maps keep their shape.

    Its ``tags`` are the extent that is shown, and pixels of a unit of x over those of one of y.
    """
    fig = figure(
        sizing_mode="stretch_both",
        toolbar_location=None,
        title=None,
        tools=[],
        x_range=bm.Range1d(0, 1),
        y_range=bm.Range1d(0, 1),
        x_axis_type=None,
        y_axis_type=None,
        min_border=0,
        outline_line_color=None,
        output_backend="canvas",
    )
    fig.grid.visible = False
    shape = bm.CustomJS(code=read("callbacks/keep_shape.js"))
    for name in ("inner_width", "inner_height", "tags"):
        fig.js_on_change(name, shape)
    return fig


class StampsChart(Chart):
    """A page of stamps; a click on one chooses it.

    Parameters
    ----------
    chosen : callable
        Called with the number of a member, from 1.
    theme : str
    variable : Variable
        Shown first: colours are by variable.
    """

    def __init__(self, chosen: Callable[[int], None], theme: str, variable: Variable) -> None:
        super().__init__(theme)
        self._chosen, self._n, self._variable = chosen, 0, variable
        self._member = 0
        self._outlined: tuple[str, int] | None = None
        self._image = bm.ColumnDataSource({"image": [], "dw": [], "dh": []})
        self._coast, self._names = (
            bm.ColumnDataSource(dict.fromkeys(names, ()))
            for names in (("x", "y"), ("x", "y", "text"))
        )
        self._frame = bm.ColumnDataSource({"x": [], "y": []})
        self._mapper = bm.LinearColorMapper(palette=["#000000"] * 256, low=-0.5, high=255.5)
        self.figure = _plain()
        self.figure.image("image", 0, 0, "dw", "dh", source=self._image, color_mapper=self._mapper)
        self._edge = self.figure.line("x", "y", source=self._coast, line_width=0.6)
        # In the corner that no map fills.
        self._said = self.figure.text(
            "x",
            "y",
            "text",
            source=self._names,
            text_font_size="10px",
            text_baseline="top",
            padding=1,
            border_radius=2,
        )
        self._box = self.figure.rect(
            "x", "y", 1, 1, source=self._frame, fill_alpha=0.0, line_width=2
        )
        self.figure.on_event(Tap, self._tapped)
        self._paint()

    @property
    def rows(self) -> int:
        """Rows of stamps."""
        return max(-(-(self._n + len(FIRST)) // COLUMNS), 1)

    def draw(self, image: NDArray[np.uint8], n: int, variable: Variable, key: str) -> None:
        """Draw the stamps of target, analysis and so many members in a projection."""
        self._n, self._variable = n, variable
        count = n + len(FIRST)
        if (key, count) != self._outlined:
            self._outlined = key, count
            x, y = coasts(key, count, COLUMNS)
            self._coast.data = {"x": x, "y": y}
            at = np.arange(count)
            self._names.data = {
                "x": at % COLUMNS,
                "y": self.rows - at // COLUMNS,
                "text": [*FIRST, *map(str, range(1, n + 1))],
            }
        self.figure.tags = [0, COLUMNS, 0, self.rows, MAP_SHAPE]
        self._image.data = {"image": [image], "dw": [COLUMNS], "dh": [self.rows]}
        self.mark(self._member)
        self._paint()

    def mark(self, member: int) -> None:
        """Frame a member, from 1; 0 for none."""
        self._member = member
        at = member - 1 + len(FIRST)
        there = 0 < member <= self._n
        self._frame.data = {
            "x": [at % COLUMNS + 0.5] if there else [],
            "y": [self.rows - at // COLUMNS - 0.5] if there else [],
        }

    def _tapped(self, event: Any) -> None:
        if event.x is None or event.y is None:
            return
        count = self._n + len(FIRST)
        at = member_at(float(event.x), self.rows - float(event.y), count, COLUMNS)
        if at is not None and at >= len(FIRST):
            self._chosen(at + 1 - len(FIRST))

    def _paint(self) -> None:
        colors = COLORS[self._theme]
        self._mapper.palette = map_palette(self._variable, self._theme, full=False)
        self._box.glyph.line_color = colors["accent"]
        # Over the corner of its map, and read on any colour.
        self._said.glyph.update(
            text_color=colors["text"],
            background_fill_color=colors["page"],
            background_fill_alpha=0.75,
        )
        self._edge.glyph.update(line_color=THEMES[self._theme]["coast"], line_alpha=0.7)
        self.figure.update(background_fill_alpha=0.0, border_fill_alpha=0.0)


class SpaghettiChart(Chart):
    """Contours of one value: of all members, the analysis and the target.

    Parameters
    ----------
    theme : str
    """

    def __init__(self, theme: str) -> None:
        super().__init__(theme)
        self.figure = _plain()
        x0, x1, y0, y1 = EXTENT
        self.figure.tags = [x0, x1, y0, y1, 1.0]
        self._coast, self._outline = (
            bm.ColumnDataSource({"x": [], "y": []}) for _ in ("coast", "outline")
        )
        self._sources = {
            name: bm.ColumnDataSource({"xs": [], "ys": []})
            for name in ("members", "analysis", "target")
        }
        fig = self.figure
        self._edges = [
            fig.line("x", "y", source=source, line_width=0.8)
            for source in (self._coast, self._outline)
        ]
        widths = {"members": 0.8, "analysis": 2.2, "target": 2.2}
        self._lines = {
            name: fig.multi_line("xs", "ys", source=source, line_width=widths[name])
            for name, source in self._sources.items()
        }
        wheel = bm.WheelZoomTool(maintain_focus=False)
        pan = bm.PanTool()
        fig.add_tools(pan, wheel, bm.SaveTool())
        fig.toolbar.active_drag, fig.toolbar.active_scroll = pan, wheel
        self._projection = ""
        self._paint()

    def draw(self, lines: dict[str, Lines], key: str) -> None:
        """Draw lines by name (``members``, ``analysis``, ``target``) in a projection."""
        if key != self._projection:
            self._projection = key
            shown = projection(key)
            for source, name in ((self._coast, "coast"), (self._outline, "outline")):
                x, y = getattr(shown, name)
                source.data = {"x": x, "y": y}
        for name, source in self._sources.items():
            parts = lines.get(name, [])
            source.data = {"xs": [x for x, _ in parts], "ys": [y for _, y in parts]}

    def _paint(self) -> None:
        colors = COLORS[self._theme]
        self.figure.update(background_fill_alpha=0.0, border_fill_alpha=0.0)
        for edge in self._edges:
            edge.glyph.update(line_color=colors["muted"], line_alpha=0.6)
        shown = {
            "members": ("changed", 0.45),
            "analysis": ("analysis", 1.0),
            "target": ("text", 1.0),
        }
        for name, (color, alpha) in shown.items():
            self._lines[name].glyph.update(line_color=colors[color], line_alpha=alpha)
