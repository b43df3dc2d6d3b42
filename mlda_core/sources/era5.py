"""ERA5 monthly averaged data on single levels, as the Copernicus Climate Data Store serves them.

Hersbach et al. 2020, https://doi.org/10.1002/qj.3803. Both netCDF layouts are read: the old one
(``time``, packed integers, a dimension ``expver`` where preliminary months are mixed in) and the
present one (``valid_time``, ``number``, ``expver`` as plain coordinates); so are the long names
of ARCO-ERA5 and earthkit, and cdo's ``lat`` and ``lon``. In the store's monthly means,
accumulations are daily amounts:
https://confluence.ecmwf.int/pages/viewpage.action?pageId=197702790.
"""

from __future__ import annotations

import re

import xarray as xr

from mlda_core.sources.layout import Amount, Known, Layout, says

_KNOWN = (
    Known(("msl", "mean_sea_level_pressure"), "psl"),
    Known(("sst", "sea_surface_temperature"), "tos"),
    Known(("t2m", "2t", "2m_temperature"), "tas"),
    Known(("avg_tprate", "mtpr", "mean_total_precipitation_rate"), "pr"),
    Known(("tp", "total_precipitation"), "pr", amount="day"),
)
# Names that only ERA5 uses; "sst" and "total_precipitation" occur elsewhere.
_OWN = {"msl", "2t", "t2m", "tp", "mtpr", "avg_tprate", "2m_temperature", "mean_sea_level_pressure"}
_WORDS = ("ecmwf", "ecmf", "european centre for medium", "era5")
# Marks of the store's monthly means: stream "moda", accumulation type "avgad".
_MONTHLY_MEANS = re.compile(r"\bmoda\b|\bavgad\b|monthly[ _-]averaged|monthly[ _-]means")
# Marks of sums and means computed by users from hourly accumulations.
_MADE = re.compile(r"\bmon(mean|avg|sum)\b|\bday(mean|sum)\b|\bresample\b|\bhourly\b")


def _recognises(data: xr.Dataset) -> bool:
    plane = any({lat, lon} <= set(data.dims) for lat, lon in _PLANES)
    names = set(map(str, data.data_vars))
    all_names = {name for known in _KNOWN for name in known.names}
    return plane and bool(names & _OWN or (names & all_names and says(data, *_WORDS)))


_PLANES = (("latitude", "longitude"), ("lat", "lon"))


def amount(known: Known, field: xr.DataArray, data: xr.Dataset) -> Amount:
    """Return the period over which rain was summed, or '' if the file does not state it.

    Parameters
    ----------
    known : Known
        Its canonical identity.
    field, data : DataArray, Dataset
        The variable and its file.

    Returns
    -------
    {"", "day"}
        "day" for the store's monthly means. Hourly data have the same names and units, and their
        averages or sums are amounts an hour or a month.
    """
    if not known.amount:
        return ""
    own = [str(value).lower() for value in field.attrs.values()]
    if _MONTHLY_MEANS.search(" ".join(own + [str(v).lower() for v in data.attrs.values()])):
        return known.amount
    derived = _MADE.search(str(data.attrs.get("history", "")).lower())
    if derived or field.attrs.get("GRIB_stepType") == "accum":
        return ""
    # "tp" is the store's own name; a long name comes from other software.
    return known.amount if field.name == "tp" else ""


def merge_expver(field: xr.DataArray) -> xr.DataArray:
    """Take the final months where available, and the preliminary ones (ERA5T) elsewhere.

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
    known=_KNOWN,
    recognises=_recognises,
    merge=merge_expver,
    begins=True,
    words=_WORDS,
    amount=amount,
)
