"""20CRv3, NCEP/NCAR R1 and ERSSTv5, on small files laid out as those of NOAA PSL are."""

import netCDF4
import numpy as np
import pytest
from downloads import DAYS, MONTHS, field, gaussian, since_1800, write_psl

from mlda_core.sources import SourceError
from mlda_core.sources.choices import Choices
from mlda_core.sources.prepare import read_files, recognise
from mlda_core.sources.regrid import grid_of_step

LAT, LON = np.arange(80, -81, -20.0), np.arange(0, 360, 30.0)
CRV3 = {"dataset": "NOAA/CIRES/DOE 20th Century Reanalysis version 3 (20CRv3)"}
R1 = {"dataset": "NCEP Reanalysis Derived Products", "parent_stat": "Individual Obs"}
ERSST = {"dataset": "NOAA Extended Reconstructed SST V5", "valid_range": np.float32([-1.8, 45.0])}
PSL = field(MONTHS, LAT, LON, mean=101_000, spread=500)
TAS = field(MONTHS, LAT, LON, mean=283, spread=10, seed=1)
RAIN = 3e-5 + 1e-5 * np.cos(field(MONTHS, LAT, LON, mean=0, spread=2, seed=2))
SEA = np.clip(field(MONTHS, LAT, LON, mean=288, spread=6, seed=3), 269.0, 308.0)
LAND = np.zeros((LAT.size, LON.size), bool)
LAND[2:5, 1:4] = True


def refusal(*paths, source="auto", **asked):
    """Return the message with which files are refused, checked to be one sentence."""
    with pytest.raises(SourceError) as caught:
        read_files(list(paths), source, **asked)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    assert ". " not in message, "one sentence"
    return message


def upright(values):
    """From the file's order, north first, to the canonical one."""
    return values[:, ::-1]


@pytest.fixture
def crv3(tmp_path):
    """prmsl, air.2m and prate of 20CRv3; air.2m on a level of its own, as PSL has it."""
    write_psl(tmp_path / "prmsl.mon.mean.nc", "prmsl", PSL, LAT, LON, units="Pa", attrs=CRV3)
    write_psl(
        tmp_path / "air.2m.mon.mean.nc", "air", TAS, LAT, LON, units="degK", attrs=CRV3,
        level=(2.0, "m"),
    )  # fmt: skip
    write_psl(tmp_path / "prate.mon.mean.nc", "prate", RAIN, LAT, LON, units="kg/m^2/s", attrs=CRV3)
    return tmp_path


@pytest.fixture
def ncep(tmp_path):
    """R1 on its two grids, packed and not, and ERSSTv5 on a third."""
    write_psl(
        tmp_path / "slp.mon.mean.nc", "slp", PSL / 100, LAT, LON, units="millibars",
        attrs={**R1, "valid_range": np.float32([870.0, 1150.0])},
    )  # fmt: skip
    lat, lon = gaussian(10, 18)
    warm = field(MONTHS, lat, lon, mean=283, spread=10, seed=1)
    write_psl(
        tmp_path / "air.2m.mon.mean.nc", "air", warm, lat, lon, units="degK", attrs=R1,
        packed=(0.01, 477.65), level=(2.0, "m"),
    )  # fmt: skip
    rain = 3e-5 + 1e-5 * np.cos(field(MONTHS, lat, lon, mean=0, spread=2, seed=2))
    write_psl(
        tmp_path / "prate.sfc.mon.mean.nc", "prate", rain, lat, lon, units="Kg/m^2/s", attrs=R1
    )
    lat, lon = np.arange(88, -89, -8.0), np.arange(0, 360, 8.0)
    months = np.arange("1999-06", "2001-09", dtype="datetime64[M]")
    sea = field(months, lat, lon, mean=12, spread=9, seed=3)
    sea[:, 4:8, 3:9] = np.nan
    # As in the real file: the bounds are declared and never filled.
    write_psl(
        tmp_path / "sst.mnmean.nc", "sst", np.maximum(sea, -1.8), lat, lon, units="degC",
        months=months, time_units=DAYS, attrs=ERSST, fill=False,
        bounds=np.full((months.size, 2), 9.969209968386869e36),
    )  # fmt: skip
    return tmp_path


