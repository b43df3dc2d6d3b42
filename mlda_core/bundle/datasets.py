"""States of a bundle as CF datasets: those that are given, checked, and those that are returned."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mlda_core.climate.cf import coordinates
from mlda_core.climate.errors import StateError
from mlda_core.climate.grid import Grid
from mlda_core.climate.seasons import Seasons
from mlda_core.climate.time_step import MONTH, TimeStep
from mlda_core.climate.variables import Variable

Float = NDArray[np.float32]


def dataset_of(
    fields: Float,
    months: list[str],
    variables: Sequence[Variable],
    grid: Grid,
    *,
    source: str,
    base_period: str = "",
    step: TimeStep = MONTH,
) -> xr.Dataset:
    """Return fields in display units as a dataset with CF names and units.

    Parameters
    ----------
    fields : ndarray, shape (n, V, lat, lon)
        Full fields, or anomalies.
    months : list of str
        ``YYYY-MM`` or ``YYYY-MM-DD`` of each.
    variables : sequence of Variable
    grid : Grid
    source : str
        The attribute of the file.
    base_period : str
        Of anomalies, which it says that they are.
    step : TimeStep
        Whether these are months or days.

    Returns
    -------
    Dataset
        Dimensions (time, lat, lon).
    """
    anomaly = bool(base_period)
    out = xr.Dataset(
        coords=coordinates(grid, months, step),
        attrs={"Conventions": "CF-1.11", "source": source},
    )
    for i, v in enumerate(variables):
        values = (fields[:, i] - (0.0 if anomaly else v.offset)) / v.scale
        kind = " anomaly" if anomaly else ""
        attrs = {
            "units": v.units,
            "long_name": f"{v.label}{kind}",
            "cell_methods": "time: mean",
            **({} if anomaly else {"standard_name": v.standard_name}),
            **({"base_period": base_period} if anomaly else {}),
        }
        out[v.name] = (("time", "lat", "lon"), values.astype(np.float32), attrs)
    return out


def add_fields(
    data: xr.Dataset,
    ending: str,
    fields: NDArray[np.floating],
    variables: Sequence[Variable],
    words: str,
    *,
    units: Sequence[str] = (),
    standard_name: str = "",
    **attrs: str,
) -> None:
    """Add fields to a dataset of one time, a variable each.

    Parameters
    ----------
    data : Dataset
        With the coordinates of :func:`mlda_core.climate.cf.coordinates`.
    ending : str
        Of the names: ``psl`` becomes ``psl_ending``, and stays where it is ''.
    fields : ndarray, shape (V, lat, lon)
        Display units; differences and anomalies, not full values.
    variables : sequence of Variable
    words : str
        What they are, after the variable's label.
    units : sequence of str, optional
        Of each variable; the values then stay as they are.
    standard_name : str
        What follows a variable's own in it, such as ``standard_error``; none where it is ''.
    **attrs : str
        More attributes of each.
    """
    for i, v in enumerate(variables):
        about = {"units": units[i] if units else v.units, "long_name": f"{v.label}, {words}"}
        if standard_name:
            about["standard_name"] = f"{v.standard_name} {standard_name}"
        values = np.asarray(fields[i] if units else fields[i] / v.scale, np.float32)
        name = f"{v.name}_{ending}" if ending else v.name
        data[name] = (("time", "lat", "lon"), values[None], {**about, **attrs})


def checked_state(state: xr.Dataset, variables: Sequence[Variable], grid: Grid) -> xr.Dataset:
    """Return a state's variables with dimensions (time, lat, lon), checked.

    Parameters
    ----------
    state : Dataset
        As for :meth:`mlda_core.bundle.bundle.Bundle.encode`.
    variables : sequence of Variable
    grid : Grid
        Those of the bundle.

    Returns
    -------
    Dataset

    Raises
    ------
    StateError
        If a variable is missing or has other dimensions or units, or the grid differs.
    """
    if "time" not in state.coords:
        raise StateError("The state has no time coordinate; add one, to tell the month.")
    for axis, name in (("lat", "latitude"), ("lon", "longitude")):
        if axis not in state.coords:
            raise StateError(
                f"The state has no coordinate '{axis}'; rename its {name} to '{axis}'."
            )
    if "time" not in state.dims and state["time"].ndim == 0:
        state = state.expand_dims("time")
    for v in variables:
        if v.name not in state:
            raise StateError(f"The state has no variable '{v.name}'; add it ({v.units}).")
        dims = state[v.name].dims
        extra = [str(d) for d in dims if d not in {"time", "lat", "lon"}]
        if extra:
            raise StateError(
                f"The state has {v.name} with a dimension '{extra[0]}'; choose one of it "
                f"first, such as state.isel({extra[0]}=0)."
            )
        if len(dims) != 3:
            raise StateError(
                f"The state has {v.name} on ({', '.join(map(str, dims))}); give it on (time, "
                "lat, lon)."
            )
        units = state[v.name].attrs.get("units")
        if units is not None and str(units).split() != v.units.split():
            raise StateError(f"The state has {v.name} in '{units}', not '{v.units}'; convert it.")
    if not (
        state["lat"].shape == grid.lat.shape
        and state["lon"].shape == grid.lon.shape
        and np.allclose(state["lat"], grid.lat, atol=1e-3)
        and np.allclose(state["lon"], grid.lon, atol=1e-3)
    ):
        raise StateError(
            f"The state is not on the bundle's grid of {grid.shape[0]} x "
            f"{grid.shape[1]} cells; regrid it first."
        )
    names = [v.name for v in variables]
    return state[names].transpose("time", "lat", "lon")


def seasons_of_dates(time: xr.DataArray, seasons: Seasons) -> NDArray[np.int64]:
    """Return the seasons of a time coordinate in any calendar.

    Raises
    ------
    StateError
        If it does not hold dates, or lacks one.
    """
    try:
        months = np.asarray(time.dt.month.values, dtype=np.float64)
        days = np.asarray(time.dt.day.values, dtype=np.float64)
    except (AttributeError, TypeError):
        raise StateError(
            "The state's time coordinate does not hold dates; decode it, such as with "
            "xarray.decode_cf."
        ) from None
    if not np.isfinite(months).all():
        raise StateError("The state's time coordinate lacks a date; fill it in.")
    return seasons.of_dates(months.astype(np.int64), days.astype(np.int64))
