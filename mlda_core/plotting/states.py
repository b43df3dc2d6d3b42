"""Whole states as pictures: a row a variable, a column a view of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import holoviews as hv
import numpy as np
from numpy.typing import NDArray

from mlda_core.plotting.look import Kind, PlotError, look_of
from mlda_core.plotting.maps import field_map
from mlda_core.plotting.scatter import scatter

if TYPE_CHECKING:
    from mlda_core.assimilation.analysis import Analysis
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.perturbation.response import Response

State = NDArray[np.floating]
# Hatched on the page, stippled here: the posterior spread is more than this of the climate's.
STIPPLED_ABOVE = 0.8


def state_maps(
    bundle: Bundle,
    columns: Mapping[str, tuple[State, Kind]],
    *,
    stippled: NDArray[np.bool_] | None = None,
    observations: object = None,
    with_scatter: tuple[str, str] | None = None,
    projection: str = "robinson",
    backend: str = "bokeh",
) -> hv.Layout:
    """Draw states side by side.

    Parameters
    ----------
    bundle : Bundle
        Whose variables and grid.
    columns : mapping of str to (ndarray of shape (V, lat, lon), kind)
        By title: display units, and what they are for :func:`mlda_core.plotting.look_of`.
    stippled : ndarray of bool, shape (V, lat, lon), optional
        Cells with a dot in every column that is no spread.
    observations : DataFrame, optional
        Drawn over the first column, each over the map of its variable.
    with_scatter : tuple of str, optional
        Titles of two columns to draw against each other at the end of the row.
    projection, backend : str

    Returns
    -------
    Layout

    Raises
    ------
    PlotError
        If a column does not fit the bundle.
    """
    shape = bundle.mask.shape
    for title, (state, _) in columns.items():
        if np.shape(state) != shape:
            raise PlotError(f"'{title}' has the shape {np.shape(state)}; give one of {shape}.")
    table = observations
    plots = []
    for v, variable in enumerate(bundle.variables):
        for c, (title, (state, kind)) in enumerate(columns.items()):
            look = look_of(variable, kind)
            own = None
            if table is not None and c == 0:
                own = table[table["variable"] == variable.name]  # type: ignore[index]
            plots.append(
                field_map(
                    state[v],
                    bundle.grid,
                    look,
                    projection=projection,
                    observations=own,
                    stippled=None if stippled is None or kind == "spread" else stippled[v],
                    title=f"{title}: {variable.label}",
                    backend=backend,
                )
            )
        if with_scatter is not None:
            x, y = (columns[name][0][v] for name in with_scatter)
            kind = columns[with_scatter[0]][1]
            plots.append(
                scatter(x, y, look_of(variable, kind), labels=with_scatter, backend=backend)
            )
    wide = len(columns) + (with_scatter is not None)
    return hv.Layout(plots).opts(shared_axes=False, backend=backend).cols(wide)


def plot_analysis(
    analysis: Analysis,
    bundle: Bundle,
    *,
    month: str | None = None,
    projection: str = "robinson",
    backend: str = "bokeh",
) -> hv.Layout:
    """Draw an analysis: observations and target if the bundle has the month, analysis, spread.

    Parameters
    ----------
    analysis : Analysis
    bundle : Bundle
        The one that made it.
    month : str, optional
        ``YYYY-MM`` of the bundle, to draw its target beside the analysis, with a scatter.
    projection, backend : str

    Returns
    -------
    Layout
        Stippled where the posterior spread is more than 0.8 of the climatological one.
    """
    columns: dict[str, tuple[State, Kind]] = {}
    if month is not None:
        columns["Target"] = (bundle.target(month), "anomaly")
    columns["Analysis"] = (analysis.anomalies, "anomaly")
    columns["Increment"] = (analysis.increment, "difference")
    columns["Spread"] = (analysis.spread, "spread")
    unknown = analysis.spread > STIPPLED_ABOVE * analysis.climatological_spread
    return state_maps(
        bundle,
        columns,
        stippled=unknown,
        observations=analysis.observations,
        with_scatter=("Target", "Analysis") if month is not None else None,
        projection=projection,
        backend=backend,
    )


def plot_response(
    response: Response, bundle: Bundle, *, projection: str = "robinson", backend: str = "bokeh"
) -> hv.Layout:
    """Draw a response: the analysis without the change, with it, and the difference.

    Parameters
    ----------
    response : Response
    bundle : Bundle
        The one that made it.
    projection, backend : str

    Returns
    -------
    Layout
        Stippled where the response is less than what one month leaves open.
    """
    columns: dict[str, tuple[State, Kind]] = {
        "Control": (response.control, "anomaly"),
        "Perturbed": (response.perturbed, "anomaly"),
        "Response": (response.anomalies, "response"),
    }
    lost = np.abs(response.anomalies) < response.spread
    return state_maps(bundle, columns, stippled=lost, projection=projection, backend=backend)
