"""Small gridded files of a year, and the sentence with which they are refused."""

import netCDF4
import numpy as np
import pytest

from mlda_core.sources import SourceError
from mlda_core.sources.prepare import read_files

GLOBE = np.arange(-85, 86, 10.0), np.arange(0, 360, 15.0)
SAHARA = np.arange(18.0, 29, 2.0), np.arange(0.0, 25, 2.5)
DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
FROM_1951 = {"title": "GISTEMP Surface Temperature Analysis"}


def write(
    path,
    name,
    values,
    *,
    units,
    where=GLOBE,
    calendar="standard",
    dtype="f4",
    fill=None,
    attrs=None,
    title="NCEP Reanalysis",
    **about,
):
    """Write months of 2021; values that broadcast to (12, lat, lon), stored as they are."""
    lat, lon = where
    with netCDF4.Dataset(path, "w") as data:
        data.createDimension("time", 12)
        time = data.createVariable("time", "f8", ("time",))
        time.setncatts({"units": "days since 2021-01-01", "calendar": calendar})
        lengths = np.full(12, 30) if calendar == "360_day" else DAYS
        time[:] = np.cumsum([0, *lengths[:-1]]) + 14
        for axis, degrees, of in (("lat", lat, "north"), ("lon", lon, "east")):
            data.createDimension(axis, degrees.size)
            made = data.createVariable(axis, "f8", (axis,))
            made.units = f"degrees_{of}"
            made[:] = degrees
        made = data.createVariable(name, dtype, ("time", "lat", "lon"), fill_value=fill)
        made.set_auto_maskandscale(False)
        if units is not None:
            made.units = units
        made.setncatts(attrs or {})
        made[:] = np.broadcast_to(values, (12, lat.size, lon.size)).astype(dtype)
        data.setncatts({"title": title, **about})
    return path


def ramp(where, low, high):
    """A field from one value at the southern edge to another at the northern."""
    return np.linspace(low, high, where[0].size)[:, None] + np.zeros(where[1].size)


def warm(units="degC"):
    """Air from -30 at the poles to 26 at the equator, in degC or K."""
    made = 26 - 56 * np.sin(np.radians(GLOBE[0])) ** 2
    return made[:, None] + np.zeros(GLOBE[1].size) + (273.15 if units == "K" else 0)


def refusal(call, *arguments, **asked):
    with pytest.raises(SourceError) as caught:
        call(*arguments, **asked)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    assert ". " not in message, "one sentence"
    return message


def prepared(path, **asked):
    return read_files([path], **asked)
