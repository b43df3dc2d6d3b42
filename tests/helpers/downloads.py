"""Small files with the layout, attributes and quirks of what climate data providers serve.

What is written here was taken from headers of the providers' files where one was at hand (ERSSTv5,
HadUK-Grid) and from their documentation and users' programs otherwise; docs/data.md says which.
"""

from __future__ import annotations

import netCDF4
import numpy as np

MONTHS = np.arange("1999-11", "2001-03", dtype="datetime64[M]")
HOURS, DAYS = "hours since 1800-1-1 00:00:0.0", "days since 1800-1-1 00:00:00"


def since_1800(months, unit="h"):
    """First days of months as numbers since 1800."""
    gone = months.astype("datetime64[D]") - np.datetime64("1800-01-01")
    return gone.astype(float) * (24 if unit == "h" else 1)


def gaussian(n, m):
    """The latitudes, from the north, and longitudes of a Gaussian grid."""
    lat = np.degrees(np.arcsin(np.polynomial.legendre.leggauss(n)[0]))[::-1]
    return lat, np.arange(m) * 360.0 / m


def field(months, lat, lon, *, mean, spread, seed=0):
    """A smooth field that differs from month to month, as the file's rows and columns go."""
    rng = np.random.default_rng(seed)
    size = rng.normal(size=(months.size, 3))[:, :, None, None]
    north, east = np.radians(lat)[:, None], np.radians(lon)[None, :]
    waves = size[:, 0] * np.sin(north) + size[:, 1] * np.cos(north) * np.cos(2 * east)
    return mean + spread * (waves + 0.3 * size[:, 2])


def write_psl(
    path,
    name,
    values,
    lat,
    lon,
    *,
    units,
    months=MONTHS,
    time_units=HOURS,
    attrs=None,
    title="",
    level=None,
    packed=None,
    bounds=None,
    missing=-9.96921e36,
    fill=True,
):
    """Write a file as NOAA's Physical Sciences Laboratory does.

    Latitudes from the north, longitudes 0..360, stamps on the first of the month, ``missing_value``
    -9.96921e+36 (32766 or 32767 packed), ``valid_range`` and ``actual_range``.
    """
    with netCDF4.Dataset(path, "w", format="NETCDF4_CLASSIC") as data:
        data.createDimension("lon", lon.size)
        data.createDimension("lat", lat.size)
        data.createDimension("time", None)
        axes = [("lat", lat, "degrees_north", "Y"), ("lon", lon, "degrees_east", "X")]
        for axis, numbers, degrees, letter in axes:
            made = data.createVariable(axis, "f4", (axis,))
            made.setncatts(
                {
                    "units": degrees,
                    "actual_range": np.float32([numbers[0], numbers[-1]]),
                    "standard_name": "latitude" if axis == "lat" else "longitude",
                    "axis": letter,
                }
            )
            made[:] = numbers
        dims = ["time", "lat", "lon"]
        if level is not None:
            data.createDimension("level", 1)
            made = data.createVariable("level", "f4", ("level",))
            made.setncatts({"units": level[1], "positive": "up"})
            made[:] = level[0]
            dims.insert(1, "level")
        time = data.createVariable("time", "f8", ("time",))
        gone = since_1800(months, time_units[0])
        time.setncatts(
            {
                "long_name": "Time",
                "delta_t": "0000-01-00 00:00:00",
                "avg_period": "0000-01-00 00:00:00",
                "standard_name": "time",
                "axis": "T",
                "units": time_units,
                "actual_range": gone[[0, -1]],
            }
        )
        time[:] = gone
        if bounds is not None:
            data.createDimension("nbnds", 2)
            time.bounds = "time_bnds"
            data.createVariable("time_bnds", "f8", ("time", "nbnds"))[:] = bounds
        if packed:
            scale, offset = packed
            made = data.createVariable(name, "i2", dims, fill_value=np.int16(32767))
            made.setncatts(
                {
                    "scale_factor": np.float32(scale),
                    "add_offset": np.float32(offset),
                    "missing_value": np.int16(32766),
                }
            )
            made.set_auto_maskandscale(False)
            whole = np.where(np.isnan(values), 32766, np.round((values - offset) / scale))
            stored = whole.astype(np.int16)
        else:
            made = data.createVariable(
                name, "f4", dims, fill_value=np.float32(missing) if fill else None
            )
            made.missing_value = np.float32(missing)
            stored = np.where(np.isnan(values), missing, values).astype(np.float32)
        made.setncatts({"units": units, "statistic": "Mean", **(attrs or {})})
        made[:] = stored[:, None] if level is not None else stored
        data.setncatts({"Conventions": "COARDS", "title": title, "platform": "Model"})


