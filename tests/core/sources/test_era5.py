"""ERA5 monthly means, in the old and the present netCDF layout of the Climate Data Store."""

import numpy as np
import pytest
import xarray as xr
from downloads import MONTHS, field, write_era5

from mlda_core.sources import SourceError
from mlda_core.sources.choices import Choices
from mlda_core.sources.prepare import read_files, recognise

LAT, LON = np.arange(80, -81, -20.0), np.arange(0, 360, 30.0)
PSL = field(MONTHS, LAT, LON, mean=101_000, spread=500)
TAS = field(MONTHS, LAT, LON, mean=283, spread=10, seed=1)
RAIN = 2e-3 + 1e-3 * np.cos(field(MONTHS, LAT, LON, mean=0, spread=2, seed=2))  # m a day
SEA = np.clip(field(MONTHS, LAT, LON, mean=288, spread=6, seed=3), 271.35, 308.0)
SEA[:, 2:5, 1:4] = np.nan
FIELDS = {
    "msl": (PSL, "Pa"),
    "t2m": (TAS, "K"),
    "sst": (SEA, "K"),
    "tp": (RAIN, "m"),
}
STEP = {"msl": 0.1, "t2m": 1e-3, "sst": 1e-3, "tp": 1e-6}
TO_FLUX = 1000 / 86400


def upright(values):
    return values[:, ::-1]


def check(data, atol=None):
    """Compare with what was written, up to the packing's steps."""
    truth = {"psl": PSL, "tas": TAS, "tos": SEA, "pr": RAIN * TO_FLUX}
    steps = {"psl": 0.1, "tas": 2e-3, "tos": 2e-3, "pr": 1e-9}
    assert list(data.data_vars) == ["psl", "tos", "tas", "pr"]
    for name, values in truth.items():
        np.testing.assert_allclose(data[name][0], upright(values), atol=atol or steps[name])
    assert data["pr"].attrs["units"] == "kg m-2 s-1"
    np.testing.assert_array_equal(data["lat"], LAT[::-1])


def test_old_layout(tmp_path):
    write_era5(tmp_path / "era5.nc", FIELDS, LAT, LON, months=MONTHS, new=False)
    assert recognise([tmp_path]) == "era5"
    data = read_files([tmp_path])
    check(data)
    assert [str(t)[:10] for t in data["time"].values[:2]] == ["1999-11-15", "1999-12-15"]


@pytest.mark.parametrize("kind", ["NETCDF3_CLASSIC", "NETCDF3_64BIT"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.99])
def test_a_classic_file_that_ends_early_is_refused(tmp_path, kind, share):
    # The C library reads zeros past its end: packed, they are the field's middle.
    write_era5(tmp_path / "new.nc", FIELDS, LAT, LON, months=MONTHS, new=False)
    with xr.open_dataset(tmp_path / "new.nc", decode_cf=False) as data:
        data.load().to_netcdf(tmp_path / "whole.nc", format=kind)
    (tmp_path / "new.nc").unlink()
    check(read_files([tmp_path / "whole.nc"]))
    whole = (tmp_path / "whole.nc").read_bytes()
    (tmp_path / "cut.nc").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(SourceError, match=r"cut\.nc is truncated; download it again\.$"):
        read_files([tmp_path / "cut.nc"])


def test_present_layout_with_accumulations_in_a_file_of_their_own(tmp_path):
    instant = {k: v for k, v in FIELDS.items() if k != "tp"}
    versions = ["0001"] * 14 + ["0005"] * 2
    write_era5(
        tmp_path / "data_stream-moda_stepType-avgua.nc", instant, LAT, LON, months=MONTHS,
        new=True, expver=versions,
    )  # fmt: skip
    write_era5(
        tmp_path / "data_stream-moda_stepType-avgad.nc", {"tp": FIELDS["tp"]}, LAT, LON,
        months=MONTHS, new=True, hour=6, expver=versions,
    )  # fmt: skip
    assert recognise([tmp_path]) == "era5"
    check(read_files([tmp_path]))


def test_final_and_preliminary_months_are_merged(tmp_path):
    final, early = {}, {}
    both = {}
    for name, (values, units) in FIELDS.items():
        final[name], early[name] = values.copy(), values.copy()
        final[name][-3:] = np.nan
        early[name][:-3] = np.nan
        both[name] = np.stack([final[name], early[name]], axis=1), units
    write_era5(tmp_path / "e.nc", both, LAT, LON, months=MONTHS, new=False, numbers=[1, 5])
    check(read_files([tmp_path]))


