"""Observations on the maps: one data source a variable, shared by its target and its model map.

A marker is a row of the observation table. Gestures on markers are `web/pointer.js`'s; box and
lasso are Bokeh's own tools, whose geometry the server turns into rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import bokeh.events
import bokeh.models
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from app.maps.projections import to_map

bm: Any = bokeh.models
SelectionGeometry: Any = bokeh.events.SelectionGeometry

# Every marker is painted again with every frame of a slider, on each of four maps. Beyond so many a
# map hides behind them anyway, and only what was touched by hand is drawn.
MOST = 1500
INK, PAPER, CHOSEN = "#14171b", "#ffffff", "#ffb000"


def marker_size(count: int) -> float:
    """Return the diameter of markers on a map, screen pixels: many are small."""
    return 7.0 if count <= 150 else 4.5 if count <= 400 else 2.5


class Markers:
    """The sources and glyphs of all maps' markers.

    Parameters
    ----------
    figures : dict
        Figures by variable and kind, as `app.maps.figures.Figures` has them.
    """

    def __init__(self, figures: dict[tuple[str, str], Any]) -> None:
        self.sources: dict[str, Any] = {}
        self._glyphs: list[tuple[str, Any]] = []
        self._figures = {pane: fig for pane, fig in figures.items() if pane[1] != "scatter"}
        for (name, kind), fig in self._figures.items():
            if name not in self.sources:
                # The browser finds it by this name.
                self.sources[name] = bm.ColumnDataSource(_empty(), name=f"observations-{name}")
            renderer = fig.scatter(
                "x",
                "y",
                source=self.sources[name],
                size="size",
                fill_color=INK,
                fill_alpha="solid",
                line_color="line",
                line_width="width",
            )
            # Bokeh greys out what is not selected; here the colours say it.
            renderer.nonselection_glyph = None
            renderer.selection_glyph = None
            tools = {
                "place": fig.toolbar.active_drag,
                "box": bm.BoxSelectTool(renderers=[renderer], continuous=False),
                "lasso": bm.LassoSelectTool(renderers=[renderer], continuous=False),
            }
            fig.add_tools(tools["box"], tools["lasso"])
            # The browser finds them by these names, to draw without waiting for the server.
            fig.toolbar.name = f"drag-{name}-{kind}"
            for mode, tool in tools.items():
                tool.name = f"drag-{name}-{kind}-{mode}"
        self.hidden = 0

    def write(self, table: pd.DataFrame, projection: str, chosen: set[int]) -> None:
        """Put the rows of a table on the maps.

        Parameters
        ----------
        table : DataFrame
            With variable, lat, lon, withheld and ``touched``: changed or placed by hand.
        projection : str
            Key of the projection.
        chosen : set of int
            Rows that are selected.
        """
        x, y = to_map(projection, table["lon"].to_numpy(), table["lat"].to_numpy())
        rows = np.arange(len(table))
        is_chosen = np.isin(rows, list(chosen))
        variable = table["variable"].to_numpy()
        held = table["withheld"].to_numpy(dtype=bool)
        by_hand = table["touched"].to_numpy(dtype=bool) | held | is_chosen
        self.hidden = 0
        for name, source in self.sources.items():
            here = (variable == name) & np.isfinite(x)
            count = int(here.sum())
            if count > MOST:
                here &= by_hand
                self.hidden += count - int(here.sum())
            if here.sum() > MOST:
                self.hidden += int(here.sum())
                here[:] = False
            data = _data(x, y, rows, here, held, is_chosen)
            if not _same(source.data, data):
                source.data = data

    def on_geometry(self, handler: Callable[[str, dict[str, Any]], None]) -> None:
        """Tell a handler the variable and geometry of each finished box or lasso."""
        for (name, _), fig in self._figures.items():
            fig.on_event(SelectionGeometry, _finished(name, handler))


def _finished(name: str, handler: Callable[[str, dict[str, Any]], None]) -> Callable[[Any], None]:
    def finished(event: Any) -> None:
        if event.final:
            handler(name, event.geometry)

    return finished


def inside(
    geometry: dict[str, Any], x: NDArray[np.floating], y: NDArray[np.floating]
) -> NDArray[np.bool_]:
    """Return which places lie in a box or lasso.

    Parameters
    ----------
    geometry : dict
        As Bokeh's selection tools give it: ``rect`` with x0..y1, or ``poly`` with x and y.
    x, y : ndarray
        Places on the map; NaN is nowhere.
    """
    if geometry.get("type") == "rect":
        x0, x1 = sorted((float(geometry["x0"]), float(geometry["x1"])))
        y0, y1 = sorted((float(geometry["y0"]), float(geometry["y1"])))
        return np.asarray((x >= x0) & (x <= x1) & (y >= y0) & (y <= y1))
    px, py = floats(geometry.get("x")), floats(geometry.get("y"))
    if len(px) < 3 or len(px) != len(py):
        return np.zeros(len(x), dtype=bool)
    # A hand crosses its own line now and then: shapely's repair keeps what it went round.
    shape = shapely.make_valid(shapely.Polygon(np.column_stack([px, py])))
    good = np.isfinite(x)
    found = np.zeros(len(x), dtype=bool)
    found[good] = shapely.contains_xy(shape, x[good], y[good])
    return found


def floats(values: Any) -> list[float]:
    """Return one coordinate of a lasso's vertices, in whichever form Bokeh gives it."""
    if isinstance(values, dict):
        values = list(values.values())
    return [float(v) for v in values] if isinstance(values, Sequence | np.ndarray) else []


def _empty() -> dict[str, Any]:
    none = np.zeros(0, dtype=np.float32)
    return {
        **dict.fromkeys(("x", "y", "solid", "width", "size"), none),
        "row": np.zeros(0, dtype=np.int32),
        "line": [],
    }


def _data(
    x: NDArray[np.floating],
    y: NDArray[np.floating],
    rows: NDArray[np.integer],
    here: NDArray[np.bool_],
    held: NDArray[np.bool_],
    chosen: NDArray[np.bool_],
) -> dict[str, Any]:
    count = int(here.sum())
    held, chosen = held[here], chosen[here]
    size, rim = marker_size(count), 0.8 if count <= 150 else 0.4
    return {
        "x": x[here].astype(np.float32),
        "y": y[here].astype(np.float32),
        "row": rows[here].astype(np.int32),
        "solid": np.where(held, 0.0, 1.0).astype(np.float32),
        "width": np.where(chosen, 2.5, np.where(held, 1.6, rim)).astype(np.float32),
        "size": (size + 3.0 * chosen + np.where(held, 1.0, 0.0)).astype(np.float32),
        "line": np.where(chosen, CHOSEN, np.where(held, INK, PAPER)).tolist(),
    }


def _same(old: dict[str, Any], new: dict[str, Any]) -> bool:
    return all(
        len(old[name]) == len(values) and np.array_equal(old[name], values)
        for name, values in new.items()
    )
