"""``dataset.mlda``: pictures of decoded datasets, by xarray's own way of adding them."""

from __future__ import annotations

from collections.abc import Sequence

import holoviews as hv
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mlda_core.climate.grid import Grid
from mlda_core.climate.scales import Kind, round_end, written_units
from mlda_core.climate.variables import DEFAULTS, Variable
from mlda_core.plotting.layout import arrange
from mlda_core.plotting.look import SPREAD_CMAP, Look, PlotError, look_of
from mlda_core.plotting.maps import field_map, map_ratio
from mlda_core.plotting.projections import frame_of

# What the datasets of an analysis and of a response hold beside the fields.
_KINDS: dict[str, Kind] = {
    "_anomaly": "anomaly",
    "_background": "anomaly",
    "_latent": "anomaly",
    "_spread": "spread",
    "_control": "anomaly",
    "_perturbed": "anomaly",
    "_response": "response",
}
_DIMENSIONS = {"lat", "lon"}


@xr.register_dataset_accessor("mlda")
class DatasetPlots:
    """Pictures of a dataset with CF names and units, such as ``Bundle.decode`` returns.

    Parameters
    ----------
    dataset : Dataset
        Dimensions (time, lat, lon) or (lat, lon).
    """

    def __init__(self, dataset: xr.Dataset) -> None:
        self._dataset = dataset

    def plot(
        self,
        names: Sequence[str] = (),
        *,
        time: int | str = 0,
        variables: Sequence[Variable] = (),
        projection: str = "",
        backend: str = "bokeh",
    ) -> hv.Layout:
        """Draw a map of each variable, two in a row.

        Parameters
        ----------
        names : sequence of str
            Which variables; all that are maps by default.
        time : int or str
            Position, or ``YYYY-MM``.
        variables : sequence of Variable
            Their units, colours and limits, such as ``bundle.variables``. A variable that is
            neither here nor one of :data:`mlda_core.climate.variables.DEFAULTS` is drawn in its own
            units, by limits that hold 98 % of its values.
        projection : str
            One of :data:`PROJECTIONS`; by default what suits the grid.
        backend : {"bokeh", "matplotlib"}

        Returns
        -------
        Layout

        Raises
        ------
        PlotError
            If the dataset has no map, or not that variable or time.
        """
        data = _at(self._dataset, time)
        if not set(data.coords) >= _DIMENSIONS:
            raise PlotError("The dataset has no coordinates 'lat' and 'lon'; rename its own.")
        maps = [str(n) for n, field in data.data_vars.items() if set(field.dims) == _DIMENSIONS]
        for name in names:
            if name not in maps:
                raise PlotError(
                    f"The dataset has no map '{name}'; it has {', '.join(maps) or 'none'}."
                )
        chosen = list(names) or maps
        if not chosen:
            raise PlotError("The dataset has no variable of latitude and longitude to draw.")
        data = data.sortby(["lat", "lon"])
        try:
            grid = Grid(data["lat"].to_numpy(), data["lon"].to_numpy())
        except ValueError as error:
            raise PlotError(str(error)) from error
        known = DEFAULTS | {v.name: v for v in variables}
        plots = []
        for name in chosen:
            field, look = displayed(data[name], known)
            plots.append(field_map(field, grid, look, projection=projection, backend=backend))
        ratio = map_ratio(frame_of(projection, grid))
        return arrange(plots, [ratio] * 2, backend)


def _at(data: xr.Dataset, time: int | str) -> xr.Dataset:
    """Return one time of a dataset, or the dataset itself if it has none."""
    if "time" not in data.dims:
        return data
    try:
        found = data.isel(time=time) if isinstance(time, int) else data.sel(time=time)
    except (IndexError, KeyError, ValueError) as error:
        raise PlotError(
            f"The dataset has no time {time}; give a position below {data.sizes['time']}, or one "
            "of its months as YYYY-MM."
        ) from error
    if "time" not in found.dims:
        return found
    if found.sizes["time"] != 1:
        raise PlotError(
            f"The dataset has {found.sizes['time']} times in {time}; give one month as YYYY-MM, or "
            "a position."
        )
    return found.isel(time=0)


def displayed(field: xr.DataArray, known: dict[str, Variable]) -> tuple[NDArray[np.float64], Look]:
    """Return a field (lat, lon) as it is shown, and its look.

    Parameters
    ----------
    field : DataArray, shape (lat, lon)
        Canonical units of its variable if it is known, or any.
    known : dict of Variable
        By name.
    """
    values = field.transpose("lat", "lon").to_numpy().astype(np.float64)
    name, kind = str(field.name), _kind_of(field)
    for ending in _KINDS:
        name = name.removesuffix(ending)
    variable = known.get(name)
    units = str(field.attrs.get("units", ""))
    title = str(field.attrs.get("long_name", field.name))
    if variable is not None and units == variable.units:
        look = look_of(variable, kind)
        offset = variable.offset if kind == "field" else 0.0
        return values * variable.scale + offset, Look(title, look.units, look.cmap, look.limits)
    return values, _plain_look(values, title, written_units(units), kind)


def _kind_of(field: xr.DataArray) -> Kind:
    for ending, kind in _KINDS.items():
        if str(field.name).endswith(ending):
            return kind
    # Bundle.decode(..., anomalies=True) keeps the names.
    return "anomaly" if "base_period" in field.attrs else "field"


def _plain_look(values: NDArray[np.float64], title: str, units: str, kind: Kind) -> Look:
    good = values[np.isfinite(values)]
    low, high = np.percentile(good, [1.0, 99.0]) if good.size else (0.0, 1.0)
    if kind == "spread":
        return Look(title, units, SPREAD_CMAP, (0.0, round_end(float(high))))
    if kind != "field" or low < 0 < high:
        end = round_end(float(max(-low, high)))
        return Look(title, units, "RdBu_r", (-end, end))
    if not low < high:
        low, high = low - 0.5, low + 0.5
    return Look(title, units, "viridis", (float(low), float(high)))
