"""Whole states as pictures: a row a variable, a column a view of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import holoviews as hv
import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.scales import Kind, written_units
from mlda_core.plotting.layout import arrange
from mlda_core.plotting.look import Look, PlotError, look_of
from mlda_core.plotting.maps import field_map, map_ratio
from mlda_core.plotting.projections import frame_of
from mlda_core.plotting.scatter import scatter

if TYPE_CHECKING:
    import pandas as pd

    from mlda_core.assimilation.analysis import Analysis
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.perturbation.response import Response

State = NDArray[np.floating]
Stipples = Mapping[str, NDArray[np.bool_]]
# A posterior spread above this share of the climate's says that little is known.
STIPPLED_ABOVE = 0.8


def state_maps(  # noqa: PLR0913 - what may be drawn, by name
    bundle: Bundle,
    columns: Mapping[str, tuple[State, Kind | Sequence[Look]]],
    *,
    variables: Sequence[str] = (),
    stippled: Stipples | None = None,
    observations: pd.DataFrame | None = None,
    arrows: bool = True,
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
    columns : mapping of str to (ndarray of shape (V, lat, lon), kind or looks)
        By title: display units, and what they are for :func:`mlda_core.plotting.look_of`, or a look
        of each of the bundle's variables, with the title of its map.
    variables : sequence of str
        Names of those to draw; all of the bundle by default.
    stippled : mapping of str to ndarray of bool, shape (V, lat, lon), optional
        Cells with a dot, by the title of their column.
    observations : DataFrame, optional
        Drawn over the first column, each over the map of its variable.
    arrows : bool
        Whether to draw vectors.
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
        If a column does not fit the bundle, one of the scatter is not there, or the bundle lacks a
        variable.
    """
    _check(bundle, columns, variables, with_scatter or ())
    first = next(iter(columns))
    looks = {title: _looks(bundle, what) for title, (_, what) in columns.items()}
    scales = _vector_scales(bundle, columns, looks) if arrows and bundle.vectors else {}
    plots = []
    for v, variable in enumerate(bundle.variables):
        if variables and variable.name not in variables:
            continue
        for title, (state, what) in columns.items():
            over: dict[str, Any] = {}
            if observations is not None and title == first:
                over["observations"] = observations[observations["variable"] == variable.name]
            if stippled is not None and title in stippled:
                over["stippled"] = stippled[title][v]
            if title in scales:
                over |= _vectors(bundle, state, variable.name, scales[title])
            look = looks[title][v]
            plots.append(
                field_map(
                    state[v],
                    bundle.grid,
                    look,
                    projection=projection,
                    title=f"{title}: {variable.label}" if isinstance(what, str) else look.title,
                    backend=backend,
                    **over,
                )
            )
        if with_scatter is not None:
            x, y = (columns[name][0][v] for name in with_scatter)
            look = looks[with_scatter[0]][v]
            plots.append(
                scatter(x, y, look, labels=with_scatter, title=variable.label, backend=backend)
            )
    ratios = [map_ratio(frame_of(projection, bundle.grid))] * len(columns)
    # A scatter has words below and beside it, a map has none.
    below = 0.35 if with_scatter is not None else 0.0
    if observations is not None:
        below = max(below, 0.2)
    return arrange(plots, ratios + [1.0] * (with_scatter is not None), backend, below=below)


def _check(
    bundle: Bundle,
    columns: Mapping[str, tuple[State, Kind | Sequence[Look]]],
    variables: Sequence[str],
    compared: Sequence[str],
) -> None:
    """Refuse what does not fit, or is not there."""
    shape = bundle.mask.shape
    for title, (state, _) in columns.items():
        if np.shape(state) != shape:
            raise PlotError(f"'{title}' has the shape {np.shape(state)}; give one of {shape}.")
    for title in compared:
        if title not in columns:
            raise PlotError(
                f"There is no column '{title}' for the scatter; use two of {', '.join(columns)}."
            )
    names = [variable.name for variable in bundle.variables]
    for name in variables:
        if name not in names:
            raise PlotError(f"The bundle has no variable '{name}'; use some of {', '.join(names)}.")


def _looks(bundle: Bundle, what: Kind | Sequence[Look]) -> list[Look]:
    """Return the look of each of the bundle's variables in a column."""
    if isinstance(what, str):
        return [look_of(variable, what) for variable in bundle.variables]
    if len(what) != len(bundle.variables):
        raise PlotError(
            f"A column has {len(what)} looks and the bundle {len(bundle.variables)} variables; "
            "give one of each."
        )
    return list(what)


def _vector_scales(
    bundle: Bundle,
    columns: Mapping[str, tuple[State, Kind | Sequence[Look]]],
    looks: Mapping[str, list[Look]],
) -> dict[str, float]:
    """Return the size of the longest arrow of each column: arrows compare as colours do.

    Columns of one kind, or with one scale of colours, have the longest of all of them; a column
    whose values have no sign has no arrows.
    """
    parts = _components(bundle)
    longest: dict[Any, float] = {}
    alike: dict[str, Any] = {}
    for title, (state, what) in columns.items():
        if looks[title][parts[0]].limits[0] >= 0:
            continue
        key = what if isinstance(what, str) else looks[title][parts[0]].limits
        alike[title] = key
        east, north = (state[i] for i in parts)
        size = float(np.nanmax(np.hypot(east, north), initial=0.0))
        longest[key] = max(longest.get(key, 0.0), size)
    return {title: longest[key] for title, key in alike.items()}


def _vectors(bundle: Bundle, state: State, name: str, scale: float) -> dict[str, Any]:
    """Return the arrows of the bundle's first vector, where the variable is none of a vector's."""
    if any(name in pair for pair in bundle.vectors):
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
    columns: dict[str, tuple[State, Kind | Sequence[Look]]] = {}
    if known:
        columns["Target"] = (bundle.target(analysis.dated), "anomaly")
    else:
        columns["Background"] = (analysis.background, "anomaly")
    columns["Analysis"] = (analysis.anomalies, "anomaly")
    columns["Increment"] = (analysis.increment, "difference")
    columns["Spread"] = (analysis.spread, "spread")
    little_known = analysis.spread > stippled_above * analysis.climatological_spread
    return state_maps(
        bundle,
        columns,
        stippled={"Analysis": little_known, "Increment": little_known},
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
    columns: dict[str, tuple[State, Kind | Sequence[Look]]] = {
        "Control": (response.control, "anomaly"),
        "Perturbed": (response.perturbed, "anomaly"),
        "Response": (response.anomalies, "response"),
    }
    return state_maps(
        response.bundle,
        columns,
        stippled={"Response": np.abs(response.anomalies) < response.spread},
        projection=projection,
        backend=backend,
    )
