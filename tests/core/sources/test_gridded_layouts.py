"""What the numbers of gridded files mean: every layout with its right value, or its sentence."""

from itertools import pairwise
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import xarray as xr

from mlda_core.climate.possible import POSSIBLE, possible, possible_of
from mlda_core.climate.variables import DEFAULTS, Variable
from mlda_core.sources import SourceError
from mlda_core.sources.layout import CANONICAL
from mlda_core.sources.merge import merge
from mlda_core.sources.prepare import read_files
from mlda_core.sources.speedy import read_speedy

GLOBE = np.arange(-85, 86, 10.0), np.arange(0, 360, 15.0)
ANTARCTICA = np.arange(-88.0, -69, 2.0), np.arange(0, 360, 15.0)
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


# Units


@pytest.mark.parametrize(
    ("name", "units", "given", "variable", "wanted"),
    [
        ("air", "degrees Celsius", 15.0, "tas", 288.15),
        ("air", "degree Celsius", 15.0, "tas", 288.15),
        ("air", "deg C", 15.0, "tas", 288.15),
        ("air", "°C", 15.0, "tas", 288.15),
        ("air", "degrees K", 288.15, "tas", 288.15),
        ("air", "degrees Kelvin", 288.15, "tas", 288.15),
        ("air", "degrees F", 59.0, "tas", 288.15),
        ("slp", "HPa", 1013.0, "psl", 101_300.0),
        ("slp", "millibars", 1013.0, "psl", 101_300.0),
        ("slp", "kPa", 101.3, "psl", 101_300.0),
        ("prate", "mm/dy", 3.0, "pr", 3 / 86_400),
        ("prate", "mm/d", 3.0, "pr", 3 / 86_400),
        ("prate", "kg m**-2 s**-1", 3e-5, "pr", 3e-5),
        ("prate", "Kg/m^2/s", 3e-5, "pr", 3e-5),
        ("prate", "m s-1", 3e-8, "pr", 3e-5),
    ],
)
def test_units_as_they_are_written(tmp_path, name, units, given, variable, wanted):
    path = write(tmp_path / "a.nc", name, given, units=units)
    np.testing.assert_allclose(prepared(path, source="ncep")[variable], wanted, rtol=1e-6)


@pytest.mark.parametrize("units", ["mm/month", "mm month-1", "mm/mon", "kg m-2 month-1"])
@pytest.mark.parametrize("calendar", ["standard", "noleap", "360_day"])
def test_amounts_a_month_are_divided_by_that_months_days(tmp_path, units, calendar):
    path = write(tmp_path / "a.nc", "prate", 84.0, units=units, calendar=calendar)
    days = np.full(12, 30) if calendar == "360_day" else DAYS
    rain = prepared(path, source="ncep")["pr"].values[0, :, 0, 0] * 86_400
    np.testing.assert_allclose(rain, 84.0 / days, rtol=1e-6)
    if calendar != "360_day":
        assert rain[1] == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("units", "words"),
    [("mm/year", "a year"), ("mm/season", "UDUNITS"), ("degrees", "angle"), ("K", "no units of")],
)
def test_units_that_cannot_be_meant(tmp_path, units, words):
    path = write(tmp_path / "a.nc", "prate", 3.0, units=units)
    message = refusal(prepared, path, source="ncep")
    assert "a.nc" in message
    assert f"'{units}'" in message
    assert words in message


@pytest.mark.parametrize(
    ("units", "factor"), [("K", 1), ("degC", 1), ("C", 1), ("degrees Celsius", 1), ("degF", 5 / 9)]
)
def test_an_anomaly_has_no_zero_point(tmp_path, units, factor):
    path = write(tmp_path / "a.nc", "tempanomaly", 0.5, units=units, **FROM_1951)
    data = prepared(path, source="gistemp")
    np.testing.assert_allclose(data["tasa"], 0.5 * factor, rtol=1e-6)


# Base periods


@pytest.mark.parametrize(
    ("attrs", "wanted"),
    [
        ({}, "1951-1980"),
        ({"base_period": "1961-1990"}, "1961-1990"),
        ({"long_name": "Temperature anomaly, base period: 1981 to 2010"}, "1981-2010"),
        ({"comment": "anomalies with respect to the 1961–1990 mean"}, "1961-1990"),
        ({"long_name": "Surface temperature anomaly", "comment": "Data cover 1880-2024"},
         "1951-1980"),
    ],
)  # fmt: skip
def test_the_base_period_of_an_anomaly_is_kept(tmp_path, attrs, wanted):
    path = write(tmp_path / "a.nc", "tempanomaly", 0.5, units="K", attrs=attrs, **FROM_1951)
    assert prepared(path)["tasa"].attrs["base_period"] == wanted
    full = write(tmp_path / "b.nc", "air", warm(), units="degC", attrs={"base_period": "1961-1990"})
    assert "base_period" not in prepared(full)["tas"].attrs


