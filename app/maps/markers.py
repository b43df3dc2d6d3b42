"""Observations on the maps: one data source a variable, shared by its target and its model map.

A marker is a row of the observation table. Gestures on markers are handled by `web/pointer.js`;
boxes and lassos are drawn with Bokeh's own tools, and `app.maps.drawings` reads them.
"""

from __future__ import annotations

from typing import Any

import bokeh.events
import bokeh.models
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.maps.glyphs import draw
from app.maps.projections import to_map
from app.web_files import read

bm: Any = bokeh.models
SelectionGeometry: Any = bokeh.events.SelectionGeometry

_DRAWN = read("callbacks/drawn.js")

# Every marker is painted again with every frame of a slider, on each of four maps. Beyond so many a
# map hides behind them anyway, and only what was touched by hand is drawn.
MOST = 1500
CIRCLE = "circle"
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
        drawn = bm.CustomJS(code=_DRAWN)
        for (name, kind), fig in figures.items():
            if kind == "scatter":
                continue
            if name not in self.sources:
                # The browser finds it by this name.
                self.sources[name] = bm.ColumnDataSource(_empty(), name=f"observations-{name}")
            glyph = bm.Scatter(
                size="size",
                marker="mark",
                fill_color=INK,
                fill_alpha="solid",
                line_color="line",
                line_width="width",
            )
            renderer = draw(fig, glyph, self.sources[name])
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
            fig.js_on_event(SelectionGeometry, drawn)
        self.hidden = 0

    def write(self, table: pd.DataFrame, projection: str, chosen: set[int]) -> None:
        """Put the rows of a table on the maps.

        Parameters
        ----------
        table : DataFrame
            With variable, lat, lon, withheld and ``touched``: changed or placed by hand; with
            ``mark``, Bokeh's marker, where some are no circles.
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
        marks = table["mark"].to_numpy(object) if "mark" in table else np.full(len(table), CIRCLE)
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
            data = _data(x, y, rows, here, held, is_chosen, marks)
            if not _same(source.data, data):
                source.data = data


def _empty() -> dict[str, Any]:
    none = np.zeros(0, dtype=np.float32)
    return {
        **dict.fromkeys(("x", "y", "solid", "width", "size"), none),
        "row": np.zeros(0, dtype=np.int32),
        "line": [],
        "mark": [],
    }


def _data(  # noqa: PLR0917 - columns of one table
    x: NDArray[np.floating],
    y: NDArray[np.floating],
    rows: NDArray[np.integer],
    here: NDArray[np.bool_],
    held: NDArray[np.bool_],
    chosen: NDArray[np.bool_],
    marks: NDArray[Any],
) -> dict[str, Any]:
    count = int(here.sum())
    marks = marks[here]
    other = marks != CIRCLE
    held, chosen = held[here], chosen[here]
    size, rim = marker_size(count), 0.8 if count <= 150 else 0.4
    return {
        "x": x[here].astype(np.float32),
        "y": y[here].astype(np.float32),
        "row": rows[here].astype(np.int32),
        "solid": np.where(held, 0.0, 1.0).astype(np.float32),
        "width": np.where(chosen, 2.5, np.where(held, 1.6, rim)).astype(np.float32),
        # Other shapes of a circle's diameter look smaller.
        "size": (size + 3.0 * chosen + np.where(held, 1.0, 0.0) + 3.0 * other).astype(np.float32),
        "line": np.where(chosen, CHOSEN, np.where(held, INK, PAPER)).tolist(),
        "mark": marks.tolist(),
    }


def _same(old: dict[str, Any], new: dict[str, Any]) -> bool:
    return all(
        len(old[name]) == len(values) and np.array_equal(old[name], values)
        for name, values in new.items()
    )