def test_mean_rates_are_taken_before_accumulations(tmp_path):
    fields = {"tp": (0 * RAIN + 1, "m"), "avg_tprate": (RAIN * TO_FLUX, "kg m**-2 s**-1")}
    write_era5(tmp_path / "e.nc", fields, LAT, LON, months=MONTHS, new=True)
    data = read_files([tmp_path])
    np.testing.assert_allclose(data["pr"][0], upright(RAIN * TO_FLUX), rtol=1e-6)


def test_a_region_with_both_signs_of_longitude(tmp_path):
    lat, lon = np.arange(72, 33, -6.0), np.arange(-12, 25, 6.0)
    values = field(MONTHS, lat, lon, mean=101_000, spread=500)
    write_era5(tmp_path / "e.nc", {"msl": (values, "Pa")}, lat, lon, months=MONTHS, new=True)
    data = read_files([tmp_path])
    np.testing.assert_array_equal(data["lon"], np.arange(348, 385, 6))
    np.testing.assert_allclose(data["psl"][0], upright(values), rtol=2e-7)


def test_hours_of_the_day_are_no_months(tmp_path):
    months = np.repeat(MONTHS[:8], 2)
    write_era5(tmp_path / "e.nc", {"msl": (PSL, "Pa")}, LAT, LON, months=months, new=True)
    with pytest.raises(SourceError, match=r"1999-11 2 times.*once\.$"):
        read_files([tmp_path])


def test_rain_in_other_units_is_named(tmp_path):
    write_era5(tmp_path / "e.nc", {"tp": (RAIN, "kg")}, LAT, LON, months=MONTHS, new=True)
    with pytest.raises(SourceError, match=r"e\.nc has tp in 'kg'.*\.$"):
        read_files([tmp_path])


# GRIB's two times, as cfgrib and earthkit write them


def write_cfgrib(path, name, values, units, *, hour=0, time_before=False, valid=True, **attrs):
    """As ``cfgrib``'s open_dataset and to_netcdf: time is where the forecast began."""
    begin = MONTHS.astype("datetime64[h]")
    reference = begin - np.timedelta64(6, "h") if time_before else begin
    step = np.timedelta64(12 if time_before else 0, "h")
    data = xr.Dataset(
        {name: (("time", "latitude", "longitude"), values, {"units": units, **attrs})},
        {
            "time": ("time", reference.astype("datetime64[ns]"),
                     {"standard_name": "forecast_reference_time"}),
            "latitude": ("latitude", LAT, {"units": "degrees_north"}),
            "longitude": ("longitude", LON, {"units": "degrees_east"}),
            "number": 0,
            "surface": 0.0,
        },
        {"GRIB_centre": "ecmf", "institution": "European Centre for Medium-Range Forecasts"},
    )  # fmt: skip
    if valid:
        stamps = (reference + step).astype("datetime64[ns]")
        data = data.assign_coords(valid_time=("time", stamps, {"standard_name": "time"}))
        data = data.assign_coords(step=step.astype("timedelta64[ns]"))
    data.to_netcdf(path)


def stamps(data):
    return [str(t)[:7] for t in data["time"].values]


WANTED = [str(month) for month in MONTHS]


def test_valid_time_wins_over_the_reference_time(tmp_path):
    write_cfgrib(tmp_path / "tp.nc", "tp", RAIN, "m", time_before=True)
    data = read_files([tmp_path / "tp.nc"])
    assert stamps(data) == WANTED
    np.testing.assert_allclose(data["pr"][0], upright(RAIN) * TO_FLUX, rtol=1e-6)
    # Merged with fields whose reference time is in the month itself.
    write_cfgrib(tmp_path / "msl.nc", "msl", PSL, "Pa")
    both = read_files([tmp_path])
    assert stamps(both) == WANTED
    assert both["pr"].equals(data["pr"])
    np.testing.assert_allclose(both["psl"][0], upright(PSL), rtol=2e-7)


