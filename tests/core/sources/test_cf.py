"""Any CF dataset, by standard names or --map: layouts of public files, with the right values.

The headers are those of the providers' files where other people's listings of them were found
(HadCRUT5, Berkeley Earth, HadISST), and otherwise as their programs read them; docs/data.md says
which of them were not tried with the real downloads."""

import numpy as np
import xarray as xr
from cf_files import (
    EAST,
    HIGH,
    JAN,
    LAT,
    LON,
    LOW,
    NORTH,
    SHAPE,
    SINCE,
    N,
    mapped,
    months,
    pressure,
    temperature,
    write,
)
from refusals import refusal

from mlda_core.sources.choices import Choices
from mlda_core.sources.prepare import read_files, recognise
from mlda_core.sources.regrid import grid_of_step


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


# Days


BY_DAY = Choices.read(step="day")


def write_days(path, calendar, first, count, *, missing=None, **attrs):
    """Daily means of CMIP, table day: noon with bounds."""
    days = np.arange(count) + 0.5
    if missing is not None:
        days = np.delete(days, missing)
    time = {"units": f"days since {first}", "calendar": calendar, "bounds": "time_bnds"}
    values = 283.0 + days[:, None, None] + np.zeros((LAT.size, LON.size))
    xr.Dataset(
        {
            "tas": (("time", "lat", "lon"), values,
                    {"units": "K", "standard_name": "air_temperature", **attrs}),
            "time_bnds": (("time", "bnds"), np.stack([days - 0.5, days + 0.5], 1)),
        },
        {"time": ("time", days, time), "lat": ("lat", LAT, NORTH), "lon": ("lon", LON, EAST)},
    ).to_netcdf(path)  # fmt: skip
    return path


def test_daily_means_of_real_years_and_of_years_without_leap_days(tmp_path):
    for calendar, days in (("proleptic_gregorian", 4), ("noleap", 3)):
        path = write_days(tmp_path / f"{calendar}.nc", calendar, "1984-02-27", days)
        data = read_files([path], choices=BY_DAY)
        leap = ["1984-02-29"] if calendar != "noleap" else []
        expected = ["1984-02-27", "1984-02-28", *leap, "1984-03-01"]
        assert [str(t) for t in data["time"].values.astype("datetime64[D]")] == expected
        np.testing.assert_allclose(data["tas"][0, :, 0, 0], 283.5 + np.arange(days))
        assert data.attrs["frequency"] == "day"
        assert data["tas"].attrs["cell_methods"] == "time: mean"
        # Without the step a daily file is refused as before, with both remedies.
        message = refusal(path)
        assert "over 1 d" in message
        assert "add --step day, or give the monthly file" in message


def test_a_missing_day_is_named_and_29_february_of_noleap_is_not_missing(tmp_path):
    path = write_days(tmp_path / "a.nc", "standard", "1984-02-27", 6, missing=2)
    assert "ends tas with 1984-02-28 and no file has 1984-02-29" in refusal(path, choices=BY_DAY)
    path = write_days(tmp_path / "a.nc", "noleap", "1984-02-27", 6, missing=3)
    assert "no file has 1984-03-02" in refusal(path, choices=BY_DAY)


def test_days_of_a_360_day_calendar_are_refused_and_its_months_are_not(tmp_path):
    path = write_days(tmp_path / "a.nc", "360_day", "1984-02-01", 30)
    message = refusal(path, choices=BY_DAY)
    assert "the calendar 360_day, whose days are not those of the standard one" in message
    assert "convert_calendar('standard', align_on='year')" in message
    with xr.open_dataset(path, decode_times=False) as opened:
        month = opened.mean("time", keepdims=True).assign_coords(
            time=("time", [15.0], opened["time"].attrs)
        )
        month["time_bnds"] = (("time", "bnds"), [[0.0, 30.0]])
        month["tas"].attrs.update(opened["tas"].attrs)
        month["lat"].attrs.update(NORTH)
        month["lon"].attrs.update(EAST)
        month.to_netcdf(tmp_path / "m.nc")
    assert months(read_files([tmp_path / "m.nc"])) == ["1984-02"]


def test_the_state_at_a_time_is_a_day_and_no_month(tmp_path):
    path = tmp_path / "f.nc"
    attrs = {"units": "K", "standard_name": "air_temperature", "cell_methods": "time: point"}
    time = ("time", np.arange(4.0), SINCE)
    write(path, {"tas": (283 + SHAPE, attrs)}, time=time, bounds=False)
    data = read_files([path], choices=BY_DAY)
    assert [str(t)[:13] for t in data["time"].values[:2]] == ["2020-01-01T00", "2020-01-02T00"]
    assert data["tas"].attrs["cell_methods"] == "time: point"
    assert "a point in time and no mean" in refusal(path)


def test_eobs_by_day(tmp_path):
    attrs = {"units": "Celsius", "standard_name": "air_temperature", "long_name": "mean"}
    path = tmp_path / "tg_ens_mean_0.1deg_reg_v30.0e.nc"
    write_eobs(path, "tg", 9.0, attrs, np.arange(60.0))
    choices = Choices.read(names=["tas=tg"], step="day")
    assert "--stamp start or --stamp end" in refusal(path, choices=choices)
    choices = Choices.read(names=["tas=tg"], step="day", stamp="start")
    data = read_files([path], choices=choices)
    assert data.sizes["time"] == 60
    path.unlink()
    write_eobs(tmp_path / "rr.nc", "rr", 2.0, {"units": "mm"}, np.arange(60) + 0.5)
    rain = {"names": ["pr=rr"], "step": "day"}
    assert "--amount day or --amount hour" in refusal(tmp_path, choices=Choices.read(**rain))
    data = read_files([tmp_path], choices=Choices.read(**rain, amount="day"))
    np.testing.assert_allclose(data["pr"], 2.0 / 86400, rtol=1e-6)
    data = read_files([tmp_path], choices=Choices.read(**rain, amount="hour"))
    np.testing.assert_allclose(data["pr"], 2.0 / 3600, rtol=1e-6)
