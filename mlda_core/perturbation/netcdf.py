"""Write responses to SST changes of many months to one netCDF file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import netCDF4
import numpy as np
import xarray as xr

from mlda_core.assimilation import netcdf as analyses
from mlda_core.climate.cf import mid_month
from mlda_core.perturbation.response import HELD

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.perturbation.sst_patches import Patch

_TIMES = "days since 1850-01-01"


def provenance(
    bundle: Bundle, patches: Sequence[Patch], settings: Mapping[str, Any]
) -> dict[str, str]:
    """Return the attributes from which a file's responses can be reproduced.

    Parameters
    ----------
    bundle : Bundle
    patches : sequence of Patch
        The change of the sea.
    settings : mapping
        What else the response depends on, ``held`` among it; JSON-serialisable.
    """
    held = HELD[settings["held"]]
    options = {"sst": [patch.to_dict() for patch in patches], **settings}
    return analyses.provenance(bundle, options) | {
        "title": f"Response to {label_of(patches)} by {bundle.title}",
        "held": f"{held.label}. {held.question}",
        "comment": (
            "The response is A(y + d) - A(y): A assimilates one and the same network without and "
            "with the change of the sea d. Anomalies are from the monthly climatology of the "
            f"bundle's base period ({bundle.base_period})."
        ),
    }


def label_of(patches: Sequence[Patch]) -> str:
    """Return a change of the sea in words."""
    return " + ".join(patch.label for patch in patches) or "no change of the sea"


@contextmanager
def writing(
    path: Path, months: Sequence[str], about: Mapping[str, str]
) -> Iterator[Callable[[xr.Dataset], None]]:
    """Write a file of responses; months may be added in any order.

    Parameters
    ----------
    path : Path
        Replaced once complete.
    months : sequence of str
        All months to be written, ``YYYY-MM``, ascending.
    about : mapping
        Global attributes.

    Yields
    ------
    callable
        Adds one month, from ``Response.to_dataset()``.
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
            # Chunks of one month, the usual unit of writing and reading.
            options = {
                "compression": "zlib",
                "shuffle": True,
                "fill_value": np.float32(np.nan),
                "chunksizes": (1, *field.shape[1:]),
            }
        made = file.createVariable(str(key), field.dtype, tuple(map(str, field.dims)), **options)
        made.setncatts(field.attrs)