# What comes out


def test_20crv3_in_canonical_form(crv3):
    assert recognise([crv3]) == "20crv3"
    data = read_files([crv3])
    assert dict(data.sizes) == {"member": 1, "time": 16, "lat": 9, "lon": 12}
    assert list(data.data_vars) == ["psl", "tas", "pr"]
    units = {"psl": "Pa", "tas": "K", "pr": "kg m-2 s-1"}
    for name, values in {"psl": PSL, "tas": TAS, "pr": RAIN}.items():
        assert data[name].dims == ("member", "time", "lat", "lon")
        assert data[name].dtype == np.float32
        assert data[name].attrs["units"] == units[name]
        np.testing.assert_allclose(data[name][0], upright(values), rtol=2e-7)
    np.testing.assert_array_equal(data["lat"], LAT[::-1])
    np.testing.assert_array_equal(data["lon"], LON)
    assert "Twentieth Century Reanalysis version 3" in data.attrs["source"]


def test_first_days_become_the_middle_of_their_month(crv3):
    time = read_files([crv3])["time"].values
    assert [str(t)[:10] for t in time[[0, 1, 2, -1]]] == [
        "1999-11-15", "1999-12-15", "2000-01-15", "2001-02-15",
    ]  # fmt: skip


def test_skin_temperature_is_the_sea_only_with_the_land_file(crv3):
    write_psl(
        crv3 / "skt.mon.mean.nc", "skt", SEA - 5, LAT, LON, units="degK",
        attrs={**CRV3, "long_name": "Monthly Skin Temperature"},
    )  # fmt: skip
    message = refusal(crv3)
    assert "skt.mon.mean.nc" in message
    assert "land.nc" in message
    month = np.array(["2000-01"], dtype="datetime64[M]")
    write_psl(
        crv3 / "land.nc", "land", 1.0 * LAND[None], LAT, LON, months=month, units="none", attrs=CRV3
    )
    tos = read_files([crv3])["tos"][0]
    assert np.array_equal(np.isnan(tos).all("time"), LAND[::-1])
    assert float(tos.min()) == pytest.approx(271.35), "ice is no temperature of the sea"


def test_ersst_is_the_sea_of_20crv3_as_well(crv3):
    sea = np.maximum(SEA - 273.15, -1.8)
    write_psl(crv3 / "sst.mnmean.nc", "sst", sea, LAT, LON, units="degC", attrs=ERSST)
    data = read_files([crv3])
    assert list(data.data_vars) == ["psl", "tos", "tas", "pr"]
    assert "Extended Reconstructed" in data.attrs["source"]


def test_ncep_needs_one_grid(ncep):
    message = refusal(ncep)
    assert "9 x 12" in message
    assert "--grid" in message


def test_ncep_with_ersst_on_one_grid(ncep):
    assert recognise([ncep]) == "ncep"
    data = read_files([ncep], grid=grid_of_step("15"))
    assert dict(data.sizes) == {"member": 1, "time": 16, "lat": 12, "lon": 24}
    assert list(data.data_vars) == ["psl", "tos", "tas", "pr"]
    # Months that the sea alone has are cut.
    assert str(data["time"].values[0])[:7] == "1999-11"
    assert 99_000 < float(data["psl"].min()) < float(data["psl"].max()) < 103_000
    assert 240 < float(data["tas"].min()) < float(data["tas"].max()) < 320
    assert float(data["tos"].min()) >= 271.34
    assert np.isnan(data["tos"]).any()
    assert 1e-5 < float(data["pr"].min()) < float(data["pr"].max()) < 5e-5
    for name in ("psl", "tas", "pr"):
        assert np.isfinite(data[name]).all()


def test_packed_numbers_are_unpacked(ncep):
    data = read_files([ncep / "air.2m.mon.mean.nc"])
    lat, lon = gaussian(10, 18)
    truth = field(MONTHS, lat, lon, mean=283, spread=10, seed=1)
    np.testing.assert_allclose(data["tas"][0], truth[:, ::-1], atol=0.0051)


