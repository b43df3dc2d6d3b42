"""Small CF files of four months, and the sentence with which they are refused."""

import numpy as np
import xarray as xr

from mlda_core.sources.choices import Choices

LAT, LON = np.arange(-80.0, 81, 20), np.arange(0.0, 360, 30)
N = 4
LOW, HIGH = np.array([0, 31, 60, 91.0]), np.array([31, 60, 91, 121.0])  # of 2020
SINCE = {"units": "days since 2020-01-01", "standard_name": "time", "axis": "T"}
NORTH = {"units": "degrees_north", "standard_name": "latitude", "axis": "Y"}
EAST = {"units": "degrees_east", "standard_name": "longitude", "axis": "X"}


# A field that tells month, row and column apart.
SHAPE = 0.1 * np.arange(N)[:, None, None] + 0.01 * LAT[:, None] + 0.001 * LON


def write(
    path, fields, *, time=None, bounds=True, lat="lat", lon="lon", rows=LAT, columns=LON, **g
):
    """Write fields on (time, lat, lon), stamped in the middle of months with bounds."""
    stamps = ("time", (LOW + HIGH) / 2, SINCE) if time is None else time
    name = stamps[0]
    data = xr.Dataset(
        coords={
            name: (name, np.asarray(stamps[1]), dict(stamps[2])),
            lat: (lat, rows, NORTH),
            lon: (lon, columns, EAST),
        },
        attrs=g,
    )
    for variable, (values, attrs) in fields.items():
        data[variable] = ((name, lat, lon), values, attrs)
    if bounds:
        data["time_bnds"] = ((name, "bnds"), np.stack([LOW, HIGH], 1))
        data[name].attrs["bounds"] = "time_bnds"
    data.to_netcdf(path)
    return data


def temperature(**attrs):
    return 283 + SHAPE, {"units": "K", "standard_name": "air_temperature", **attrs}


def pressure(**attrs):
    made = {"units": "Pa", "standard_name": "air_pressure_at_mean_sea_level", **attrs}
    return 101_000 + 100 * SHAPE, made


def months(data):
    return [str(t)[:7] for t in data["time"].values]


def mapped(**names):
    return Choices(names=tuple(names.items()))


JAN = ["2020-01", "2020-02", "2020-03", "2020-04"]