def test_a_reference_time_alone_is_refused(tmp_path):
    write_cfgrib(tmp_path / "tp.nc", "tp", RAIN, "m", time_before=True, valid=False)
    with pytest.raises(SourceError, match=r"reference times of forecasts on 'time'.*\.$"):
        read_files([tmp_path])
    with xr.open_dataset(tmp_path / "tp.nc") as opened:
        data = opened.load()
    data["time"].attrs = {}
    (tmp_path / "tp.nc").unlink()
    data.to_netcdf(tmp_path / "tp.nc")
    with pytest.raises(SourceError, match=r"1999-10-31 18:00.*valid_time.*--stamp.*\.$"):
        read_files([tmp_path])
    assert stamps(read_files([tmp_path], choices=Choices(stamp="start"))) == WANTED


def test_months_along_a_reference_time_with_valid_time(tmp_path):
    """earthkit's to_xarray, time_dim_mode='forecast' with valid_time added."""
    write_cfgrib(tmp_path / "a.nc", "2t", TAS, "K", time_before=True)
    with xr.open_dataset(tmp_path / "a.nc") as opened:
        data = opened.load().rename(time="forecast_reference_time")
    (tmp_path / "a.nc").unlink()
    data.to_netcdf(tmp_path / "a.nc")
    found = read_files([tmp_path])
    assert stamps(found) == WANTED
    np.testing.assert_allclose(found["tas"][0], upright(TAS), rtol=1e-6)


# Names that other programs give


def write_renamed(path, fields, *, attrs=None, lat="latitude", lon="longitude", history=""):
    data = xr.Dataset(
        {name: (("time", lat, lon), values, {"units": units, **(more or {})})
         for name, (values, units, more) in fields.items()},
        {"time": MONTHS.astype("datetime64[ns]"), lat: LAT, lon: LON},
        {"title": "ERA5", "history": history, **(attrs or {})},
    )  # fmt: skip
    data.to_netcdf(path)


@pytest.mark.parametrize(("lat", "lon"), [("latitude", "longitude"), ("lat", "lon")])
def test_the_names_of_arco_era5(tmp_path, lat, lon):
    fields = {
        "2m_temperature": (TAS, "K", None),
        "mean_sea_level_pressure": (PSL, "Pa", None),
        "sea_surface_temperature": (SEA, "K", None),
        "total_precipitation": (RAIN, "m day**-1", None),
    }
    write_renamed(tmp_path / "a.nc", fields, lat=lat, lon=lon)
    assert recognise([tmp_path]) == "era5"
    check(read_files([tmp_path]), atol=0.01)


@pytest.mark.parametrize(
    ("name", "attrs", "history", "amount"),
    [
        ("tp", {}, "", "day"),
        ("tp", {"GRIB_stepType": "avgad"}, "", "day"),
        ("tp", {"GRIB_stepType": "accum"}, "", ""),
        ("tp", {"GRIB_stepType": "accum", "GRIB_stream": "moda"}, "", "day"),
        ("tp", {}, "cdo monmean hourly.nc tp.nc", ""),
        ("tp", {}, "cdo monsum hourly.nc tp.nc", ""),
        ("tp", {"cell_methods": "time: sum"}, "", "month"),
        ("total_precipitation", {}, "", ""),
        ("total_precipitation", {"GRIB_stepType": "avgad"}, "", "day"),
        ("total_precipitation", {}, "reanalysis-era5-single-levels-monthly-means", "day"),
        ("total_precipitation", {"cell_methods": "time: sum"}, "", "month"),
    ],
)
def test_an_amount_of_rain_is_one_a_day_where_the_file_says_so(
    tmp_path, name, attrs, history, amount
):
    days = (MONTHS + 1).astype("datetime64[D]") - MONTHS.astype("datetime64[D]")
    lengths = days.astype(float)[:, None, None]
    values = RAIN * lengths if amount == "month" else RAIN
    write_renamed(tmp_path / "a.nc", {name: (values, "m", attrs)}, history=history)
    if amount:
        data = read_files([tmp_path])
    else:
        with pytest.raises(SourceError, match=r"--amount day or --amount month\.$"):
            read_files([tmp_path])
        data = read_files([tmp_path], choices=Choices(amount="day"))
    np.testing.assert_allclose(data["pr"][0], upright(RAIN) * TO_FLUX, rtol=1e-5)


def test_files_that_do_not_say_whose_they_are_are_asked_about(tmp_path):
    write_renamed(tmp_path / "a.nc", {"t2m": (TAS, "K", None)}, attrs={"title": "temperature"})
    with pytest.raises(SourceError, match=r"1999-11-01, and nothing tells.*--stamp end\.$"):
        read_files([tmp_path])
    assert stamps(read_files([tmp_path], choices=Choices(stamp="start"))) == WANTED
    late = stamps(read_files([tmp_path], choices=Choices(stamp="end")))
    assert late == [str(month - 1) for month in MONTHS]