def test_different_base_periods_are_not_mixed(tmp_path):
    made = []
    for name, years in (("a", "1951-1980"), ("b", "1961-1990")):
        path = write(tmp_path / f"{name}.nc", "tempanomaly", 0.5, units="K",
                     attrs={"base_period": years}, **FROM_1951)  # fmt: skip
        made.append(tmp_path / f"made-{name}.nc")
        prepared(path).to_netcdf(made[-1])
    message = refusal(merge, made)
    assert "1951-1980" in message
    assert "1961-1990" in message
    with xr.open_dataset(made[1]) as data:
        other = data.load().rename(tasa="other")
    other["other"].attrs["standard_name"] = "air_temperature_anomaly"
    other.to_netcdf(tmp_path / "other.nc")
    joined = merge([made[0], tmp_path / "other.nc"])
    assert joined["tasa"].attrs["base_period"] == "1951-1980"


# What is not possible


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


def test_every_canonical_variable_has_limits_and_real_fields_lie_within():
    assert set(CANONICAL) | {"zg500", "ua850", "va850"} == set(POSSIBLE)
    for name, limits in POSSIBLE.items():
        ranges = [limits.extremes, limits.mean, limits.globe or limits.mean]
        for outer, inner in pairwise(ranges):
            assert outer[0] <= inner[0] < inner[1] <= outer[1], name
        assert name not in CANONICAL or limits.units == CANONICAL[name].units
        assert name not in DEFAULTS or limits.units == DEFAULTS[name].units


def test_the_documented_limits_are_those_of_the_program():
    docs = (Path(__file__).parents[3] / "docs/data.md").read_text(encoding="utf-8")
    shown = {"hPa": 0.01, "h": 1 / 3600, "mm/day": 86_400}
    table = docs[docs.index("| possible |") :].split("\n\n")[0].splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    assert [row[0] for row in rows] == [f"`{name}`" for name in POSSIBLE]
    for (_, units, *cells), limits in zip(rows, POSSIBLE.values(), strict=True):
        offset = -273.15 if units == "degC" else 0.0
        for cell, pair in zip(cells, limits[1:], strict=True):
            wanted = [] if pair is None else [v * shown.get(units, 1) + offset for v in pair]
            assert [float(v) for v in cell.split(" to ") if v] == pytest.approx(wanted, abs=5e-3)


def test_observed_values_are_held_against_the_same_extremes():
    tas = DEFAULTS["tas"]
    values = [15.0, -89.0, 288.15, -999.0, np.nan, np.inf]
    assert list(possible(tas, values)) == [True, True, False, False, True, False]
    assert list(possible(DEFAULTS["psl"], [1013.0, 101_300.0, -99.9])) == [True, False, False]
    assert list(possible(DEFAULTS["pr"], [0.0, 30.0, -9.99])) == [True, True, False]


def test_a_configuration_states_limits_of_its_own_variables():
    plain = {**DEFAULTS["tas"].to_dict(), "name": "ta10"}
    assert possible_of(Variable.from_dict(plain)) is None
    assert possible(Variable.from_dict(plain), [1e9]).all()
    stated = Variable.from_dict({**plain, "extremes": [-100.0, 20.0]})
    assert list(possible(stated, [25.0, -60.0])) == [False, True]
    assert Variable.from_dict(stated.to_dict()) == stated
    assert "extremes" not in Variable.from_dict(plain).to_dict()
    with pytest.raises(ValueError, match=r"extremes \(3.0, 2.0\); it must be two numbers"):
        Variable.from_dict({**plain, "extremes": [3.0, 2.0]})


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


# Missing values


def holes(missing, size=1013.0, dtype="f4"):
    """A field of pressure with two missing cells, and where they are."""
    values = np.full((12, GLOBE[0].size, GLOBE[1].size), size, np.float64)
    gaps = np.zeros(values.shape, bool)
    gaps[3, 4, 5] = gaps[7, 0, 0] = True
    return np.where(gaps, missing, values).astype(dtype), gaps


DECLARED = {
    "in another type": (-999.9, {"missing_value": np.float64(-999.9)}, "f4"),
    "as an integer": (-999.0, {"missing_value": np.int32(-999)}, "f4"),
    "as text": (-999.0, {"missing_value": "-999."}, "f4"),
    "as text of CDL": (-999.0, {"missing_value": "-999.f"}, "f4"),
    "as text in a list": (-999.9, {"missing_value": "-9999, -999.9"}, "f4"),
    "among several": (-99.0, {"missing_value": np.float32([-9999, -99])}, "f4"),
    "of 64 bits": (-9.96921e36, {"missing_value": "-9.96921e+36"}, "f8"),
    "as a word that is no number": (np.nan, {"missing_value": "none"}, "f4"),
    "as text of NaN": (np.nan, {"missing_value": "NaN"}, "f4"),
    "infinite": (np.inf, {"missing_value": np.float32(np.inf)}, "f4"),
    "by its limits": (5000.0, {"valid_range": np.float32([870, 1150])}, "f4"),
    "by limits as text": (5000.0, {"valid_range": "870.f, 1150.f"}, "f4"),
    "by one limit": (-1.0, {"valid_min": 0.0}, "f4"),
}


