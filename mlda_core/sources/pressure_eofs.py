"""Large-scale sea-level pressure: leading EOFs of NCEP/NCAR Reanalysis 1, with their climatology.

The file holds ``pc`` (time, mode), ``pattern`` (mode, lat, lon) in hPa a unit of pc, and the
monthly ``climatology`` (month, lat, lon) in hPa: pressure is the climatology of the month plus the
sum over modes of pc times pattern. Twenty modes represent the large scale only.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from mlda_core.sources import SourceError
from mlda_core.sources.calendars import months_of
from mlda_core.sources.layout import Known, Layout

KEY, FIELD = "psl-eofs", "large_scale_slp"


def is_eof_file(data: xr.Dataset) -> bool:
    """Whether a file holds components, patterns and a climatology instead of fields."""
    return {"pc", "pattern", "climatology"} <= set(data.data_vars)


def expand(data: xr.Dataset, where: object) -> xr.Dataset:
    """Return the fields reconstructed from components and patterns.

    Parameters
    ----------
    data : Dataset
        Opened with ``decode_times=False``; see :func:`is_eof_file`.
    where : object
        Name of the file in messages.

    Returns
    -------
    Dataset
        ``large_scale_slp`` (time, lat, lon) in the patterns' units.

    Raises
    ------
    SourceError
        If the parts are inconsistent.
    """
    dims = {"pc": ("time", "mode"), "pattern": ("mode", "lat", "lon")}
    dims["climatology"] = ("month", "lat", "lon")
    for name, wanted in dims.items():
        if data[name].dims != wanted:
            raise SourceError(
                f"{where} has {name} on ({', '.join(map(str, data[name].dims))}), not "
                f"({', '.join(wanted)}); give the file as it was made."
            )
    units = data["pattern"].attrs.get("units"), data["climatology"].attrs.get("units")
    if data.sizes["month"] != 12 or units[0] != units[1]:
        raise SourceError(
            f"{where} needs a climatology of 12 months in the units of its patterns "
            f"('{units[0]}'); correct the file."
        )
    calendar = months_of(data, "time", where, begins=KEY).names.astype(np.int64) % 12
    anomaly = data["pc"].astype(np.float32).dot(data["pattern"].astype(np.float32), "mode")
    base = data["climatology"].values[calendar]
    field = (anomaly + base).transpose("time", "lat", "lon")
    return field.assign_attrs(units=units[0]).to_dataset(name=FIELD).assign_attrs(data.attrs)


LAYOUT = Layout(
    key=KEY,
    title="NCEP/NCAR Reanalysis 1, large-scale sea-level pressure (leading EOFs)",
    known=(Known((FIELD,), "psl"),),
    recognises=lambda data: FIELD in data.data_vars,
    begins=True,
)
