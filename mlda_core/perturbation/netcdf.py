"""Responses to a changed sea as CF datasets, and many months of them in one netCDF file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import netCDF4
import numpy as np
import xarray as xr

from mlda_core.climate.cf import coordinates, mid_month

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.perturbation.response import Response

_TIMES = "days since 1850-01-01"
_DIMS = ("time", "lat", "lon")


def to_dataset(response: Response, bundle: Bundle, *, per_kelvin: bool = False) -> xr.Dataset:
    """Return a response with CF names and units.

    Parameters
    ----------
    response : Response
    bundle : Bundle
        The one that made it.
    per_kelvin : bool
        Whether to divide the response by the mean change of the sea.

    Returns
    -------
    Dataset
        Dimensions (time, lat, lon), one time, CF units. For each variable ``_response``,
        ``_control`` and ``_perturbed`` (anomalies of the two analyses) and ``_spread`` (posterior
        standard deviation of a single month); ``sst_change``; ``mean_sst_change`` where it is full.

    Raises
    ------
    PerturbationError
        If a response per kelvin has no meaning.
    """
    out = xr.Dataset(
        coords=coordinates(bundle.grid, [response.month]),
        attrs={"Conventions": "CF-1.11", "source": f"mlda bundle {bundle.name}"},
    )
    answer = response.per_kelvin() if per_kelvin else response.anomalies
    base = {"base_period": bundle.base_period}
    for i, v in enumerate(bundle.variables):
        units = f"{v.units} K-1" if per_kelvin else v.units
        each = " per kelvin" if per_kelvin else ""
        for name, field, unit, words, more in (
            ("response", answer, units, f"response to the change of the sea{each}", {}),
            ("control", response.control, v.units, "anomaly of the analysis without it", base),
            ("perturbed", response.perturbed, v.units, "anomaly of the analysis with it", base),
            ("spread", response.spread, v.units, "posterior standard deviation of a month", {}),
        ):
            attrs = {"units": unit, "long_name": f"{v.label}, {words}", **more}
            # CF: a difference or a derivative is no quantity of the variable's own standard name.
            if name == "spread":
                attrs["standard_name"] = f"{v.standard_name} standard_error"
            values = np.asarray(field[i] / v.scale, np.float32)
            out[f"{v.name}_{name}"] = (_DIMS, values[None], attrs)
    sea = bundle.mask[bundle.sea_row]
    change = np.where(sea, response.change, np.nan).astype(np.float32)
    words = "change of sea surface temperature"
    out["sst_change"] = (_DIMS, change[None], {"units": "K", "long_name": words})
    out["mean_sst_change"] = (
        "time",
        np.array([response.mean_change]),
        {"units": "K", "long_name": f"{words}, area mean where it is more than half of its most"},
    )
    return out


@contextmanager
def writing(
    path: Path, months: Sequence[str], about: Mapping[str, str]
) -> Iterator[Callable[[xr.Dataset], None]]:
    """Write a file of responses; months may come in any order.

    Parameters
    ----------
    path : Path
        Replaced once all is written.
    months : sequence of str
        ``YYYY-MM``, ascending: all that will come.
    about : mapping
        Global attributes.

    Yields
    ------
    callable
        Adds one month, of :func:`to_dataset`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    row = {month: i for i, month in enumerate(months)}
    try:
        with netCDF4.Dataset(part, "w") as file:
            file.setncatts(about)

            def add(data: xr.Dataset) -> None:
                if not file.dimensions:
                    _define(file, data, months)
                at = row[str(data["time"].values[0])[:7]]
                for name, values in data.data_vars.items():
                    file[str(name)][at] = values.values[0]

            yield add
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _define(file: netCDF4.Dataset, data: xr.Dataset, months: Sequence[str]) -> None:
    days = (mid_month(months) - np.datetime64("1850-01-01")) / np.timedelta64(1, "D")
    for name, values in (("time", days), ("lat", data["lat"].values), ("lon", data["lon"].values)):
        file.createDimension(name, len(values))
        axis = file.createVariable(name, "f8", (name,))
        axis.setncatts(data[name].attrs)
        axis[:] = values
    file["time"].setncatts({"units": _TIMES, "calendar": "standard"})
    for key, field in data.data_vars.items():
        options: dict[str, Any] = {}
        if field.ndim == 3:
            # A month is written, and mostly read, at a time.
            options = {
                "compression": "zlib",
                "shuffle": True,
                "fill_value": np.float32(np.nan),
                "chunksizes": (1, *field.shape[1:]),
            }
        made = file.createVariable(str(key), field.dtype, tuple(map(str, field.dims)), **options)
        made.setncatts(field.attrs)
