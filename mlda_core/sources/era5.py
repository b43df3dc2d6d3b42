"""ERA5 monthly and daily data, as the Copernicus Climate Data Store serves them.

Hersbach et al. 2020, https://doi.org/10.1002/qj.3803. Both netCDF layouts are read: the old one
(``time``, packed integers, a dimension ``expver`` where preliminary months are mixed in) and the
present one (``valid_time``, ``number``, ``expver`` as plain coordinates); so are the long names
of ARCO-ERA5 and earthkit, and cdo's ``lat`` and ``lon``. In the store's monthly means,
accumulations are daily amounts:
https://confluence.ecmwf.int/pages/viewpage.action?pageId=197702790.

The store's daily statistics are made of hourly data by earthkit-transforms, whose call the file's
history holds: the statistic, and by how many hours the days are shifted. There a mean of
accumulations is an amount an hour:
https://confluence.ecmwf.int/display/CKB/ERA5+family+post-processed+daily+statistics+documentation.
"""

from __future__ import annotations

import re

import xarray as xr

from mlda_core.climate.cf import Cell
from mlda_core.climate.time_step import MONTH, TimeStep
from mlda_core.sources import SourceError
from mlda_core.sources.layout import Amount, Known, Layout, says

_KNOWN = (
    Known(("msl", "mean_sea_level_pressure"), "psl"),
    Known(("sst", "sea_surface_temperature"), "tos"),
    Known(("t2m", "2t", "2m_temperature"), "tas"),
    Known(("avg_tprate", "mtpr", "mean_total_precipitation_rate"), "pr"),
    Known(("tp", "total_precipitation"), "pr", amount="day"),
    Known(("z", "geopotential"), "zg500", level=50_000.0),
    Known(("u", "u_component_of_wind"), "ua850", level=85_000.0),
    Known(("v", "v_component_of_wind"), "va850", level=85_000.0),
)
# Names that only ERA5 uses; "sst" and "total_precipitation" occur elsewhere.
_OWN = {"msl", "2t", "t2m", "tp", "mtpr", "avg_tprate", "2m_temperature", "mean_sea_level_pressure"}
_WORDS = ("ecmwf", "ecmf", "european centre for medium", "era5")
# Marks of the store's monthly means: stream "moda", accumulation type "avgad".
_MONTHLY_MEANS = re.compile(r"\bmoda\b|\bavgad\b|monthly[ _-]averaged|monthly[ _-]means")
# Marks of sums and means computed by users from hourly accumulations.
_MADE = re.compile(r"\bmon(mean|avg|sum)\b|\bday(mean|sum)\b|\bresample\b|\bhourly\b")
# The statistic and the shift of days in a daily file's history: the store's, and cdo's.
_DAILY = re.compile(
    r"\bdaily_(?:reduce\(.*?\bhow=[\"']?)?(mean|sum|max|min|std|median)|\bday(mean|avg|sum)\b"
)
_SHIFT = re.compile(r"time_shift\W+hours['\"]?\s*[:=]\s*(-?\d+)")


def _recognises(data: xr.Dataset) -> bool:
    plane = any({lat, lon} <= set(data.dims) for lat, lon in _PLANES)
    names = set(map(str, data.data_vars))
    all_names = {name for known in _KNOWN for name in known.names}
    return plane and bool(names & _OWN or (names & all_names and says(data, *_WORDS)))


_PLANES = (("latitude", "longitude"), ("lat", "lon"))


def amount(known: Known, field: xr.DataArray, data: xr.Dataset, step: TimeStep = MONTH) -> Amount:
    """Return the period over which rain was summed, or '' if the file does not state it.

    Parameters
    ----------
    known : Known
        Its canonical identity.
    field, data : DataArray, Dataset
        The variable and its file.
    step : TimeStep
        Of the file.

    Returns
    -------
    {"", "hour", "day"}
        "day" for the store's monthly means. Hourly data have the same names and units, and their
        averages or sums are amounts an hour or a month; those of its daily statistics are an hour
        or a day.
    """
    if not known.amount:
        return ""
    if step is not MONTH:
        statistic = _statistic(data)
        return "hour" if statistic == "mean" else "day" if statistic == "sum" else ""
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


def _statistic(data: xr.Dataset) -> str:
    """Return the statistic over days that a file's history names, the last if several, or ''."""
    found = _DAILY.findall(str(data.attrs.get("history", "")).lower())
    return next((a or b for a, b in reversed(found)), "").replace("avg", "mean")


def cell(known: Known, field: xr.DataArray, data: xr.Dataset, where: object) -> Cell:
    """Return whether a variable of a daily file is a mean over days or a state.

    Parameters
    ----------
    known : Known
        Its canonical identity.
    field, data : DataArray, Dataset
        The variable and its file.
    where : object
        Name of the file in messages.

    Raises
    ------
    SourceError
        If it is another statistic, of days that do not begin at 00 UTC, or a rate of single hours.
    """
    statistic = _statistic(data)
    if statistic not in {"", "mean"} and not (statistic == "sum" and known.amount):
        raise SourceError(
            f"{where} has the {statistic} of each day in {field.name}, not its mean; give the "
            "file of daily means."
        )
    kind = str(field.attrs.get("GRIB_stepType", ""))
    shift = _SHIFT.search(str(data.attrs.get("history", "")).lower())
    # Of rain, stamped at the end of its hour, the store shifts the days by an hour itself.
    if shift is not None and int(shift[1]) not in ({0, -1} if known.name == "pr" else {0}):
        raise SourceError(
            f"{where} has days shifted by {int(shift[1])} hours from UTC; request them with the "
            "time zone UTC+00:00."
        )
    if known.name == "pr" and not statistic and kind in {"avg", "accum"}:
        raise SourceError(
            f"{where} has {field.name} of single hours, by its GRIB_stepType '{kind}' and without "
            "a word of daily statistics; give daily means or sums."
        )
    return "point" if not statistic and kind == "instant" else "mean"


LAYOUT = Layout(
    key="era5",
    title="ERA5, Copernicus Climate Data Store",
    known=_KNOWN,
    recognises=_recognises,
    merge=merge_expver,
    begins=True,
    words=_WORDS,
    amount=amount,
    cell=cell,
)
