"""Outlines on the maps: of the changes of the sea on its own maps, and of regions elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import bokeh.models
import numpy as np
from numpy.typing import NDArray

from app.maps.figures import FONT
from app.maps.glyphs import draw
from app.maps.projections import to_map
from mlda_core.climate.regions import REGIONS
from mlda_core.page_state.perturbations import Box
from mlda_core.perturbation.sst_patches import Patch

bm: Any = bokeh.models

INK, PAPER = "#14171b", "#ffffff"
ACCENT = "#5546c8"
# Degrees between two points of a projected edge.
FINE = 2.0
# On a map that is 4 units wide, a line never jumps so far but where the map is cut.
CUT = 0.6

Lines = list[tuple[list[float], list[float]]]


def edge_of(patch: Patch) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return the edge of a patch as lines of latitudes and longitudes; none round the globe.

    Parameters
    ----------
    patch : Patch
        A region, a box or a lasso.

    Returns
    -------
    list of (ndarray, ndarray)
        Latitudes and longitudes, degrees.
    """
    if patch.polygon:
        lat, lon = np.array([*patch.polygon, patch.polygon[0]]).T
        return [finely(lat, np.rad2deg(np.unwrap(np.deg2rad(lon))))]
    if patch.box is not None:
        return box_edge(patch.box)
    region = REGIONS[patch.region]
    return box_edge((region.south, region.north, region.west, region.east))


def box_edge(box: Box) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return the edge of a box; of one that goes all round, its two parallels."""
    south, north, west, east = box
    if east - west >= 360:
        round_ = np.arange(0.0, 360.0 + FINE, FINE)
        return [(np.full(round_.size, v), round_) for v in (south, north) if abs(v) < 90]
    east = west + (east - west) % 360.0
    lat = np.array([south, south, north, north, south])
    lon = np.array([west, east, east, west, west])
    return [finely(lat, lon)]


def finely(
    lat: NDArray[np.float64], lon: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a line of latitudes and longitudes with points so near that it can be projected."""
    parts_lat, parts_lon = [lat[:1]], [lon[:1]]
    for i in range(1, lat.size):
        far = max(abs(lat[i] - lat[i - 1]), abs(lon[i] - lon[i - 1]))
        steps = np.linspace(0.0, 1.0, max(2, int(np.ceil(far / FINE)) + 1))[1:]
        parts_lat.append(lat[i - 1] + steps * (lat[i] - lat[i - 1]))
        parts_lon.append(lon[i - 1] + steps * (lon[i] - lon[i - 1]))
    return np.concatenate(parts_lat), np.concatenate(parts_lon)


def on_map(
    edges: Iterable[tuple[NDArray[np.float64], NDArray[np.float64]]], projection: str
) -> Lines:
    """Project lines, cut where the map is."""
    lines: Lines = []
    for lat, lon in edges:
        x, y = to_map(projection, lon, lat)
        good = np.isfinite(x)
        step = np.hypot(np.diff(x), np.diff(y)) > CUT
        breaks = np.flatnonzero(step | (good[1:] != good[:-1])) + 1
        for part in np.split(np.arange(x.size), breaks):
            if part.size > 1 and good[part].all():
                lines.append((x[part].tolist(), y[part].tolist()))
    return lines


@lru_cache(maxsize=256)
def _outline(shape: Patch, projection: str) -> Lines:
    """Return a patch's edge on a map; it stays while its amount is dragged. Never changed."""
    return on_map(edge_of(shape), projection)


