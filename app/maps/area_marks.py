"""What observations are of beside their markers: regions' outlines, and the places subtracted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bokeh.models
import numpy as np

from app.maps.glyphs import draw
from app.maps.markers import CHOSEN, INK, PAPER
from app.maps.outlines import box_edge, finely, on_map
from app.maps.projections import to_map
from mlda_core.climate.regions import Region
from mlda_core.observations.areas import Area, Spot

bm: Any = bokeh.models

# Variable, the place of its marker, what it is of (None: that place alone), and whether selected.
Marked = tuple[str, float, float, Area | None, bool]


class AreaMarks:
    """Outlines and second places on all maps, thin beside the markers that they belong to.

    Parameters
    ----------
    figures : dict
        Figures by variable and kind, as `app.maps.figures.Figures` has them.
    """

    def __init__(self, figures: dict[tuple[str, str], Any]) -> None:
        self._figures = figures
        self.lines: dict[str, Any] = {}
        self.ends: dict[str, Any] = {}
        self._drawn: Any = ()

    def write(self, marked: Sequence[Marked], projection: str) -> None:
        """Draw what observations are of; of a place alone, as one that was begun, its mark.

        Parameters
        ----------
        marked : sequence of (str, float, float, Area or None, bool)
        projection : str
            Key of the projection.
        """
        shown = (tuple(marked), projection)
        if shown == self._drawn or (not marked and not self.lines):
            return
        self._drawn = shown
        if not self.lines:
            self._make()
        for name, source in self.lines.items():
            lines: dict[str, list[Any]] = {"xs": [], "ys": [], "line": []}
            ends: dict[str, list[Any]] = {"x": [], "y": [], "line": []}
            for variable, lat, lon, area, chosen in marked:
                if variable != name:
                    continue
                edges, spots = _parts(lat, lon, area)
                for xs, ys in on_map(edges, projection):
                    lines["xs"].append(xs)
                    lines["ys"].append(ys)
                    lines["line"].append(CHOSEN if chosen else INK)
                for spot in spots:
                    x, y = to_map(projection, np.array([spot.lon]), np.array([spot.lat]))
                    if np.isfinite(x[0]):
                        ends["x"].append(float(x[0]))
                        ends["y"].append(float(y[0]))
                        ends["line"].append(CHOSEN if chosen else INK)
            source.data, self.ends[name].data = lines, ends

    def _make(self) -> None:
        """Add the glyphs, once there is something to draw: a page that opens has none."""
        for (name, kind), fig in self._figures.items():
            if kind == "scatter":
                continue
            if name not in self.lines:
                self.lines[name] = bm.ColumnDataSource({"xs": [], "ys": [], "line": []})
                self.ends[name] = bm.ColumnDataSource({"x": [], "y": [], "line": []})
            draw(fig, bm.MultiLine(line_color=PAPER, line_width=3.0), self.lines[name])
            draw(fig, bm.MultiLine(line_color="line", line_width=1.2), self.lines[name])
            # Hollow, as what is subtracted.
            end = bm.Scatter(
                marker="square", size=8, fill_color=PAPER, line_color="line", line_width=1.6
            )
            draw(fig, end, self.ends[name])


def _parts(lat: float, lon: float, area: Area | None) -> tuple[list[Any], list[Spot]]:
    """Return the lines of what an observation is of, and the places that have no marker."""
    if area is None:
        return [], [Spot(lat, lon)]
    edges: list[Any] = []
    spots: list[Spot] = []
    for part in (area.first, area.minus):
        if isinstance(part, Region):
            edges += box_edge((part.south, part.north, part.west, part.east))
    if area.minus is not None:
        other = Area(area.minus).centre
        if other is not None:
            # The shorter way round.
            away = (other[1] - lon + 180.0) % 360.0 - 180.0
            edges.append(finely(np.array([lat, other[0]]), np.array([lon, lon + away])))
            spots = [Spot(*other)]
    return edges, spots
