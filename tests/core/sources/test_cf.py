"""Any CF dataset, by standard names or --map: layouts of public files, with the right values.

The headers are those of the providers' files where other people's listings of them were found
(HadCRUT5, Berkeley Earth, HadISST), and otherwise as their programs read them; docs/data.md says
which of them were not tried with the real downloads.
"""

import numpy as np
import pytest
import xarray as xr

from mlda_core.sources import SourceError, netcdf, places
from mlda_core.sources.choices import Choices
from mlda_core.sources.places import Address
from mlda_core.sources.prepare import read_files, recognise
from mlda_core.sources.regrid import grid_of_step

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


def refusal(*paths, source="auto", **asked):
    with pytest.raises(SourceError) as caught:
        read_files(list(paths), source, **asked)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    assert ". " not in message, "one sentence"
    return message


def months(data):
    return [str(t)[:7] for t in data["time"].values]


def mapped(**names):
    return Choices(names=tuple(names.items()))


JAN = ["2020-01", "2020-02", "2020-03", "2020-04"]


# Layouts of public files


def test_cmip6(tmp_path):
    """tas, psl, pr of table Amon and tos on its regridded grid gr, each in a file, noleap."""
    time = ("time", [15.5, 45, 74.5, 105], {**SINCE, "calendar": "365_day"})
    low, high = [0, 31, 59, 90], [31, 59, 90, 120]
    fields = {
        "tas": temperature(cell_methods="area: time: mean"),
        "psl": pressure(cell_methods="area: time: mean"),
        "pr": (3e-5 + 1e-6 * SHAPE, {"units": "kg m-2 s-1", "standard_name": "precipitation_flux",
                                     "cell_methods": "area: time: mean"}),
        "tos": (12 + SHAPE, {"units": "degC", "standard_name": "sea_surface_temperature",
                             "cell_methods": "area: mean where sea time: mean"}),
    }  # fmt: skip
    for name, field in fields.items():
        path = tmp_path / f"{name}_Amon_CESM2_historical_r1i1p1f1_gn_202001-202004.nc"
        data = write(path, {name: field}, time=time, bounds=False, mip_era="CMIP6")
        data = data.assign(
            {"time_bnds": (("time", "bnds"), np.stack([low, high], 1).astype(float))}
        )
        data["time"].attrs["bounds"] = "time_bnds"
        if name == "tas":
            data = data.assign_coords(height=((), 2.0, {"units": "m", "axis": "Z"}))
        path.unlink()
        data.to_netcdf(path)
    assert recognise([tmp_path]) == "cf"
    data = read_files([tmp_path])
    assert list(data.data_vars) == ["psl", "tos", "tas", "pr"]
    assert months(data) == JAN
    np.testing.assert_allclose(data["tas"][0], 283 + SHAPE, rtol=1e-6)
    np.testing.assert_allclose(data["psl"][0], 101_000 + 100 * SHAPE, rtol=1e-6)
    np.testing.assert_allclose(data["tos"][0], 285.15 + SHAPE, rtol=1e-6)
    np.testing.assert_allclose(data["pr"][0], 3e-5 + 1e-6 * SHAPE, rtol=1e-6)
    on_grid = read_files([tmp_path], grid=grid_of_step("15"))
    assert dict(on_grid.sizes) == {"member": 1, "time": N, "lat": 12, "lon": 24}


def test_cesm_stamps_the_end_of_the_month(tmp_path):
    """TREFHT and PSL of cam.h0: stamps at the end, bounds, no standard names."""
    time = ("time", HIGH, {"units": "days since 2020-01-01", "calendar": "noleap"})
    fields = {
        "TREFHT": (283 + SHAPE, {"units": "K", "long_name": "Reference height temperature"}),
        "PSL": (101_000 + 100 * SHAPE, {"units": "Pa", "long_name": "Sea level pressure"}),
    }
    path = tmp_path / "b.e21.BHIST.cam.h0.2020.nc"
    write(path, fields, time=("time", [31, 59, 90, 120], time[2]), bounds=False)
    with xr.open_dataset(path, decode_times=False) as opened:
        data = opened.load()
    data["time_bnds"] = (("time", "nbnd"), [[0.0, 31], [31, 59], [59, 90], [90, 120]])
    path.unlink()
    data.to_netcdf(path)
    assert "--map" in refusal(path)
    found = read_files([path], choices=mapped(tas="TREFHT", psl="PSL"))
    assert months(found) == JAN
    np.testing.assert_allclose(found["tas"][0], 283 + SHAPE, rtol=1e-6)


