"""Fields that cannot be are refused with cause and remedy."""

import numpy as np
import pytest
import xarray as xr
from gridded_files import FROM_1951, GLOBE, SAHARA, prepared, ramp, refusal, warm, write

from mlda_core.climate.possible import POSSIBLE
from mlda_core.sources.layout import CANONICAL
from mlda_core.sources.prepare import read_files
from mlda_core.sources.speedy import read_speedy

ANTARCTICA = np.arange(-88.0, -69, 2.0), np.arange(0, 360, 15.0)


@pytest.mark.parametrize(
    ("name", "given", "units", "words"),
    [
        ("slp", 1010.0, "kPa", ["right in hPa", "1010 kPa", "2021-01"]),
        ("slp", 1010.0, "Pa", ["right in hPa"]),
        ("slp", 101_000.0, "hPa", ["right in Pa"]),
        ("slp", 1.0, "hPa", ["spread"]),
        ("slp", np.array([-6.0, 8.0] * 12), "hPa", ["an anomaly"]),
        ("slp", 760.0, "hPa", ["right in mmHg"]),
        ("air", 10.0, "K", ["right in degC"]),
        ("air", warm(), "K", ["right in degC"]),
        ("air", warm("K"), "degC", ["right in K"]),
        ("air", warm() * 1.8 + 32, "degC", ["right in degF"]),
        ("air", np.array([-2.0, 2.5] * 12), "K", ["unless it is an anomaly"]),
        ("air", np.array([-2.0, 2.5] * 12), "degC", ["over the globe", "an anomaly"]),
        ("prate", 3.0, "kg m-2 s-1", ["right in mm/day"]),
        ("prate", 80.0, "mm/day", ["right in mm/month", "over the globe"]),
        ("prate", np.array([-2.0, 2.5] * 12), "mm/day", ["Precipitation".lower(), "anomaly"]),
        ("prate", 3e-5, "mm/day", ["right in kg m-2 s-1"]),
    ],
)
def test_impossible_fields_name_cause_and_remedy(tmp_path, name, given, units, words):
    path = write(tmp_path / "a.nc", name, given, units=units)
    message = refusal(prepared, path, source="ncep")
    for word in ["a.nc", name, units, *words]:
        assert word in message, message


def test_anomalies_that_are_full_values(tmp_path):
    path = write(tmp_path / "a.nc", "tempanomaly", warm("K"), units="K", **FROM_1951)
    assert "full values" in refusal(prepared, path)
    path = write(tmp_path / "b.nc", "tempanomaly", 50.0, units="K", **FROM_1951)
    assert "0.01 K" in refusal(prepared, path)


@pytest.mark.parametrize(
    ("name", "where", "values", "units"),
    [
        ("air", ANTARCTICA, (-70.0, -20.0), "degC"),
        ("air", SAHARA, (38.0, 41.0), "degC"),
        ("slp", ANTARCTICA, (1055.0, 975.0), "hPa"),
        ("prate", SAHARA, (0.0, 0.0), "mm/day"),
        ("prate", SAHARA, (0.0, 1e-4), "mm/day"),
        ("prate", SAHARA, (-1e-3, 2.0), "mm/day"),
        ("prate", SAHARA, (20.0, 60.0), "mm/day"),
    ],
)
def test_regions_and_dry_months_are_possible(tmp_path, name, where, values, units):
    path = write(tmp_path / "a.nc", name, ramp(where, *values), units=units, where=where)
    data = read_files([path], "ncep", years=[2021])
    (held,) = data.data_vars
    assert np.isfinite(data[held]).all()


def test_the_cell_of_an_outlier_is_named(tmp_path):
    values = np.broadcast_to(warm(), (12, *warm().shape)).copy()
    values[4, 2, 3] = 75.0
    message = refusal(prepared, write(tmp_path / "a.nc", "air", values, units="degC"))
    for word in ("75 degC", "65S", "45E", "2021-05", "1 are not possible"):
        assert word in message, message


def test_speedys_files_are_looked_at_as_well(tmp_path):
    time = np.arange("1979-01", "1980-01", dtype="datetime64[M]").astype("datetime64[D]") + 14
    psl = np.full((12, 18, 24), 1013.0)
    data = xr.Dataset(
        {"psl": (("time", "lat", "lon"), psl, {"units": "Pa"})},
        {"time": time.astype("datetime64[ns]"), "lat": GLOBE[0], "lon": GLOBE[1]},
    )
    data.to_netcdf(tmp_path / "m00_1979.nc")
    message = refusal(read_speedy, tmp_path, variables=["psl"])
    assert "m00_1979.nc has psl of 1013 Pa" in message
    assert "1979-01" in message
    for name, value in (("zg500", 54_000.0), ("ua850", 200.0), ("va850", -9999.0)):
        units = CANONICAL[name].units if name in CANONICAL else POSSIBLE[name].units
        data = data.drop_vars(list(data.data_vars))
        data[name] = (("time", "lat", "lon"), np.full(psl.shape, value), {"units": units})
        data.to_netcdf(tmp_path / "m00_1979.nc")
        assert f"{name} of {value:g} {units}" in refusal(read_speedy, tmp_path, variables=[name])