@pytest.mark.parametrize("how", DECLARED)
def test_missing_values_declared_in_any_form(tmp_path, how):
    missing, attrs, dtype = DECLARED[how]
    values, gaps = holes(missing, dtype=dtype)
    path = write(tmp_path / "slp.nc", "slp", values, units="hPa", attrs=attrs, dtype=dtype)
    psl = prepared(path)["psl"].values[0]
    assert np.array_equal(np.isnan(psl), gaps)
    np.testing.assert_allclose(psl[~gaps], 101_300.0, rtol=1e-6)


PACKED = {
    "packed, of its type": (-999, {"missing_value": np.int16(-999)}, None),
    "packed, of another type": (-999, {"missing_value": np.float64(-999)}, None),
    "packed, as text": (-999, {"missing_value": "-999"}, None),
    "unpacked": (-10_000, {"missing_value": np.float32(0.0)}, None),
    "unpacked, as text": (-20_000, {"missing_value": "-1000."}, None),
    "both forms": (-20_000, {"missing_value": np.float64(-1000.0)}, np.int16(-32767)),
    "of the library": (-32767, {}, None),
    "scale as text": (-999, {"missing_value": np.int16(-999), "scale_factor": "0.1"}, None),
}


@pytest.mark.parametrize("how", PACKED)
def test_missing_values_of_packed_numbers(tmp_path, how):
    missing, attrs, fill = PACKED[how]
    # 1013 hPa is 130 in steps of 0.1 from 1000.
    values, gaps = holes(missing, size=130, dtype="i2")
    attrs = {"scale_factor": np.float64(0.1), "add_offset": np.float64(1000.0), **attrs}
    path = write(
        tmp_path / "slp.nc", "slp", values, units="hPa", attrs=attrs, dtype="i2", fill=fill
    )
    psl = prepared(path)["psl"].values[0]
    assert np.array_equal(np.isnan(psl), gaps)
    np.testing.assert_allclose(psl[~gaps], 101_300.0, rtol=1e-6)


@pytest.mark.parametrize(
    "missing", [9.969209968386869e36, -9.96921e36, 9.97e36, 1e20, -1e30, 9.999e20, 3.4028235e38]
)
def test_numbers_that_can_only_mean_missing(tmp_path, missing):
    values, gaps = holes(missing)
    data = prepared(write(tmp_path / "slp.nc", "slp", values, units="hPa"))
    assert np.array_equal(np.isnan(data["psl"].values[0]), gaps)
    assert np.isfinite(data["psl"].values[0][~gaps]).all()
    note = data["psl"].attrs["comment"]
    assert "slp.nc has 2 values" in note
    assert "does not declare as missing" in note


@pytest.mark.parametrize(
    "missing", [-9999.0, -999.9, -999.0, -99.99, -99.9, -9.99, 9999.0, np.inf, -np.inf]
)
def test_other_codes_are_refused_until_they_are_said(tmp_path, missing):
    values, gaps = holes(missing)
    path = write(tmp_path / "slp.nc", "slp", values, units="hPa")
    message = refusal(prepared, path)
    assert f"give --missing {missing:g}" in message
    assert f"{missing:g} hPa" in message
    assert "2021-0" in message
    data = read_files([path], missing=[missing])
    assert np.array_equal(np.isnan(data["psl"].values[0]), gaps)
    np.testing.assert_allclose(data["psl"].values[0][~gaps], 101_300.0, rtol=1e-6)


def test_a_code_within_what_is_possible_stands_alone(tmp_path):
    values = np.broadcast_to(ramp(SAHARA, 30.0, 36.0), (12, 6, 10)).copy()
    values[2, :2, :2] = -9.99
    path = write(tmp_path / "a.nc", "air", values, units="degC", where=SAHARA)
    message = refusal(prepared, path)
    assert "exactly -9.99 degC in 4 cells" in message
    assert "give --missing -9.99" in message
    assert int(np.isnan(read_files([path], missing=[-9.99])["tas"]).sum()) == 4
    # The same number is a temperature where others are like it.
    cold = write(tmp_path / "b.nc", "air", ramp(SAHARA, -9.99, -2.0), units="degC", where=SAHARA)
    assert np.isfinite(prepared(cold)["tas"]).all()


def test_limits_that_leave_nothing_are_refused(tmp_path):
    values, _ = holes(1013.0)
    attrs = {"valid_range": np.float32([-100.0, 100.0])}
    path = write(tmp_path / "slp.nc", "slp", values, units="hPa", attrs=attrs)
    message = refusal(prepared, path)
    assert "slp.nc has no psl within its own valid_range" in message


def test_packing_that_is_no_number_is_refused(tmp_path):
    values, _ = holes(130, dtype="i2")
    for scale in ("a tenth", 0.0, np.nan):
        path = write(tmp_path / "slp.nc", "slp", values, units="hPa", dtype="i2",
                     attrs={"scale_factor": scale})  # fmt: skip
        assert "scale_factor" in refusal(prepared, path)