def write_hadcrut5(path, **changed):
    """As ncdump -h of HadCRUT.5.0.2.0.analysis.anomalies.ensemble_mean.nc lists it."""
    attrs = {
        "long_name": "blended air_temperature_anomaly over land with sea_water_temperature_anomaly",
        "units": "K",
        "cell_methods": "area: mean (interval: 5.0 degrees_north 5.0 degrees_east) time: mean "
        "(interval: 1 month) realization: mean",
    }
    values = SHAPE.copy()
    values[1, 2, 3] = np.nan
    data = write(
        path, {"tas_mean": (values, attrs)}, lat="latitude", lon="longitude",
        columns=LON - 180, title="HadCRUT.5.0.2.0 blended land air temperature and sea-surface "
        "temperature anomaly data set ensemble mean", institution="Met Office Hadley Centre",
    )  # fmt: skip
    data = data.assign_coords(realization=((), 100, {"standard_name": "realization"}))
    data["latitude_bnds"] = (("latitude", "bnds"), np.stack([LAT - 10, LAT + 10], 1))
    data["latitude"].attrs["bounds"] = "latitude_bnds"
    path.unlink()
    data.to_netcdf(path, encoding={"tas_mean": {"_FillValue": -1e30}})
    return values


def test_hadcrut5(tmp_path):
    values = write_hadcrut5(tmp_path / "HadCRUT.5.0.2.0.analysis.anomalies.ensemble_mean.nc")
    message = refusal(tmp_path)
    assert "tas_mean (no standard name)" in message
    assert "--map" in message
    data = read_files([tmp_path], choices=mapped(tasa="tas_mean"))
    assert months(data) == JAN
    turned = np.roll(values, 6, axis=2)
    np.testing.assert_allclose(data["tasa"][0], turned, atol=1e-6)
    assert data["lon"].values[0] == 0


def test_hadcrut5_members_are_selected(tmp_path):
    path = tmp_path / "members.nc"
    data = write(path, {"tas": (SHAPE, {"units": "K"})}, lat="latitude", lon="longitude")
    both = xr.concat([data["tas"], data["tas"] + 1], "realization").transpose("time", ...)
    both = both.assign_coords(realization=("realization", [1, 2]))
    path.unlink()
    data.drop_vars("tas").assign(tas=both).to_netcdf(path)
    message = refusal(path, choices=mapped(tasa="tas"))
    assert "2 values of 'realization'" in message
    assert "--select realization=1" in message
    choices = Choices(names=(("tasa", "tas"),), select=(("realization", "2"),))
    np.testing.assert_allclose(read_files([path], choices=choices)["tasa"][0], SHAPE + 1, atol=1e-6)
    for wrong, words in (("3", "1, 2 on 'realization'"), ("one", "asks for 'one'")):
        choices = Choices(names=(("tasa", "tas"),), select=(("realization", wrong),))
        assert words in refusal(path, choices=choices)
    choices = Choices(names=(("tasa", "tas"),), select=(("realization", "1"), ("plev", "1")))
    assert "no 'plev'" in refusal(path, choices=choices)


def write_berkeley(path, years):
    """Land_and_Ocean_LatLong1.nc: decimal years, an anomaly, its climatology and a land mask."""
    attrs = {
        "units": "degree C",
        "standard_name": "surface_temperature_anomaly",
        "long_name": "Air Surface Temperature Anomaly",
        "valid_min": -21.0,
        "valid_max": 19.0,
    }
    time = ("time", years, {"units": "year A.D.", "standard_name": "time", "long_name": "Time"})
    data = write(
        path, {"temperature": (SHAPE, attrs)}, time=time, bounds=False, lat="latitude",
        lon="longitude", columns=LON - 180,
        Conventions="Berkeley Earth Internal Convention (based on CF-1.5)",
        title="Native Format Berkeley Earth Surface Temperature Anomaly Field",
    )  # fmt: skip
    plane = ("latitude", "longitude")
    data["land_mask"] = (plane, np.zeros((LAT.size, LON.size)))
    climatology = {"units": "degree C", "standard_name": "surface_temperature"}
    data["climatology"] = (("month_number", *plane), np.ones((12, *SHAPE.shape[1:])), climatology)
    path.unlink()
    data.to_netcdf(path)