# Days: the store's daily statistics, made of hourly data by earthkit-transforms


DAYS = np.arange("2020-02-27", "2020-03-03", dtype="datetime64[D]")
HISTORY = (
    "2025-01-01T00:00 GRIB to CDM+CF via cfgrib-0.9.14.1/ecCodes-2.36.0 with {{}}\n"
    "earthkit.transforms.aggregate.temporal.daily_reduce({}_stream-oper, how={}, "
    "**{{'time_shift': {{'hours': {}}}, 'remove_partial_periods': True}})"
)
BY_DAY = Choices.read(step="day")


def write_daily(
    path, name, values, units, *, how="mean", shift=0, levels=None, kind="instant", history=HISTORY
):
    """As derived-era5-...-daily-statistics has it: ``valid_time`` in days, a scalar ``number``."""
    dims = ["valid_time", "latitude", "longitude"]
    coords = {
        "valid_time": ("valid_time", np.arange(DAYS.size),
                       {"units": f"days since {DAYS[0]} 00:00:00",
                        "calendar": "proleptic_gregorian", "long_name": "time"}),
        "latitude": ("latitude", LAT, {"units": "degrees_north"}),
        "longitude": ("longitude", LON, {"units": "degrees_east"}),
        "number": 0,
    }  # fmt: skip
    if levels is not None:
        dims.insert(1, "pressure_level")
        coords["pressure_level"] = ("pressure_level", levels, {"units": "hPa"})
    attrs = {"units": units, "GRIB_stepType": kind, "GRIB_shortName": name}
    data = xr.Dataset(
        {name: (dims, values.astype(np.float32), attrs)},
        coords,
        {
            "GRIB_centre": "ecmf",
            "Conventions": "CF-1.7",
            "institution": "European Centre for Medium-Range Weather Forecasts",
            "history": history.format(name, how, shift),
        },
    )
    data.to_netcdf(path)


@pytest.fixture
def statistics(tmp_path):
    """Six variables, each in a file of its own as the store's archive has them."""
    made = {
        "t2m": field(DAYS, LAT, LON, mean=283, spread=10, seed=1),
        "msl": field(DAYS, LAT, LON, mean=101_000, spread=500),
        "z": field(DAYS, LAT, LON, mean=54_900, spread=1500, seed=2),
        "u": field(DAYS, LAT, LON, mean=1, spread=8, seed=3),
        "v": field(DAYS, LAT, LON, mean=0, spread=5, seed=4),
        "tp": 1e-4 + 5e-5 * np.cos(field(DAYS, LAT, LON, mean=0, spread=2, seed=5)),
    }

    def column(name, level):
        return np.stack([made[name] + 100, made[name]][:: 1 if level else -1], axis=1)

    write_daily(tmp_path / "2m_temperature_0_daily-mean.nc", "t2m", made["t2m"], "K")
    write_daily(tmp_path / "mean_sea_level_pressure_0_daily-mean.nc", "msl", made["msl"], "Pa")
    write_daily(
        tmp_path / "total_precipitation_0_daily-mean.nc", "tp", made["tp"], "m", shift=-1,
        kind="accum",
    )  # fmt: skip
    write_daily(
        tmp_path / "geopotential_stream-oper_daily-mean.nc", "z", column("z", 1), "m**2 s**-2",
        levels=[850.0, 500.0],
    )  # fmt: skip
    for name, word in (("u", "u_component_of_wind"), ("v", "v_component_of_wind")):
        path = tmp_path / f"{word}_0_daily-mean.nc"
        write_daily(path, name, column(name, 0), "m s**-1", levels=[850.0, 500.0])
    return tmp_path, made


