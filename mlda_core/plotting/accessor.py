"""``dataset.mlda``: pictures of decoded datasets, by xarray's own way of adding them."""

from __future__ import annotations

import holoviews as hv
import numpy as np
import xarray as xr

from mlda_core.climate.grid import Grid
from mlda_core.climate.variables import DEFAULTS, Variable
from mlda_core.plotting.look import Kind, PlotError, look_of
from mlda_core.plotting.maps import field_map


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
        *,
        time: int | str = 0,
        anomaly: bool | None = None,
        projection: str = "",
        backend: str = "bokeh",
    ) -> hv.Layout:
        """Draw the variables that are known, a map each.

        Parameters
        ----------
        time : int or str
            Position, or ``YYYY-MM``.
        anomaly : bool, optional
            Whether the values are anomalies; what the dataset's ``base_period`` says by default.
        projection, backend : str

        Returns
        -------
        Layout

        Raises
        ------
        PlotError
            If the dataset has none of the known variables, or not that time.
        """
        data = self._dataset
        if "time" in data.dims:
            try:
                data = data.isel(time=time) if isinstance(time, int) else data.sel(time=time)
            except (IndexError, KeyError) as error:
                raise PlotError(
                    f"The dataset has no time {time}; choose one of its own."
                ) from error
            if "time" in data.dims:
                data = data.isel(time=0)
        known = [str(n) for n in data.data_vars if str(n) in DEFAULTS]
        if not known:
            raise PlotError(f"The dataset has none of {', '.join(DEFAULTS)}; draw it by field_map.")
        grid = Grid(data["lat"].to_numpy(), data["lon"].to_numpy())
        plots = []
        for name in known:
            field, variable = data[name], DEFAULTS[name]
            departs = "base_period" in field.attrs if anomaly is None else anomaly
            kind: Kind = "anomaly" if departs else "field"
            values = displayed(field, variable, anomaly=departs)
            look = look_of(variable, kind)
            plots.append(field_map(values, grid, look, projection=projection, backend=backend))
        return hv.Layout(plots).opts(shared_axes=False, backend=backend).cols(2)


def displayed(field: xr.DataArray, variable: Variable, *, anomaly: bool) -> np.ndarray:
    """Return a field of canonical units in display units, (lat, lon).

    Raises
    ------
    PlotError
        If it says other units.
    """
    units = str(field.attrs.get("units", variable.units))
    if units != variable.units:
        raise PlotError(
            f"{field.name} is in '{units}' and not in {variable.units}; convert it first."
        )
    values = field.transpose("lat", "lon").to_numpy().astype(np.float64) * variable.scale
    return values if anomaly else values + variable.offset
