"""One field on a map, with coastlines and what may lie over it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import cartopy.crs as ccrs
import geoviews as gv
import holoviews as hv
import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.assets import coastline
from mlda_core.plotting.backends import check_backend, styled
from mlda_core.plotting.look import Look, PlotError

if TYPE_CHECKING:
    import pandas as pd

    from mlda_core.climate.grid import Grid

Field = NDArray[np.floating]
PLAIN = ccrs.PlateCarree()
PROJECTIONS: dict[str, Any] = {
    "robinson": ccrs.Robinson(central_longitude=180.0),
    "atlantic": ccrs.Robinson(central_longitude=0.0),
    "platecarree": ccrs.PlateCarree(central_longitude=180.0),
    "north": ccrs.NorthPolarStereo(),
    "south": ccrs.SouthPolarStereo(),
}
_WIDTH = {"bokeh": 460, "matplotlib": 5.0}
_INK, _MISSING = "#222222", "#d9d9d9"
# Observations by outcome: colours of Okabe and Ito, and marks for paper without colour.
_OUTCOMES = {
    "used": ("#000000", "circle", "o"),
    "withheld": ("#E69F00", "triangle", "^"),
    "not used": ("#0072B2", "x", "x"),
}


def field_map(  # noqa: PLR0913 - what may lie over a map, by name
    values: Field,
    grid: Grid,
    look: Look,
    *,
    projection: str = "robinson",
    observations: pd.DataFrame | None = None,
    stippled: NDArray[np.bool_] | None = None,
    vectors: tuple[Field, Field] | None = None,
    title: str = "",
    backend: str = "bokeh",
) -> hv.Overlay:
    """Draw a field on a map.

    Parameters
    ----------
    values : ndarray, shape (lat, lon)
        Display units; NaN where there is none, drawn grey.
    grid : Grid
    look : Look
    projection : str
        A key of :data:`PROJECTIONS`.
    observations : DataFrame, optional
        Columns lat and lon, and ``used``, ``withheld`` where there are any: drawn by outcome.
    stippled : ndarray of bool, shape (lat, lon), optional
        Cells with a dot, such as where little is known.
    vectors : tuple of ndarray, shape (lat, lon), optional
        Eastward and northward components, as arrows.
    title : str
        The look's own by default.
    backend : {"bokeh", "matplotlib"}

    Returns
    -------
    Overlay
        For the backend named.

    Raises
    ------
    PlotError
        If there is no such projection or backend, or the values do not fit the grid.
    """
    check_backend(backend)
    if projection not in PROJECTIONS:
        raise PlotError(
            f"There is no projection '{projection}'; use one of {', '.join(PROJECTIONS)}."
        )
    field = np.asarray(values, np.float64)
    if field.shape != grid.shape:
        raise PlotError(
            f"The field has the shape {field.shape} and the grid {grid.shape}; give one that fits."
        )
    mesh = gv.QuadMesh(
        (grid.lon, grid.lat, field),
        [hv.Dimension("lon", unit="°E"), hv.Dimension("lat", unit="°N")],
        hv.Dimension("value", label=look.title, unit=look.units),
        crs=PLAIN,
    )
    layers: list[Any] = [mesh.opts(**_mesh_options(look, backend), backend=backend)]
    layers.append(
        styled(
            _coast(),
            backend,
            bokeh={"color": _INK, "line_width": 0.7},
            matplotlib={"color": _INK, "linewidth": 0.5},
        )
    )
    if stippled is not None:
        layers.append(_stipples(grid, stippled, backend))
    if vectors is not None:
        layers.append(_arrows(grid, vectors, backend))
    if observations is not None and len(observations):
        layers += _observations(observations, backend)
    frame: dict[str, Any] = {"title": title or look.title, "projection": PROJECTIONS[projection]}
    if backend == "bokeh":
        size = _WIDTH["bokeh"]
        frame |= {"frame_width": size, "data_aspect": 1, "xaxis": None, "yaxis": None}
        frame |= {"active_tools": [], "show_legend": False}
    else:
        frame |= {"fig_inches": _WIDTH["matplotlib"], "global_extent": True, "show_legend": False}
        frame |= {"xaxis": None, "yaxis": None}
    if projection in ("north", "south"):
        frame.pop("global_extent", None)
    return hv.Overlay(layers).collate().opts(hv.opts.Overlay(**frame), backend=backend)


def _mesh_options(look: Look, backend: str) -> dict[str, Any]:
    options: dict[str, Any] = {
        "cmap": look.cmap,
        "clim": look.limits,
        "colorbar": True,
        "clipping_colors": {"NaN": _MISSING},
    }
    if backend == "bokeh":
        # Edges of no colour leave hairs of the paper between the cells; of the cell's own, none.
        options |= {"tools": ["hover"], "line_alpha": 0}
        options |= {"colorbar_opts": {"title": look.units, "height": 200, "width": 10}}
    else:
        options |= {"clabel": look.label, "cbar_extend": "both", "cbar_width": 0.03}
    return options


@lru_cache(maxsize=2)
def _coast(scale: str = "110m") -> gv.Path:
    """Coastlines as one path: rendering takes twice as long with one a piece."""
    lon, lat = coastline(scale)  # type: ignore[arg-type]
    return gv.Path([np.stack([lon, lat], axis=1).astype(np.float64)], ["lon", "lat"], crs=PLAIN)


def _stipples(grid: Grid, where: NDArray[np.bool_], backend: str) -> gv.Points:
    rows, columns = np.nonzero(where)
    # Every second cell of every second row, as papers do: dots of all would hide the colours.
    thin = (rows % 2 == 0) & ((columns + rows // 2) % 2 == 0)
    points = gv.Points((grid.lon[columns[thin]], grid.lat[rows[thin]]), ["lon", "lat"], crs=PLAIN)
    return styled(
        points,
        backend,
        bokeh={"color": _INK, "size": 1.5},
        matplotlib={"color": _INK, "s": 1.5},
    )


def _arrows(grid: Grid, vectors: tuple[Field, Field], backend: str) -> gv.VectorField:
    east, north = (np.asarray(v, np.float64) for v in vectors)
    step = max(1, grid.lat.size // 16), max(1, grid.lon.size // 32)
    here = (slice(step[0] // 2, None, step[0]), slice(step[1] // 2, None, step[1]))
    lon, lat = np.meshgrid(grid.lon, grid.lat)
    u, v = east[here].ravel(), north[here].ravel()
    good = np.isfinite(u) & np.isfinite(v)
    size = np.hypot(u, v)[good]
    arrows = gv.VectorField(
        (lon[here].ravel()[good], lat[here].ravel()[good], np.arctan2(v, u)[good], size),
        ["lon", "lat"],
        ["angle", "magnitude"],
        crs=PLAIN,
    )
    both = {"color": _INK, "magnitude": "magnitude"}
    return styled(arrows, backend, bokeh=both, matplotlib=both)


def _observations(table: pd.DataFrame, backend: str) -> list[gv.Points]:
    withheld = _flags(table, "withheld", default=False)
    used = _flags(table, "used", default=True) & ~withheld
    lat, lon = table["lat"].to_numpy(float), table["lon"].to_numpy(float)
    layers = []
    for outcome, where in (
        ("used", used),
        ("withheld", withheld),
        ("not used", ~used & ~withheld),
    ):
        if where.any():
            colour, marker, sign = _OUTCOMES[outcome]
            points = gv.Points((lon[where], lat[where]), ["lon", "lat"], crs=PLAIN, label=outcome)
            layers.append(
                styled(
                    points,
                    backend,
                    bokeh={
                        "color": colour,
                        "size": 6,
                        "marker": marker,
                        "line_color": "white",
                    },
                    matplotlib={"color": colour, "s": 14, "marker": sign},
                )
            )
    return layers


def _flags(table: pd.DataFrame, name: str, *, default: bool) -> NDArray[np.bool_]:
    if name in table:
        return np.asarray(table[name].to_numpy(bool))
    return np.full(len(table), default)