def test_daily_statistics(statistics):
    folder, made = statistics
    assert recognise([folder], BY_DAY) == "era5"
    told = []
    data = read_files([folder], choices=BY_DAY, tell=lambda origin: told.append(str(origin)))
    assert list(data.data_vars) == ["psl", "tas", "pr", "zg500", "ua850", "va850"]
    assert data.attrs["frequency"] == "day"
    assert [str(t)[:13] for t in data["time"].values] == [f"{day}T12" for day in DAYS]
    assert [str(t)[:13] for t in data["time_bnds"].values[2]] == ["2020-02-29T00", "2020-03-01T00"]
    # A mean of hourly accumulations is an amount an hour.
    scales = {"psl": ("msl", 1), "tas": ("t2m", 1), "zg500": ("z", 1 / 9.80665), "ua850": ("u", 1),
              "va850": ("v", 1), "pr": ("tp", 1000 / 3600)}  # fmt: skip
    for name, (short, scale) in scales.items():
        np.testing.assert_allclose(
            data[name][0], upright(made[short]) * scale, rtol=1e-5, atol=1e-5
        )
        assert data[name].attrs["cell_methods"] == "time: mean"
    np.testing.assert_allclose(data["pr"][0], upright(made["tp"]) / 3.6, rtol=1e-5)
    assert (
        "zg500 from z (m**2 s**-2) in geopotential_stream-oper_daily-mean.nc, 2020-02-27 to "
        "2020-03-02; means over days by era5's convention, at their start (else give --stamp end)"
    ) in told


def test_daily_sums_of_rain_and_other_statistics(tmp_path):
    rain = np.full((DAYS.size, LAT.size, LON.size), 2.4e-3)
    path = tmp_path / "tp.nc"
    write_daily(path, "tp", rain, "m", how="sum", shift=-1, kind="accum")
    data = read_files([path], choices=BY_DAY)
    np.testing.assert_allclose(data["pr"], 2.4 / 86_400, rtol=1e-5)
    for how in ("max", "min"):
        write_daily(path, "t2m", rain + 283, "K", how=how)
        with pytest.raises(SourceError, match=rf"has the {how} of each day in t2m, not its mean"):
            read_files([path], choices=BY_DAY)
    write_daily(path, "t2m", rain + 283, "K", shift=7)
    with pytest.raises(SourceError, match=r"shifted by 7 hours from UTC; .* UTC\+00:00\.$"):
        read_files([path], choices=BY_DAY)


def test_states_at_midnight_are_no_means_and_rain_of_one_hour_no_day(tmp_path):
    cfgrib = "2025-01-01T00:00 GRIB to CDM+CF via cfgrib-0.9.14.1/ecCodes-2.36.0 with {{}}"
    psl = field(DAYS, LAT, LON, mean=101_000, spread=500)
    write_daily(tmp_path / "msl.nc", "msl", psl, "Pa", history=cfgrib)
    data = read_files([tmp_path], choices=BY_DAY)
    assert [str(t)[:13] for t in data["time"].values] == [f"{day}T00" for day in DAYS]
    assert data["psl"].attrs["cell_methods"] == "time: point"
    write_daily(tmp_path / "t2m.nc", "t2m", psl * 0 + 283, "K")
    with pytest.raises(SourceError, match=r"t2m\.nc has tas as a mean .*msl\.nc has psl as the st"):
        read_files([tmp_path], choices=BY_DAY)
    for name, kind in (("tp", "accum"), ("avg_tprate", "avg")):
        units = "m" if name == "tp" else "kg m**-2 s**-1"
        path = tmp_path / "rain" / f"{name}.nc"
        path.parent.mkdir(exist_ok=True)
        write_daily(path, name, psl * 0 + 1e-5, units, history=cfgrib, kind=kind)
        with pytest.raises(SourceError, match=rf"of single hours, .*'{kind}'|--amount hour"):
            read_files([path], choices=BY_DAY)


def test_the_height_of_the_ground_is_no_pressure_level(tmp_path):
    ground = np.abs(field(DAYS, LAT, LON, mean=0, spread=9000))
    write_daily(tmp_path / "z.nc", "z", ground, "m**2 s**-2")
    with pytest.raises(SourceError, match=r"z\.nc holds none of the variables of era5"):
        read_files([tmp_path], "era5", choices=BY_DAY)
    write_daily(tmp_path / "z.nc", "z", ground[:, None] + 15_000, "m**2 s**-2", levels=[850.0])
    with pytest.raises(SourceError, match=r"z on 850 hPa, and zg500 is on 500 hPa; give a file"):
        read_files([tmp_path], choices=BY_DAY)


def test_daily_files_need_the_step_to_be_said(statistics):
    folder, _ = statistics
    with pytest.raises(SourceError, match=r"2020-02 3 times; give monthly means, or daily ones "):
        read_files([folder])
