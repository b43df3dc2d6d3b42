"""Files of netCDF, whole or not, and their fields."""

import netCDF4
import numpy as np
import pytest
import xarray as xr
from downloads import MONTHS, since_1800, write_psl
from gistemp_files import write_eofs
from psl_files import LAT, LON, PSL, R1
from refusals import refusal

from mlda_core.sources import SourceError
from mlda_core.sources.prepare import read_files


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "eof.nc"
    write_eofs(path)
    with xr.open_dataset(path, decode_times=False) as data:
        checked = data.load()
    path.unlink()
    checked.to_netcdf(path, encoding={"pattern": {"fletcher32": True}})
    read_files([path])
    file = bytearray(path.read_bytes())
    at = file.find(checked["pattern"].values[0, 3].tobytes())
    assert at > 0
    file[at] ^= 0xFF
    path.write_bytes(file)
    with pytest.raises(
        SourceError, match=r"eof\.nc is damaged \(NetCDF: .*\); download it again\.$"
    ):
        read_files([path])


def test_pressure_levels_are_refused(tmp_path):
    with netCDF4.Dataset(tmp_path / "air.mon.mean.nc", "w") as data:
        for dim, size in {"level": 3, "lat": LAT.size, "lon": LON.size, "time": 16}.items():
            data.createDimension(dim, size)
            data.createVariable(dim, "f4", (dim,))[:] = np.arange(size)
        data["lat"][:], data["lon"][:], data["time"][:] = LAT, LON, since_1800(MONTHS)
        data["time"].units = "hours since 1800-01-01"
        made = data.createVariable("air", "f4", ("time", "level", "lat", "lon"))
        made.units, made.dataset = "degC", "NCEP Reanalysis Derived Products"
        made[:] = 0
    message = refusal(tmp_path)
    assert "3 values of 'level'" in message


def test_a_climatology_is_refused(tmp_path):
    months = np.arange("1999-01", "2000-01", dtype="datetime64[M]")
    path = tmp_path / "slp.mon.ltm.nc"
    write_psl(path, "slp", PSL[:12] / 100, LAT, LON, units="millibars", attrs=R1, months=months)
    with netCDF4.Dataset(path, "a") as data:
        data["time"].units = "days since 0001-01-01"
        data["time"][:] = np.arange(12) * 30.5
    assert "climatolog" in refusal(path)


@pytest.mark.parametrize(
    ("head", "word"),
    [(b"PK\x03\x04....", "ZIP"), (b"GRIB....", "GRIB"), (b"<!DOCTYPE html>", "web page"),
     (b"\x89HDF\r\n\x1a\n cut", "truncated"), (b"", "truncated")],
)  # fmt: skip
def test_what_is_no_netcdf_is_said(crv3, head, word):
    (crv3 / "prmsl.mon.mean.nc").write_bytes(head)
    message = refusal(crv3)
    assert "prmsl.mon.mean.nc" in message
    assert word in message