def test_berkeley_earth(tmp_path):
    path = tmp_path / "Land_and_Ocean_LatLong1.nc"
    write_berkeley(path, 2020 + (np.arange(N) + 0.5) / 12)
    assert recognise([path]) == "cf"
    data = read_files([path])
    assert list(data.data_vars) == ["tasa"]
    assert months(data) == JAN
    np.testing.assert_allclose(data["tasa"][0], np.roll(SHAPE, 6, axis=2), atol=1e-6)
    path.unlink()
    write_berkeley(path, 2020 + np.arange(N) / 12)
    assert "--stamp start or --stamp end" in refusal(path)
    assert months(read_files([path], choices=Choices(stamp="start"))) == JAN


def test_noaaglobaltemp(tmp_path):
    """anom on (time, z, lat, lon), first days, no bounds."""
    path = tmp_path / "NOAAGlobalTemp_v6.0.0_gridded.nc"
    data = write(
        path, {}, time=("time", LOW + 80353, {**SINCE, "units": "days since 1800-01-01"}),
        bounds=False, title="NOAA Merged Land Ocean Global Surface Temperature Analysis",
    )  # fmt: skip
    data = data.assign_coords(z=("z", [0.0], {"units": "meters", "axis": "Z", "positive": "up"}))
    attrs = {"units": "degrees C", "long_name": "surface temperature anomalies"}
    data["anom"] = (("time", "z", "lat", "lon"), SHAPE[:, None], attrs)
    path.unlink()
    data.to_netcdf(path, encoding={"anom": {"_FillValue": -999.9}})
    assert "anom (no standard name)" in refusal(path)
    assert "--stamp" in refusal(path, choices=mapped(tasa="anom"))
    choices = Choices(names=(("tasa", "anom"),), stamp="start")
    found = read_files([path], choices=choices)
    assert months(found) == JAN
    np.testing.assert_allclose(found["tasa"][0], SHAPE, atol=1e-6)


def test_hadisst(tmp_path):
    """Sea surface temperature in C with -1000 where all is ice and -1e30 over land."""
    values = 12 + SHAPE
    values[:, 0], values[:, 4, 3] = -1000.0, np.nan
    path = tmp_path / "HadISST_sst.nc"
    attrs = {"units": "C", "standard_name": "sea_surface_temperature", "long_name": "sst",
             "cell_methods": "time: lat: lon: mean"}  # fmt: skip
    data = write(
        path, {"sst": (values, attrs)}, lat="latitude", lon="longitude", rows=LAT[::-1],
        columns=LON - 180, source="HadISST",
        title="Monthly version of HadISST sea surface temperature component",
    )  # fmt: skip
    path.unlink()
    data.to_netcdf(path, encoding={"sst": {"_FillValue": -1e30}})
    assert recognise([path]) == "hadisst"
    tos = read_files([path])["tos"][0].values
    wanted = np.where(values == -1000.0, -1.8, values) + 273.15
    np.testing.assert_allclose(tos, np.roll(wanted, 6, axis=2)[:, ::-1], rtol=1e-6)
    assert np.isnan(tos).sum() == N


def write_eobs(path, name, values, attrs, days):
    time = ("time", days, {"units": "days since 1950-01-01 00:00", "standard_name": "time"})
    rows, columns = np.arange(40.0, 60, 5), np.arange(0.0, 20, 5)
    plane = (rows.size, columns.size)
    data = xr.Dataset(
        {name: (("time", "latitude", "longitude"), values * np.ones((len(days), *plane)), attrs)},
        {"time": time, "latitude": ("latitude", rows, NORTH),
         "longitude": ("longitude", columns, EAST)},
    )  # fmt: skip
    data.attrs["E-OBS_version"] = "30.0e"
    data.to_netcdf(path)
    return data


def test_eobs_is_daily(tmp_path):
    attrs = {
        "units": "Celsius",
        "standard_name": "air_temperature",
        "long_name": "mean temperature",
    }
    path = tmp_path / "tg_ens_mean_0.1deg_reg_v30.0e.nc"
    write_eobs(path, "tg", 9.0, attrs, np.arange(60) + 0.5)
    assert "no height" in refusal(path)
    assert "1950-01 31 times; give monthly means" in refusal(path, choices=mapped(tas="tg"))


