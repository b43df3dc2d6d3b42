"""Variables by their standard names."""

import numpy as np
import pytest
from cf_files import HIGH, LOW, SHAPE, mapped, pressure, temperature, write
from refusals import refusal

from mlda_core.sources.prepare import read_files


@pytest.mark.parametrize(
    ("name", "attrs", "canonical"),
    [
        ("anything", {"standard_name": "air_pressure_at_sea_level", "units": "hPa"}, "psl"),
        ("x", {"standard_name": "sea_surface_temperature", "units": "K"}, "tos"),
        ("tas", {"standard_name": "air_temperature", "units": "degC"}, "tas"),
        ("air", {"standard_name": "air_temperature", "units": "K",
                 "long_name": "2 metre temperature"}, "tas"),
        ("rain", {"standard_name": "lwe_precipitation_rate", "units": "mm day-1"}, "pr"),
        ("rain", {"standard_name": "precipitation_flux", "units": "mm day-1"}, "pr"),
        ("rain", {"standard_name": "lwe_thickness_of_precipitation_amount", "units": "mm",
                  "cell_methods": "time: sum"}, "pr"),
        ("a", {"standard_name": "air_temperature_anomaly", "units": "degC"}, "tasa"),
    ],
)  # fmt: skip
def test_standard_names(tmp_path, name, attrs, canonical):
    inside = {
        "psl": 1010, "tos": 285, "tas": 285 if attrs["units"] == "K" else 12, "pr": 2, "tasa": 0.5,
    }  # fmt: skip
    values = inside[canonical] + 0 * SHAPE
    if attrs.get("cell_methods"):
        values = 2 * (HIGH - LOW)[:, None, None] + 0 * SHAPE
    write(tmp_path / "f.nc", {name: (values, attrs)})
    data = read_files([tmp_path])
    wanted = {"psl": 101_000, "tos": 285, "tas": 285, "pr": 2 / 86400, "tasa": 0.5}[canonical]
    if canonical == "tas" and attrs["units"] == "degC":
        wanted = 285.15
    assert list(data.data_vars) == [canonical]
    np.testing.assert_allclose(data[canonical], wanted, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "attrs", "words"),
    [
        ("tasmax", {"cell_methods": "time: maximum within days time: mean over days"}, "a maximum"),
        ("tas", {"cell_methods": "time: standard_deviation"}, "a standard_deviation"),
        ("tas", {"cell_methods": "time: point"}, "a point"),
        ("tas", {"cell_methods": "time: sum"}, "a sum"),
        ("ta", {}, "no height"),
        ("tas", {"long_name": "Near-surface temperature anomaly"}, "an anomaly"),
        ("tas", {"long_name": "Ensemble spread of 2 m temperature"}, "a spread"),
        ("tas", {"standard_name": "surface_temperature"}, "surface_temperature"),
        ("tas", {"standard_name": "air_temperature standard_error"}, "standard_error"),
        ("prc", {"standard_name": "convective_precipitation_flux"}, "convective"),
        ("x", {"standard_name": ""}, "no standard name"),
    ],
)
def test_what_may_be_another_quantity_is_left_to_the_user(tmp_path, name, attrs, words):
    field = temperature(**attrs)
    write(tmp_path / "f.nc", {name: field})
    for source in ("auto", "cf"):
        message = refusal(tmp_path, source=source)
        assert words in message
        assert "--map" in message
    data = read_files([tmp_path], choices=mapped(tas=name))
    np.testing.assert_allclose(data["tas"][0], 283 + SHAPE, rtol=1e-6)


@pytest.mark.parametrize(
    ("level", "value", "attrs", "read"),
    [
        ("height", 2.0, {"units": "m"}, True),
        ("height", 10.0, {"units": "m"}, True),
        ("height", 80.0, {"units": "m"}, False),
        ("plev", 85_000.0, {"units": "Pa"}, False),
        ("level", 1000.0, {"units": "millibar"}, False),
        ("lev", 0.99, {"units": "1", "positive": "down"}, False),
    ],
)
def test_levels_of_the_air(tmp_path, level, value, attrs, read):
    path = tmp_path / "f.nc"
    data = write(path, {"tas": temperature()})
    data["tas"] = data["tas"].expand_dims({level: [value]}, 1)
    data[level].attrs.update(attrs)
    path.unlink()
    data.to_netcdf(path)
    if read:
        assert list(read_files([path]).data_vars) == ["tas"]
    else:
        assert f"'{level}'" in refusal(path)
        assert list(read_files([path], choices=mapped(tas="tas")).data_vars) == ["tas"]


def test_two_that_may_be_the_same(tmp_path):
    write(tmp_path / "f.nc", {"a": pressure(), "b": pressure()})
    message = refusal(tmp_path)
    assert "a and b" in message
    assert "--map psl=a" in message
    data = read_files([tmp_path], choices=mapped(psl="b"))
    assert list(data.data_vars) == ["psl"]
