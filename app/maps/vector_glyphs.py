"""Arrows in the figures: sources and glyphs, made once; afterwards only their numbers change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bokeh.models
import numpy as np

from app.maps.glyphs import draw
from app.maps.projections import EXTENT, pixel_map
from app.maps.vectors import HEAD_MOST, KEY_LENGTH, POINTS, key_arrow, lattice
from app.text import vector_words
from app.web_files import read

if TYPE_CHECKING:
    from app.maps.frames import BundleLike
    from app.maps.vectors import Arrows

bm: Any = bokeh.models

# Black with a white rim is readable on every colour of every map, in both themes.
INK, PAPER = "#101216", "#ffffff"
WIDTH, RIM = 1.3, 3.2

# The key stays in the lower right corner of what is seen, however far one has zoomed in; its arrow
# keeps its length on the map. (In the left one stands the scale of colours.)
_ASIDE, _UP, _BETWEEN = 0.012, 0.07, 0.008
# The head of its arrow is seen whole even then.
_LEAST_UP = HEAD_MOST / 2


class ArrowGlyphs:
    """The arrows of the maps of a session, shared by all that show them.

    Parameters
    ----------
    bundle : Bundle
        With a vector, or without: then nothing is ever drawn.
    x_range, y_range : Range1d
        Of the maps.
    projection : str
        Key of the projection shown first.
    """

    def __init__(self, bundle: BundleLike, x_range: Any, y_range: Any, projection: str) -> None:
        self._bundle, self._ranges = bundle, (x_range, y_range)
        self.on = bool(bundle.vectors)
        self.sources: dict[str, Any] = {}
        self._keys: dict[str, Any] = {}
        self._renderers: dict[str, list[Any]] = {"target": [], "model": []}
        self._said: dict[str, str] = {}
        if not self.on:
            return
        self._pair = bundle.vectors[0]
        one, other = (v for name in self._pair for v in bundle.variables if v.name == name)
        self._unit, self._what = one.anomaly_units, vector_words(one.label, other.label)
        for kind in self._renderers:
            # The browser finds it by this name.
            name = f"arrows-{kind}"
            self.sources[kind] = bm.ColumnDataSource(self._nothing(projection), name=name)
            self._keys[kind] = bm.ColumnDataSource({"x": [0.0], "y": [0.0], "text": [""]})
            self._said[kind] = ""
        line, rise = key_arrow(0.0, 0.0)
        self._key_line = bm.ColumnDataSource({"x": line, "y": rise}, name="arrows-key")
        follow = bm.CustomJS(
            args={
                "x": x_range,
                "y": y_range,
                "line": line.astype(float).tolist(),
                "rise": rise.astype(float).tolist(),
                "arrow": self._key_line,
                "texts": list(self._keys.values()),
                "length": KEY_LENGTH,
                "aside": _ASIDE,
                "up": _UP,
                "between": _BETWEEN,
                "least_up": _LEAST_UP,
            },
            code=read("callbacks/arrow_key.js"),
        )
        for edge in ("start", "end"):
            x_range.js_on_change(edge, follow)
            y_range.js_on_change(edge, follow)
        self._place_key()

    def shows(self, name: str) -> bool:
        """Whether a variable's maps show the vector: those of its own components do not."""
        return self.on and name not in self._pair

    def add(self, name: str, kind: str, figure: Any) -> None:
        """Add arrows and their key to a map."""
        if not self.shows(name):
            return
        for source in (self.sources[kind], self._key_line):
            for colour, width, alpha in ((PAPER, RIM, 0.7), (INK, WIDTH, 1.0)):
                line = bm.Line(
                    line_color=colour,
                    line_width=width,
                    line_alpha=alpha,
                    line_join="round",
                    line_cap="round",
                )
                drawn = draw(figure, line, source, name="arrows", visible=False)
                self._renderers[kind].append(drawn)
        words = bm.Text(
            text_baseline="middle",
            text_align="right",
            text_font_size="11px",
            text_color=INK,
            text_outline_color=None,
            background_fill_color=PAPER,
            background_fill_alpha=0.7,
            padding=2,
            border_radius=3,
        )
        drawn = draw(figure, words, self._keys[kind], name="arrows", visible=False)
        self._renderers[kind].append(drawn)

    def packed(self, arrows: dict[str, Arrows | None]) -> list[tuple[str, bytes]]:
        """Take over new arrows; return what the browser is to copy, by column.

        Parameters
        ----------
        arrows : dict
            By column; None where it shows no vector.
        """
        parts = []
        for kind, made in arrows.items():
            data = self.sources[kind].data
            if made is None or len(made.x) != len(data["x"]):
                continue
            for name in ("x", "y"):
                np.copyto(data[name], getattr(made, name))
            parts.append((kind, made.x.tobytes() + made.y.tobytes()))
        return parts

    def show(self, arrows: dict[str, Arrows | None], *, on: bool) -> None:
        """Bring the keys to the arrows, and switch both on or off."""
        for kind, renderers in self._renderers.items():
            made = arrows.get(kind)
            visible = on and (made is not None if kind in arrows else bool(self._said.get(kind)))
            if made is not None:
                size = f"{made.key:g} {self._unit}"
                self._say(kind, f"{self._what}, {size}" if self._what else size)
            elif kind in arrows:
                self._said[kind] = ""
            for drawn in renderers:
                if drawn.visible != visible:
                    drawn.visible = visible

    def _say(self, kind: str, words: str) -> None:
        if words != self._said[kind]:
            self._said[kind] = words
            self._keys[kind].data = {**self._keys[kind].data, "text": [words]}

    def reproject(self, projection: str) -> None:
        """Make room for the arrows of another projection."""
        for source in self.sources.values():
            source.data = self._nothing(projection)
        if self.on:
            self._place_key()

    def _place_key(self) -> None:
        x0, x1, y0, y1 = EXTENT
        x, y = x1 - _ASIDE * (x1 - x0) - KEY_LENGTH, y0 + _UP * (y1 - y0)
        line, rise = key_arrow(x, y)
        self._key_line.data = {"x": line, "y": rise}
        for source in self._keys.values():
            source.data = {**source.data, "x": [x - _BETWEEN * (x1 - x0)], "y": [y]}

    def _nothing(self, projection: str) -> dict[str, Any]:
        grid = self._bundle.grid
        count = POINTS * len(lattice(projection, grid, pixel_map(projection, grid)).x)
        return {name: np.full(count, np.nan, dtype=np.float32) for name in ("x", "y")}