def test_eobs_as_cdo_averages_it(tmp_path):
    """cdo monmean: the middle of the days' stamps, bounds from the first to the last of them."""
    days, bounds = np.array([15.5, 45.0]), np.array([[0.5, 30.5], [31.5, 58.5]])
    for name, value, attrs in (
        ("tg", 9.0, {"units": "Celsius", "standard_name": "air_temperature"}),
        ("rr", 2.0, {"units": "mm", "standard_name": "thickness_of_rainfall_amount"}),
    ):
        path = tmp_path / f"{name}_mon.nc"
        data = write_eobs(path, name, value, attrs, days)
        data["time_bnds"] = (("time", "bnds"), bounds)
        data["time"].attrs["bounds"] = "time_bnds"
        path.unlink()
        data.to_netcdf(path)
    choices = Choices(names=(("tas", "tg"), ("pr", "rr")))
    assert "--amount day or --amount month" in refusal(tmp_path, choices=choices)
    data = read_files([tmp_path], choices=Choices(names=choices.names, amount="day"))
    assert months(data) == ["1950-01", "1950-02"]
    np.testing.assert_allclose(data["tas"], 282.15, rtol=1e-6)
    np.testing.assert_allclose(data["pr"], 2.0 / 86400, rtol=1e-6)
    a_month = read_files([tmp_path], choices=Choices(names=choices.names, amount="month"))
    np.testing.assert_allclose(a_month["pr"][0, 1], 2.0 / 86400 / 28, rtol=1e-6)


# Variables


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


def test_pressure_levels_need_one_selected(tmp_path):
    path = tmp_path / "f.nc"
    data = write(path, {"t": temperature()})
    levels = data["t"].expand_dims({"plev": [100_000.0, 92_500.0]}, 1) + xr.DataArray(
        [0.0, -3.0], dims="plev"
    )
    path.unlink()
    data.assign(t=levels.assign_attrs(data["t"].attrs)).to_netcdf(path)
    assert "2 values of 'plev'" in refusal(path, choices=mapped(tas="t"))
    choices = Choices(names=(("tas", "t"),), select=(("plev", "92500"),))
    data = read_files([path], choices=choices)
    np.testing.assert_allclose(data["tas"][0], 280 + SHAPE, rtol=1e-6)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"names": ["tasa"]}, "no pair such as"),
        ({"names": ["wind=u"]}, "knows no 'wind'"),
        ({"names": ["tas=a", "tas=b"]}, "twice"),
        ({"names": ["tas=a", "tasa=a"]}, "two names"),
        ({"stamp": "noon"}, "start, end, middle"),
        ({"amount": "year"}, "day, month"),
        ({"select": ["plev"]}, "no pair"),
    ],
)
def test_words_that_are_no_choice(words, said):
    with pytest.raises(SourceError, match=said):
        Choices.read(**words)


def test_maps_of_known_layouts_and_of_nothing(tmp_path):
    write(tmp_path / "f.nc", {"slp": pressure(standard_name="")})
    assert "--map is for --source cf" in refusal(tmp_path, source="ncep", choices=mapped(psl="slp"))
    assert "no 'mslp'" in refusal(tmp_path, choices=mapped(psl="slp", tas="mslp"))
    assert list(read_files([tmp_path], choices=mapped(psl="slp")).data_vars) == ["psl"]


# Axes


@pytest.mark.parametrize(("time", "lat", "lon"), [("T", "Y", "X"), ("t", "nav_lat", "nav_lon")])
def test_axes_of_any_name(tmp_path, time, lat, lon):
    stamps = (time, (LOW + HIGH) / 2, {"units": "days since 2020-01-01"})
    write(tmp_path / "f.nc", {"tas": temperature()}, time=stamps, lat=lat, lon=lon)
    data = read_files([tmp_path])
    assert months(data) == JAN
    np.testing.assert_allclose(data["tas"][0], 283 + SHAPE, rtol=1e-6)


def test_a_curvilinear_grid_is_refused_with_the_remedy(tmp_path):
    """tos of CMIP6 table Omon on its native grid gn."""
    lat2, lon2 = np.meshgrid(LAT, LON, indexing="ij")
    data = xr.Dataset(
        {"tos": (("time", "j", "i"), 285 + SHAPE,
                 {"units": "K", "standard_name": "sea_surface_temperature"})},
        {"time": ("time", (LOW + HIGH) / 2, SINCE),
         "latitude": (("j", "i"), lat2, NORTH), "longitude": (("j", "i"), lon2, EAST)},
    )  # fmt: skip
    data.to_netcdf(tmp_path / "tos_Omon.nc")
    assert "cdo remapcon" in refusal(tmp_path)


