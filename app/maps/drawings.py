"""Boxes and lassos that a visitor draws on a map, as the browser sends them.

A drawing is a dict: ``rect`` with x0, x1, y0 and y1, or ``poly`` with the vertices x and y, in the
map's coordinates.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from mlda_core.page_state.settings import InvalidStateError, number

# What each tool of Bokeh draws.
SHAPES = {"box": "rect", "lasso": "poly"}
# Limit of coordinates, beyond any map, as for a click.
_FAR = 10.0


def read_drawing(given: Any, tool: str) -> dict[str, Any]:
    """Return a drawing, checked.

    Parameters
    ----------
    given : object
        As the browser sent it.
    tool : {"box", "lasso"}
        With what it must have been drawn.

    Raises
    ------
    InvalidStateError
        If it is something else.
    """
    if not isinstance(given, dict) or given.get("type") != SHAPES[tool]:
        raise InvalidStateError(f"The page sent no {tool}; reload it.")
    if tool == "box":
        corners = ("x0", "x1", "y0", "y1")
        return {"type": "rect", **{name: _place(given.get(name)) for name in corners}}
    x, y = given.get("x"), given.get("y")
    if not isinstance(x, list) or not isinstance(y, list) or len(x) != len(y):
        raise InvalidStateError("The page sent no lasso; reload it.")
    return {
        "type": "poly",
        "x": [_place(value) for value in x],
        "y": [_place(value) for value in y],
    }


def lasso_polygon(drawing: dict[str, Any]) -> shapely.Geometry | None:
    """Return what a lasso goes round; None for fewer than three vertices."""
    if len(drawing["x"]) < 3:
        return None
    # A lasso may cross itself: shapely's repair keeps what it goes round.
    return shapely.make_valid(shapely.Polygon(np.column_stack([drawing["x"], drawing["y"]])))


def inside(
    drawing: dict[str, Any], x: NDArray[np.floating], y: NDArray[np.floating]
) -> NDArray[np.bool_]:
    """Return which places lie in a box or lasso.

    Parameters
    ----------
    drawing : dict
        From `read_drawing`.
    x, y : ndarray
        Places on the map; NaN is nowhere.
    """
    if drawing["type"] == "rect":
        x0, x1 = sorted((drawing["x0"], drawing["x1"]))
        y0, y1 = sorted((drawing["y0"], drawing["y1"]))
        return np.asarray((x >= x0) & (x <= x1) & (y >= y0) & (y <= y1))
    found = np.zeros(len(x), dtype=bool)
    shape = lasso_polygon(drawing)
    if shape is not None:
        good = np.isfinite(x)
        found[good] = shapely.contains_xy(shape, x[good], y[good])
    return found


def _place(value: Any) -> float:
    return number("place", value, -_FAR, _FAR)
