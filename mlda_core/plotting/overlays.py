"""What may lie over a map: stippling, arrows, and observations by variable and outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geoviews as gv
import holoviews as hv
import numpy as np
from numpy.typing import NDArray

from mlda_core.plotting.backends import styled
from mlda_core.plotting.look import INK, PlotError
from mlda_core.plotting.projections import PLAIN, Frame, latitudes

if TYPE_CHECKING:
    import pandas as pd

    from mlda_core.climate.grid import Grid

Array = NDArray[np.float64]
# The filling says the outcome: black, white and between them, for paper without colour.
OUTCOMES = {"used": "#000000", "withheld": "#ffffff", "not used": "#e69f00"}
# The mark says the variable: Bokeh's name and Matplotlib's.
_MARKS = (("circle", "o"), ("square", "s"), ("triangle", "^"), ("diamond", "D"), ("star", "*"))
# Arrows on a map of the globe, from west to east.
_ARROWS = 32


def stipples(grid: Grid, where: NDArray[np.bool_], frame: Frame, backend: str) -> gv.Points:
    """Draw a dot in cells: in every second one, or they would hide the colours.

    Parameters
    ----------
    grid : Grid
    where : ndarray of bool, shape (lat, lon)
    frame : Frame
    backend : str
    """
    rows, columns = np.indices(where.shape)
    # Offset from row to row, and fewer towards the poles, where meridians meet.
    apart = _apart(grid, 2)[rows]
    thin = (rows % 2 == 0) & ((columns + (rows // 2 % 2) * (apart // 2)) % apart == 0)
    row, column = np.nonzero(where & thin & _shown(grid.lat, frame)[:, None])
    points = gv.Points((grid.lon[column], grid.lat[row]), ["lon", "lat"], crs=PLAIN)
    return styled(
        points,
        backend,
        bokeh={"color": INK, "size": 1.6, "line_color": None},
        matplotlib={"color": INK, "s": 0.8, "linewidth": 0},
    )


def arrows(
    grid: Grid, east: Array, north: Array, frame: Frame, backend: str, *, scale: float = 0.0
) -> tuple[gv.VectorField, float]:
    """Draw vectors, thinned.

    Parameters
    ----------
    grid : Grid
    east, north : ndarray, shape (lat, lon)
        Components.
    frame : Frame
    backend : str
    scale : float
        Size that is drawn two places long; the longest arrow's by default.

    Returns
    -------
    VectorField
    float
        Size of the longest arrow, in the components' units.
    """
    x0, x1 = frame.limits[:2]
    # An arrow every so many degrees of the great circle, on the map at hand.
    step = max(1, round(grid.lon.size / _ARROWS)) if grid.is_global else max(1, grid.lon.size // 24)
    rows, columns = np.indices(grid.shape)
    apart = _apart(grid, step)[rows]
    shown = _shown(grid.lat, frame) & (np.abs(grid.lat) < 88.0)
    size = np.hypot(east, north)
    row, column = np.nonzero(
        (rows % step == step // 2)
        & (columns % apart == apart // 2)
        & shown[:, None]
        & np.isfinite(size)
    )
    longest = float(size[row, column].max(initial=0.0))
    angle = np.arctan2(north, east)[row, column]
    field = gv.VectorField(
        (grid.lon[column], grid.lat[row], angle, size[row, column]),
        ["lon", "lat"],
        ["angle", "magnitude"],
        crs=PLAIN,
    )
    # Sizes differ much, and the usual one must be seen: the longest covers two places.
    reach = 2.0 * (x1 - x0) * step / grid.lon.size if grid.is_global else 2 * (x1 - x0) / 24
    shared = {"color": INK, "magnitude": hv.dim("magnitude"), "rescale_lengths": False}
    shared["scale"] = (scale or longest or reach) / reach
    drawn = styled(
        field,
        backend,
        bokeh=shared | {"line_width": 0.9},
        matplotlib=shared
        | {"width": (x1 - x0) / 700, "headwidth": 5, "headlength": 5, "headaxislength": 4},
    )
    return drawn, longest


def observation_points(table: pd.DataFrame, frame: Frame, backend: str) -> list[gv.Points]:
    """Draw observations: the mark by variable, if there are several, the filling by outcome.

    Parameters
    ----------
    table : DataFrame
        Columns lat and lon; variable, ``withheld`` and ``used`` where there are any.
    frame : Frame
    backend : str

    Returns
    -------
    list of Points
        Labelled for a legend with their numbers.

    Raises
    ------
    PlotError
        If a column is missing.
    """
    for name in ("lat", "lon"):
        if name not in table:
            raise PlotError(f"The observations have no column '{name}'; give one in degrees.")
    withheld = _flags(table, "withheld", default=False)
    used = _flags(table, "used", default=True) & ~withheld
    lat, lon = table["lat"].to_numpy(float), table["lon"].to_numpy(float)
    shown = _shown(lat, frame)
    variable = table["variable"].to_numpy(str) if "variable" in table else np.full(lat.size, "")
    names = list(dict.fromkeys(variable))
    small = lat.size > 300
    layers = []
    for i, name in enumerate(names):
        circle, sign = _MARKS[i % len(_MARKS)]
        outcomes = (("not used", ~used & ~withheld), ("used", used), ("withheld", withheld))
        for outcome, where in outcomes:
            here = where & (variable == name) & shown
            if not here.any():
                continue
            words = f"{name}, {outcome}" if len(names) > 1 else outcome
            points = gv.Points(
                (lon[here], lat[here]), ["lon", "lat"], crs=PLAIN, label=f"{words} ({here.sum()})"
            )
            fill, edge = OUTCOMES[outcome], "#ffffff" if outcome == "used" else "#000000"
            on_screen = {"size": 3.5 if small else 5.5, "marker": circle, "fill_color": fill}
            on_paper = {"s": 5 if small else 10, "marker": sign, "color": fill}
            layers.append(
                styled(
                    points,
                    backend,
                    bokeh=on_screen | {"line_color": edge, "line_width": 0.7},
                    matplotlib=on_paper | {"edgecolors": edge, "linewidth": 0.4},
                )
            )
    return layers


def _apart(grid: Grid, step: int) -> NDArray[np.int64]:
    """Return for each row how many columns lie between marks that are evenly spread."""
    cosine = np.maximum(np.cos(np.radians(grid.lat)), 0.05)
    return np.maximum(np.rint(step / cosine), 1).astype(int)


def _shown(lat: Array, frame: Frame) -> NDArray[np.bool_]:
    south, north = latitudes(frame.crs)
    return np.asarray((lat >= south) & (lat <= north))


def _flags(table: pd.DataFrame, name: str, *, default: bool) -> NDArray[np.bool_]:
    if name in table:
        return np.asarray(table[name].to_numpy(bool))
    return np.full(len(table), default)