def test_a_rotated_pole_is_no_latitude(tmp_path):
    rotated = {"units": "degrees", "standard_name": "grid_latitude", "axis": "Y"}
    path = tmp_path / "f.nc"
    data = write(path, {"tas": temperature()}, lat="rlat", lon="rlon")
    data["rlat"].attrs = rotated
    data["rlon"].attrs = {**rotated, "standard_name": "grid_longitude", "axis": "X"}
    path.unlink()
    data.to_netcdf(path)
    assert "no coordinate 'lat'" in refusal(path)


# Files, stores and addresses


@pytest.mark.parametrize("name", ["a.NC", "a.nc4", "a.netcdf", "a.h5", "a.Nc"])
def test_endings_of_files(tmp_path, name):
    write(tmp_path / name, {"tas": temperature()})
    (tmp_path / "._a.nc").write_bytes(b"\x00\x05\x16\x07 Mac OS X")
    (tmp_path / ".hidden.nc").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("none of it")
    assert months(read_files([tmp_path])) == JAN
    assert "companion file of macOS" in refusal(tmp_path / "._a.nc")


@pytest.mark.parametrize("form", [2, 3])
@pytest.mark.parametrize("name", ["a.zarr", "store"])
def test_zarr_stores(tmp_path, name, form):
    data = write(tmp_path / "f.nc", {"tas": temperature()})
    (tmp_path / "f.nc").unlink()
    data.to_zarr(tmp_path / name, zarr_format=form, consolidated=False)
    for given in (tmp_path / name, tmp_path, str(tmp_path / name)):
        found = read_files([given])
        assert months(found) == JAN
        np.testing.assert_allclose(found["tas"][0], 283 + SHAPE, rtol=1e-6)


def test_a_store_without_zarr_is_told_which_extra(tmp_path, monkeypatch):
    store = tmp_path / "a.zarr"
    store.mkdir()
    monkeypatch.setattr(places, "find_spec", lambda _: None)
    assert "pip install 'mlda-climate[scale]'" in refusal(store)
    monkeypatch.undo()
    assert "a.zarr cannot be read as a Zarr store" in refusal(store)


def test_addresses_are_opened_as_they_are(tmp_path, monkeypatch):
    path = tmp_path / "f.nc"
    write(path, {"tas": temperature()})
    asked = []

    def opened(place, **how):
        asked.append((place, how["engine"]))
        return open_dataset(path, engine="netcdf4", decode_cf=False)

    open_dataset = xr.open_dataset
    monkeypatch.setattr(places.xr, "open_dataset", opened)
    address = "https://psl.noaa.gov/thredds/dodsC/Datasets/f.nc"
    assert months(read_files([address])) == JAN
    assert set(asked) == {(address, "netcdf4")}
    assert read_files([address]).equals(read_files([Address(address)]))


def test_a_refused_connection_is_one_sentence():
    message = refusal("http://127.0.0.1:9/dodsC/f.nc")
    assert message.startswith("http://127.0.0.1:9/dodsC/f.nc cannot be read as OPeNDAP")
    assert "check the address" in message


def test_schemes_that_nothing_reads():
    assert "'ftp'" in refusal("ftp://127.0.0.1/f.nc")


def test_a_server_that_fails_while_it_is_read(tmp_path, monkeypatch):
    def failing(*_):
        raise RuntimeError("NetCDF: DAP failure")

    write(tmp_path / "f.nc", {"tas": temperature()})
    monkeypatch.setattr(
        netcdf, "open_served", lambda _: xr.open_dataset(tmp_path / "f.nc", decode_cf=False)
    )
    monkeypatch.setattr(netcdf, "is_eof_file", failing)
    with pytest.raises(SourceError, match=r"^https://example.org/f.nc .*DAP failure.*\.$"):
        read_files(["https://example.org/f.nc"], "cf")


# What was read


def test_the_origin_of_every_variable_is_told(tmp_path):
    write(tmp_path / "f.nc", {"tas": temperature(), "mslp": pressure(units="Pa")})
    told = []
    read_files([tmp_path], tell=told.append)
    assert [str(origin) for origin in told] == [
        "psl from mslp (Pa) in f.nc, 2020-01 to 2020-04; months by the bounds 'time_bnds'",
        "tas from tas (K) in f.nc, 2020-01 to 2020-04; months by the bounds 'time_bnds'",
    ]