def test_air_at_sigma_995_in_degrees_celsius(tmp_path):
    write_psl(
        tmp_path / "air.mon.mean.nc", "air", TAS - 273.15, LAT, LON, units="degC",
        attrs={**R1, "level_desc": "Surface"},
    )  # fmt: skip
    np.testing.assert_allclose(read_files([tmp_path])["tas"][0], upright(TAS), atol=1e-4)


def test_missing_values_of_every_kind_are_missing(tmp_path):
    holes = PSL / 100
    holes = holes.copy()
    holes[3, 2, 5] = np.nan
    holes[4, 2, 5] = 5000.0  # outside valid_range
    attrs = {**R1, "valid_range": np.float32([870.0, 1150.0])}
    for packed in (None, (0.01, 1000.0)):
        path = tmp_path / "slp.mon.mean.nc"
        write = {**attrs, "valid_range": np.int16([-13000, 15000])} if packed else attrs
        values = np.where(holes == 5000.0, 1200.0, holes) if packed else holes
        write_psl(path, "slp", values, LAT, LON, units="millibars", attrs=write, packed=packed)
        psl = read_files([path])["psl"].values[0]
        gaps = np.isnan(psl)
        assert gaps.sum() == 2
        assert gaps[3, 6, 5]
        assert gaps[4, 6, 5]
        path.unlink()


def test_limits_do_not_lose_values_that_lie_on_them(tmp_path):
    frozen = np.where(np.abs(LAT)[:, None] > 50, -1.8, np.full_like(PSL, 20.0))
    write_psl(tmp_path / "sst.mnmean.nc", "sst", frozen, LAT, LON, units="degC", attrs=ERSST)
    assert np.isfinite(read_files([tmp_path], "ncep")["tos"]).all()


def test_longitudes_from_minus_180_are_turned(tmp_path):
    east = np.arange(-180, 180, 30.0)
    values = field(MONTHS, LAT, east, mean=101_000, spread=500)
    write_psl(tmp_path / "prmsl.mon.mean.nc", "prmsl", values, LAT, east, units="Pa", attrs=CRV3)
    data = read_files([tmp_path])
    np.testing.assert_array_equal(data["lon"], LON)
    np.testing.assert_allclose(data["psl"][0], upright(np.roll(values, 6, axis=2)), rtol=2e-7)


@pytest.mark.parametrize("west", [-20.0, 340.0])
def test_a_region_across_greenwich_stays_in_one_piece(tmp_path, west):
    lon = west + np.arange(0, 60, 10.0)
    lat = np.arange(70, 30, -10.0)
    values = field(MONTHS, lat, lon, mean=101_000, spread=500)
    write_psl(tmp_path / "prmsl.mon.mean.nc", "prmsl", values, lat, lon, units="Pa", attrs=CRV3)
    data = read_files([tmp_path])
    np.testing.assert_array_equal(data["lon"], np.arange(340, 400, 10))
    np.testing.assert_allclose(data["psl"][0], upright(values), rtol=2e-7)


@pytest.mark.parametrize(("calendar", "days"), [("360_day", 30), ("noleap", None)])
def test_other_calendars(crv3, calendar, days):
    path = crv3 / "prmsl.mon.mean.nc"
    with netCDF4.Dataset(path, "a") as data:
        data["time"].calendar = calendar
        data["time"].units = "days since 1999-11-01"
        lengths = (
            [30] * 16 if days else [30, 31, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 28]
        )
        data["time"][:] = np.cumsum([0, *lengths[:-1]])
    time = read_files([path])["time"].values
    assert [str(t)[:7] for t in time] == [str(m) for m in MONTHS]


def test_years_asked_for_alone(crv3):
    data = read_files([crv3], years=[2000], variables=["tas"])
    assert dict(data.sizes)["time"] == 12
    assert list(data.data_vars) == ["tas"]


