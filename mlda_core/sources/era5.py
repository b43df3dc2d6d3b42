"""ERA5 monthly averaged data on single levels, as the Copernicus Climate Data Store serves them.

Hersbach et al. 2020, https://doi.org/10.1002/qj.3803. Both netCDF layouts are read: the old one
(``time``, packed integers, a dimension ``expver`` where preliminary months are mixed in) and that
of the present store (``valid_time``, ``number``, ``expver`` as plain coordinates). In monthly means
the store's accumulations are amounts a day:
https://confluence.ecmwf.int/pages/viewpage.action?pageId=197702790.
"""

from __future__ import annotations

import xarray as xr

from mlda_core.sources.layout import Known, Layout, says

_NAMES = {"msl", "t2m", "tp", "mtpr", "avg_tprate"}


def _recognises(data: xr.Dataset) -> bool:
    dims = {"latitude", "longitude"} <= set(data.dims)
    names = set(data.data_vars)
    return dims and bool(names & _NAMES or ("sst" in names and says(data, "ecmwf", "ecmf")))


def merge_expver(field: xr.DataArray) -> xr.DataArray:
    """Take the final months where they are, and the preliminary ones (ERA5T) elsewhere.

    Parameters
    ----------
    field : DataArray
        With a dimension ``expver`` (1 final, 5 preliminary) or without.
    """
    if "expver" not in field.dims:
        return field
    merged = field.isel(expver=0, drop=True)
    for version in range(1, field.sizes["expver"]):
        merged = merged.combine_first(field.isel(expver=version, drop=True))
    return merged.transpose(*(d for d in field.dims if d != "expver"))


LAYOUT = Layout(
    key="era5",
    title="ERA5 monthly averaged data on single levels",
    known=(
        Known(("msl",), "psl"),
        Known(("sst",), "tos"),
        Known(("t2m",), "tas"),
        Known(("avg_tprate", "mtpr"), "pr"),
        Known(("tp",), "pr", amount="day"),
    ),
    recognises=_recognises,
    merge=merge_expver,
)
