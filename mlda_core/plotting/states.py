"""Whole states as pictures: a row a variable, a column a view of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import holoviews as hv
import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.scales import Kind, written_units
from mlda_core.plotting.layout import arrange
from mlda_core.plotting.look import PlotError, look_of
from mlda_core.plotting.maps import field_map, map_ratio
from mlda_core.plotting.projections import frame_of
from mlda_core.plotting.scatter import scatter

if TYPE_CHECKING:
    import pandas as pd

    from mlda_core.assimilation.analysis import Analysis
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.perturbation.response import Response

State = NDArray[np.floating]
# A posterior spread above this share of the climate's says that little is known.
STIPPLED_ABOVE = 0.8


def state_maps(
    bundle: Bundle,
    columns: Mapping[str, tuple[State, Kind]],
    *,
    stippled: NDArray[np.bool_] | None = None,
    stippled_columns: Sequence[str] = (),
    observations: pd.DataFrame | None = None,
    with_scatter: tuple[str, str] | None = None,
    projection: str = "",
    backend: str = "bokeh",
) -> hv.Layout:
    """Draw states side by side.

    The maps of a row have one scale, but for spreads. Where the bundle has vectors, such as a wind,
    they are arrows over the maps of the other variables.

    Parameters
    ----------
    bundle : Bundle
        Whose variables and grid.
    columns : mapping of str to (ndarray of shape (V, lat, lon), kind)
        By title: display units, and what they are for :func:`mlda_core.plotting.look_of`.
    stippled : ndarray of bool, shape (V, lat, lon), optional
        Cells with a dot, in the columns of ``stippled_columns``.
    stippled_columns : sequence of str
        Titles.
    observations : DataFrame, optional
        Drawn over the first column, each over the map of its variable.
    with_scatter : tuple of str, optional
        Titles of two columns to draw against each other at the end of the row.
    projection : str
        One of :data:`PROJECTIONS`; by default what suits the grid.
    backend : {"bokeh", "matplotlib"}

    Returns
    -------
    Layout

    Raises
    ------
    PlotError
        If a column does not fit the bundle, or one of the scatter is not there.
    """
    shape = bundle.mask.shape
    for title, (state, _) in columns.items():
        if np.shape(state) != shape:
            raise PlotError(f"'{title}' has the shape {np.shape(state)}; give one of {shape}.")
    for title in with_scatter or ():
        if title not in columns:
            raise PlotError(
                f"There is no column '{title}' for the scatter; use two of {', '.join(columns)}."
            )
    first = next(iter(columns))
    scales = _vector_scales(bundle, columns)
    plots = []
    for v, variable in enumerate(bundle.variables):
        for title, (state, kind) in columns.items():
            over: dict[str, Any] = {}
            if observations is not None and title == first:
                over["observations"] = observations[observations["variable"] == variable.name]
            if stippled is not None and title in stippled_columns:
                over["stippled"] = stippled[v]
            if kind != "spread":
                over |= _vectors(bundle, state, variable.name, scales[kind])
            plots.append(
                field_map(
                    state[v],
                    bundle.grid,
                    look_of(variable, kind),
                    projection=projection,
                    title=f"{title}: {variable.label}",
                    backend=backend,
                    **over,
                )
            )
        if with_scatter is not None:
            x, y = (columns[name][0][v] for name in with_scatter)
            look = look_of(variable, columns[with_scatter[0]][1])
            plots.append(
                scatter(x, y, look, labels=with_scatter, title=variable.label, backend=backend)
            )
    ratios = [map_ratio(frame_of(projection, bundle.grid))] * len(columns)
    # A scatter has words below and beside it, a map has none.
    below = 0.35 if with_scatter is not None else 0.0
    if observations is not None:
        below = max(below, 0.2)
    return arrange(plots, ratios + [1.0] * (with_scatter is not None), backend, below=below)


def _vector_scales(bundle: Bundle, columns: Mapping[str, tuple[State, Kind]]) -> dict[Kind, float]:
    """Return the size of the longest arrow of each kind of column: arrows compare as colours do."""
    scales: dict[Kind, float] = {kind: 0.0 for _, kind in columns.values()}
    if bundle.vectors:
        for state, kind in columns.values():
            east, north = (state[i] for i in _components(bundle))
            scales[kind] = max(scales[kind], float(np.nanmax(np.hypot(east, north), initial=0.0)))
    return scales


def _vectors(bundle: Bundle, state: State, name: str, scale: float) -> dict[str, Any]:
    """Return the arrows of the bundle's first vector, where the variable is none of a vector's."""
    if not bundle.vectors or any(name in pair for pair in bundle.vectors):
        return {}
    east, north = _components(bundle)
    return {
        "vectors": (state[east], state[north]),
        "vector_units": written_units(bundle.variables[east].anomaly_units),
        "vector_scale": scale,
    }


def _components(bundle: Bundle) -> tuple[int, int]:
    """Return the rows of the bundle's first vector."""
    rows = {v.name: i for i, v in enumerate(bundle.variables)}
    east, north = bundle.vectors[0]
    return rows[east], rows[north]


def plot_analysis(
    analysis: Analysis,
    *,
    target: bool = True,
    stippled_above: float = STIPPLED_ABOVE,
    projection: str = "",
    backend: str = "bokeh",
) -> hv.Layout:
    """Draw an analysis: target or background with the observations, analysis, increment, spread.

    Parameters
    ----------
    analysis : Analysis
    target : bool
        Whether to draw the bundle's own fields of the month, where it has them, instead of the
        background, and a scatter of the analysis against them.
    stippled_above : float
        Analysis and increment are stippled where the posterior spread is more than this share of
        the climatological one.
    projection : str
        One of :data:`PROJECTIONS`; by default what suits the grid.
    backend : {"bokeh", "matplotlib"}

    Returns
    -------
    Layout
    """
    bundle = analysis.bundle
    known = target and analysis.dated in bundle.months
    columns: dict[str, tuple[State, Kind]] = {}
    if known:
        columns["Target"] = (bundle.target(analysis.dated), "anomaly")
    else:
        columns["Background"] = (analysis.background, "anomaly")
    columns["Analysis"] = (analysis.anomalies, "anomaly")
    columns["Increment"] = (analysis.increment, "difference")
    columns["Spread"] = (analysis.spread, "spread")
    return state_maps(
        bundle,
        columns,
        stippled=analysis.spread > stippled_above * analysis.climatological_spread,
        stippled_columns=("Analysis", "Increment"),
        observations=analysis.observations,
        with_scatter=("Target", "Analysis") if known else None,
        projection=projection,
        backend=backend,
    )


def plot_response(response: Response, *, projection: str = "", backend: str = "bokeh") -> hv.Layout:
    """Draw a response: the analysis without the change, with it, and the difference.

    Parameters
    ----------
    response : Response
    projection : str
        One of :data:`PROJECTIONS`; by default what suits the grid.
    backend : {"bokeh", "matplotlib"}

    Returns
    -------
    Layout
        The response is stippled where it is less than what one month leaves open.
    """
    columns: dict[str, tuple[State, Kind]] = {
        "Control": (response.control, "anomaly"),
        "Perturbed": (response.perturbed, "anomaly"),
        "Response": (response.anomalies, "response"),
    }
    return state_maps(
        response.bundle,
        columns,
        stippled=np.abs(response.anomalies) < response.spread,
        stippled_columns=("Response",),
        projection=projection,
        backend=backend,
    )
