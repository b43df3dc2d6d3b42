"""Small files of GISTEMP, and of pressure by EOFs."""

import netCDF4
import numpy as np
import xarray as xr
from downloads import MONTHS, field, since_1800

LAT, LON = np.arange(-85, 86, 10.0), np.arange(-175, 180, 10.0)
WARM = field(MONTHS, LAT, LON, mean=0.2, spread=1.5).round(2)
WARM[:3, 0] = np.nan


def write_gistemp(path, values=WARM, *, comment=None):
    """Write a file as data.giss.nasa.gov does: packed hundredths, mid-month stamps, bounds."""
    with netCDF4.Dataset(path, "w", format="NETCDF4_CLASSIC") as data:
        for name, size in (("lat", LAT.size), ("lon", LON.size), ("time", None), ("nv", 2)):
            data.createDimension(name, size)
        for name, axis, units in (("lat", LAT, "degrees_north"), ("lon", LON, "degrees_east")):
            made = data.createVariable(name, "f4", (name,))
            made.setncatts({"standard_name": {"lat": "latitude"}.get(name, "longitude")})
            made.units = units
            made[:] = axis
        time = data.createVariable("time", "i4", ("time",))
        time.setncatts({"units": "days since 1800-01-01 00:00:00", "bounds": "time_bnds"})
        first, after = since_1800(MONTHS, "d"), since_1800(MONTHS + 1, "d")
        time[:] = first + 14
        data.createVariable("time_bnds", "i4", ("time", "nv"))[:] = np.stack([first, after], 1)
        made = data.createVariable("tempanomaly", "i2", ("time", "lat", "lon"), fill_value=32767)
        made.setncatts({"long_name": "Surface temperature anomaly", "units": "K"})
        made.setncatts({"scale_factor": np.float32(0.01), "cell_methods": "time: mean"})
        made[:] = np.ma.masked_array(np.nan_to_num(values), np.isnan(values))
        data.title = "GISTEMP Surface Temperature Analysis"
        data.institution = "NASA Goddard Institute for Space Studies"
        if comment:
            data.comment = comment


def write_eofs(path, months=MONTHS, **changed):
    """Two patterns on rows centred on the poles, as NCEP's are."""
    lat, lon = np.arange(-90, 91, 30.0), np.arange(0, 360, 30.0)
    rng = np.random.default_rng(3)
    parts = {
        "pc": (("time", "mode"), rng.normal(size=(months.size, 2)).astype("f4")),
        "pattern": (("mode", "lat", "lon"), rng.normal(size=(2, 7, 12)).astype("f4"),
                    {"units": "hPa"}),
        "climatology": (("month", "lat", "lon"),
                        (1010 + np.arange(12)[:, None, None] + np.zeros((12, 7, 12))).astype("f4"),
                        {"units": "hPa"}),
        **changed,
    }  # fmt: skip
    stamps = months.astype("datetime64[ns]")
    data = xr.Dataset(
        parts, {"time": stamps, "lat": lat, "lon": lon, "month": np.arange(1, 13)}
    ).assign_attrs(source="NCEP/NCAR R1")
    data.to_netcdf(path)
    return data