def test_progress_counts_months_of_fields(crv3):
    seen = []
    read_files([crv3], progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (48, 48)


# What is refused, in one sentence


@pytest.mark.parametrize(
    ("name", "units"), [("prmsl", "degK"), ("prmsl", None), ("air", "Pa"), ("prate", "mm")]
)
def test_wrong_units_are_named(crv3, name, units):
    path = next(p for p in crv3.iterdir() if p.name.startswith({"air": "air"}.get(name, name)))
    with netCDF4.Dataset(path, "a") as data:
        if units is None:
            data[name].delncattr("units")
        else:
            data[name].units = units
    message = refusal(crv3)
    assert path.name in message
    assert name in message
    assert (units or "no units") in message


def test_a_missing_month_is_named(crv3):
    path = crv3 / "prmsl.mon.mean.nc"
    keep = np.delete(np.arange(16), 5)
    write_psl(path, "prmsl", PSL[keep], LAT, LON, units="Pa", attrs=CRV3, months=MONTHS[keep])
    message = refusal(crv3)
    assert "prmsl.mon.mean.nc" in message
    assert "2000-04" in message


def test_a_month_twice_is_named(crv3):
    again = crv3 / "prmsl.2001.nc"
    write_psl(again, "prmsl", PSL[-1:], LAT, LON, units="Pa", attrs=CRV3, months=MONTHS[-1:])
    message = refusal(crv3)
    assert "2001-02" in message
    assert "prmsl.2001.nc" in message
    assert "prmsl.mon.mean.nc" in message


def test_years_in_several_files_are_joined(tmp_path):
    for part in (slice(0, 7), slice(7, None)):
        write_psl(
            tmp_path / f"prmsl.{MONTHS[part][0]}.nc", "prmsl", PSL[part], LAT, LON, units="Pa",
            attrs=CRV3, months=MONTHS[part],
        )  # fmt: skip
    np.testing.assert_allclose(read_files([tmp_path])["psl"][0], upright(PSL), rtol=2e-7)


def test_six_hourly_files_are_refused(crv3):
    path = crv3 / "prmsl.mon.mean.nc"
    with netCDF4.Dataset(path, "a") as data:
        data["time"][:] = since_1800(MONTHS[:1]) + 6.0 * np.arange(16)
    message = refusal(path)
    assert "1999-11 16 times" in message


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


def test_files_of_two_sources_and_of_none(crv3, tmp_path):
    other = tmp_path / "slp.mon.mean.nc"
    write_psl(other, "slp", PSL / 100, LAT, LON, units="millibars", attrs=R1)
    message = refusal(crv3)
    assert "20crv3" in message
    assert "ncep" in message
    other.unlink()
    write_psl(other, "wind", PSL, LAT, LON, units="m s-1")
    assert "slp.mon.mean.nc" in refusal(crv3)
    assert "prmsl" in refusal(other, source="20crv3")


def test_periods_without_a_common_month(crv3):
    later = MONTHS + np.timedelta64(60, "M")
    write_psl(
        crv3 / "prmsl.mon.mean.nc", "prmsl", PSL, LAT, LON, units="Pa", attrs=CRV3, months=later
    )
    assert "no month in common" in refusal(crv3)


def test_absent_variables_years_files_and_sources(crv3, tmp_path):
    assert "'tos'" in refusal(crv3, variables=["tos"])
    assert "no month of the years" in refusal(crv3, years=[1850])
    assert "nowhere" in refusal(tmp_path / "nowhere")
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "empty" in refusal(empty)
    assert "reader" in refusal(crv3, source="merra")


def test_a_file_known_by_a_name_alone_is_asked_about(tmp_path):
    write_psl(tmp_path / "slp.nc", "slp", PSL / 100, LAT, LON, units="millibars")
    with netCDF4.Dataset(tmp_path / "slp.nc", "a") as data:
        for name in ("delta_t", "avg_period"):
            data["time"].delncattr(name)
    assert "--stamp start or --stamp end" in refusal(tmp_path)
    late = read_files([tmp_path], choices=Choices(stamp="end"))
    assert [str(t)[:7] for t in late["time"].values] == [str(m - 1) for m in MONTHS]