def write_era5(path, fields, lat, lon, *, months, new, hour=0, expver=None, numbers=None):
    """Write a file as the Copernicus Climate Data Store does.

    The old layout packs integers on ``time`` in hours since 1900, with a dimension ``expver`` where
    preliminary months are mixed in. The new one has 32-bit numbers on ``valid_time`` in seconds
    since 1970, a scalar ``number`` and ``expver`` as text along the time axis; files of
    accumulations are stamped at 06 UTC of the first day.
    """
    with netCDF4.Dataset(path, "w") as data:
        stamps = months.astype("datetime64[h]") + np.timedelta64(hour, "h")
        name = "valid_time" if new else "time"
        for axis, size in (
            (name, months.size),
            ("latitude", lat.size),
            ("longitude", lon.size),
        ):
            data.createDimension(axis, size)
        if new:
            time = data.createVariable(name, "i8", (name,))
            time.setncatts(
                {
                    "units": "seconds since 1970-01-01",
                    "calendar": "proleptic_gregorian",
                    "standard_name": "time",
                    "long_name": "time",
                }
            )
            time[:] = stamps.astype("datetime64[s]").astype(np.int64)
            data.createVariable("number", "i8", ())[:] = 0
            data["number"].setncatts({"units": "1", "standard_name": "realization"})
            versions = data.createVariable("expver", str, (name,))
            for i, text in enumerate(expver or ["0001"] * months.size):
                versions[i] = text
        else:
            time = data.createVariable(name, "i4", (name,))
            time.setncatts(
                {
                    "units": "hours since 1900-01-01 00:00:00.0",
                    "long_name": "time",
                    "calendar": "gregorian",
                }
            )
            time[:] = (stamps - np.datetime64("1900-01-01T00")).astype(np.int64)
            if numbers is not None:
                data.createDimension("expver", len(numbers))
                data.createVariable("expver", "i4", ("expver",))[:] = numbers
        for axis, degrees, places in (
            ("latitude", "degrees_north", lat),
            ("longitude", "degrees_east", lon),
        ):
            made = data.createVariable(axis, "f8" if new else "f4", (axis,))
            made.setncatts({"units": degrees, "long_name": axis})
            made[:] = places
        for short, (values, units) in fields.items():
            dims = [name, "latitude", "longitude"]
            if not new and numbers is not None:
                dims.insert(1, "expver")
            if new:
                made = data.createVariable(short, "f4", dims, fill_value=np.float32("nan"))
                made.setncatts(
                    {
                        "units": units,
                        "GRIB_shortName": short,
                        "GRIB_missingValue": 3.4028234663852886e38,
                        "coordinates": "number valid_time latitude longitude expver",
                    }
                )
                made[:] = values
                continue
            low, high = np.nanmin(values), np.nanmax(values)
            scale, offset = (high - low) / 65532 or 1.0, (high + low) / 2
            made = data.createVariable(short, "i2", dims, fill_value=np.int16(-32767))
            made.setncatts(
                {
                    "scale_factor": scale,
                    "add_offset": offset,
                    "missing_value": np.int16(-32767),
                    "units": units,
                }
            )
            made.set_auto_maskandscale(False)
            whole = np.round((np.nan_to_num(values, nan=offset) - offset) / scale)
            made[:] = np.where(np.isnan(values), -32767, whole).astype(np.int16)
        data.setncatts(
            {"Conventions": "CF-1.7", "institution": "European Centre for Medium-Range Forecasts"}
            if new
            else {"Conventions": "CF-1.6", "history": "grib_to_netcdf-2.25.1: ECMWF"}
        )