class Outlines:
    """The sources and glyphs of all outlines.

    Parameters
    ----------
    figures : dict
        Figures by variable and kind, as `app.maps.figures.Figures` has them.
    sea : str
        Name of the variable that is changed.
    """

    def __init__(self, figures: dict[tuple[str, str], Any], sea: str) -> None:
        self.patches = bm.ColumnDataSource(_no_lines())
        self.tags = bm.ColumnDataSource({"x": [], "y": [], "text": [], "alpha": []})
        self.region = bm.ColumnDataSource({"xs": [], "ys": []})
        self._drawn: Any = None
        self._framed: dict[str, list[Any]] = {}
        self._patched: list[Any] = []
        for (name, kind), fig in figures.items():
            if kind == "scatter":
                continue
            pair = [
                draw(fig, bm.MultiLine(line_color=c, line_width=w), self.region, visible=False)
                for c, w in ((PAPER, 4.0), (ACCENT, 2.0))
            ]
            self._framed.setdefault(name, []).extend(pair)
            if name == sea:
                self._draw_patches(fig)

    def _draw_patches(self, fig: Any) -> None:
        # Not even empty ones are painted with every frame of a latent slider.
        for colour, width, dash in ((PAPER, "halo", "solid"), (INK, "width", "dash")):
            line = bm.MultiLine(
                line_color=colour,
                line_width=width,
                line_alpha="alpha",
                line_dash=dash,
                line_cap="round",
            )
            self._patched.append(draw(fig, line, self.patches, visible=False))
        text = bm.Text(
            text_align="center",
            text_baseline="bottom",
            y_offset=-4,
            text_color=INK,
            text_alpha="alpha",
            text_font_size="11px",
            text_font_style="bold",
            text_font={"value": FONT},
            background_fill_color=PAPER,
            background_fill_alpha=0.85,
            padding=2,
            border_radius=3,
        )
        self._patched.append(draw(fig, text, self.tags, visible=False))

    def write(
        self,
        patches: tuple[Patch, ...],
        selected: int,
        frames: dict[str, Box],
        projection: str,
    ) -> None:
        """Put outlines on the maps.

        Parameters
        ----------
        patches : tuple of Patch
            On the sea's maps, each with its amount.
        selected : int
            The one that is selected; -1 for none.
        frames : dict
            By variable a region that is outlined on its maps; all are the same region.
        projection : str
            Key of the projection.
        """
        shown = (patches, selected, tuple(sorted(frames.items())), projection)
        if shown == self._drawn:
            return
        self._drawn = shown
        data = _no_lines()
        tags: dict[str, list[Any]] = {"x": [], "y": [], "text": [], "alpha": []}
        for i, patch in enumerate(patches):
            lines = _outline(replace(patch, kelvin=0.0, enabled=True), projection)
            alpha = 1.0 if patch.enabled else 0.45
            wide = 2.2 if i == selected else 1.3
            for xs, ys in lines:
                data["xs"].append(xs)
                data["ys"].append(ys)
                data["width"].append(wide)
                data["halo"].append(wide + 2.0)
                data["alpha"].append(alpha)
                data["dash"].append("solid" if patch.enabled else "dotted")
            if lines:
                # Above the highest point of its outline.
                x, y = (np.concatenate([line[i] for line in lines]) for i in (0, 1))
                tags["x"].append(float((x.min() + x.max()) / 2))
                tags["y"].append(float(y.max()))
                sign = "\u2212" if patch.kelvin < 0 else "+"
                tags["text"].append(f"{sign}{abs(patch.kelvin):.1f} K")
                tags["alpha"].append(alpha)
        self.patches.data, self.tags.data = data, tags
        box = next(iter(frames.values()), None)
        lines = [] if box is None else on_map(box_edge(box), projection)
        self.region.data = {"xs": [x for x, _ in lines], "ys": [y for _, y in lines]}
        for name, renderers in self._framed.items():
            _show(renderers, visible=name in frames)
        _show(self._patched, visible=bool(patches))


class RegionOutlines:
    """Outlines of regions on all maps: where the network is, and what the foot averages over.

    Parameters
    ----------
    figures : dict
        Figures by variable and kind, as `app.maps.figures.Figures` has them.
    """

    def __init__(self, figures: dict[tuple[str, str], Any]) -> None:
        self.source = bm.ColumnDataSource({"xs": [], "ys": []})
        self._drawn: Any = ()
        # Not even empty ones are painted with every frame of a latent slider.
        self._renderers = [
            draw(
                fig,
                bm.MultiLine(line_color=colour, line_width=width, line_dash=dash),
                self.source,
                visible=False,
            )
            for (_, kind), fig in figures.items()
            if kind != "scatter"
            for colour, width, dash in ((PAPER, 3.0, "solid"), (ACCENT, 1.5, "dashed"))
        ]

    def write(self, boxes: Iterable[Box], projection: str) -> None:
        """Outline boxes.

        Parameters
        ----------
        boxes : iterable of (float, float, float, float)
            South, north, west and east of each, degrees.
        projection : str
            Key of the projection.
        """
        # One that is the network's and the foot's is drawn once.
        shown = (tuple(dict.fromkeys(boxes)), projection)
        if shown == self._drawn:
            return
        self._drawn = shown
        lines = on_map([edge for box in shown[0] for edge in box_edge(box)], projection)
        self.source.data = {"xs": [x for x, _ in lines], "ys": [y for _, y in lines]}
        _show(self._renderers, visible=bool(lines))


def _show(renderers: list[Any], *, visible: bool) -> None:
    for renderer in renderers:
        if renderer.visible != visible:
            renderer.visible = visible


def _no_lines() -> dict[str, list[Any]]:
    return {name: [] for name in ("xs", "ys", "width", "halo", "alpha", "dash")}