def write_haduk(path, name, values, *, units, year=2020, method="mean", frequency="mon"):
    """Write a file as the Met Office does, of the cells of ``values`` (12, ny, nx).

    Stamped in the middle with bounds, hours since 1800, y and x of the national grid with
    two-dimensional latitude and longitude beside them, land alone.
    """
    n, ny, nx = values.shape
    y, x = -90_000.0 + 60_000.0 * np.arange(ny), -210_000.0 + 60_000.0 * np.arange(nx)
    months = np.arange(f"{year}-01", f"{year + 1}-02", dtype="datetime64[M]")
    begins = since_1800(months)
    if frequency == "day":
        begins = begins[0] - 15 + 24.0 * np.arange(n + 1)
    with netCDF4.Dataset(path, "w") as data:
        for dim, size in {
            "time": n,
            "projection_y_coordinate": ny,
            "projection_x_coordinate": nx,
            "bnds": 2,
        }.items():
            data.createDimension(dim, size)
        dims = ("time", "projection_y_coordinate", "projection_x_coordinate")
        made = data.createVariable(name, "f8", dims, fill_value=1e20)
        made.setncatts(
            {
                "units": units,
                "cell_methods": f"time: {method}",
                "grid_mapping": "transverse_mercator",
                "coordinates": "latitude longitude month_number season_year",
            }
        )
        made[:] = np.where(np.isnan(values), 1e20, values)
        data.createVariable("transverse_mercator", "i4", ()).setncatts(
            {
                "grid_mapping_name": "transverse_mercator",
                "longitude_of_central_meridian": -2.0,
                "latitude_of_projection_origin": 49.0,
                "false_easting": 400000.0,
                "false_northing": -100000.0,
                "scale_factor_at_central_meridian": 0.9996012717,
            }
        )
        time = data.createVariable("time", "i8", ("time",))
        time.setncatts(
            {
                "axis": "T",
                "bounds": "time_bnds",
                "units": "hours since 1800-01-01 00:00:00",
                "standard_name": "time",
                "calendar": "standard",
            }
        )
        time[:] = begins[:n] + (360 if frequency == "mon" else 3)
        data.createVariable("time_bnds", "i8", ("time", "bnds"))[:] = np.stack(
            [begins[:n], begins[1 : n + 1]], axis=1
        )
        for axis, places in ((dims[1], y), (dims[2], x)):
            made = data.createVariable(axis, "f8", (axis,))
            made.setncatts({"units": "m", "standard_name": axis})
            made[:] = places
        for word, degrees, origin, along in (
            ("latitude", "degrees_north", 48.8, y[:, None] + 0 * x),
            ("longitude", "degrees_east", -9.0, 0 * y[:, None] + x * 1.6),
        ):
            made = data.createVariable(word, "f8", dims[1:])
            made.setncatts({"units": degrees, "standard_name": word})
            made[:] = origin + (along - along.min()) / 111_000.0
        data.createVariable("month_number", "i8", ("time",))[:] = np.arange(n) % 12 + 1
        data.setncatts(
            {
                "comment": f"{'Monthly' if frequency == 'mon' else 'Daily'} resolution gridded "
                "climate observations",
                "frequency": frequency,
                "institution": "Met Office",
                "source": "HadUK-Grid_v1.3.1.0",
                "Conventions": "CF-1.7",
            }
        )
