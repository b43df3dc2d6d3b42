"""The SPEEDY reader, on small files that each test makes itself."""

import numpy as np
import pytest
import xarray as xr

from mlda_core.climate.time_step import DAY
from mlda_core.sources import SourceError
from mlda_core.sources.speedy import read_speedy

LAT = np.array([-75.0, -45.0, -15.0, 15.0, 45.0, 75.0])
LON = np.arange(8) * 45.0
UNITS = {"psl": "Pa", "tos": "K", "tas": "K", "pr": "kg m-2 s-1"}
PACKING = {"psl": (0.5, 1e5), "tos": (0.001, 290.0), "tas": (0.0025, 270.0), "pr": (2e-8, 6e-4)}
MEAN = {"psl": 1.01e5, "tos": 290.0, "tas": 285.0, "pr": 4e-5}
SPREAD = {"psl": 800.0, "tos": 5.0, "tas": 10.0, "pr": 1e-5}
LAND = np.zeros((LAT.size, LON.size), dtype=bool)
LAND[2:4, 1:3] = True


def values(variable, member, year):
    """Return the true field of a variable, a different one for each member and year."""
    seed = [list(UNITS).index(variable), member, year]
    noise = np.random.default_rng(seed).standard_normal((12, LAT.size, LON.size))
    field = MEAN[variable] + SPREAD[variable] * np.clip(noise, -3, 3)
    return np.where(LAND, np.nan, field) if variable == "tos" else field


def dataset(member, year, variables=tuple(UNITS)):
    time = np.array([f"{year}-{month:02d}-15" for month in range(1, 13)], dtype="datetime64[ns]")
    data = xr.Dataset(
        {
            name: (("time", "lat", "lon"), values(name, member, year), {"units": UNITS[name]})
            for name in variables
        },
        coords={"time": time, "lat": LAT, "lon": LON},
        attrs={"source": "SPEEDY"},
    )
    data["sftlf"] = (("lat", "lon"), np.where(LAND, 100.0, 0.0), {"units": "%"})
    return data


def write(data, folder, member, year):
    """Write as the real files are: 16-bit integers with a CF scale and offset."""
    path = folder / f"m{member:02d}_{year}.nc"
    packing = {
        name: {
            "dtype": "int16",
            "scale_factor": PACKING[name][0],
            "add_offset": PACKING[name][1],
            "_FillValue": -32768,
        }
        for name in UNITS
        if name in data
    }
    data.to_netcdf(path, encoding=packing)
    return path


@pytest.fixture
def folder(tmp_path):
    """Two members; member 1 lacks 1980, and no one has 1981."""
    for member, year in [(0, 1979), (0, 1980), (0, 1982), (1, 1979), (1, 1982)]:
        write(dataset(member, year), tmp_path, member, year)
    return tmp_path


def refusal(folder, **wanted):
    """Return the message with which a folder is refused, checked to be one sentence."""
    with pytest.raises(SourceError) as caught:
        read_speedy(folder, **wanted)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    assert ". " not in message, "one sentence"
    return message


def test_canonical_form(folder):
    data = read_speedy(folder)
    assert dict(data.sizes) == {"member": 2, "time": 36, "lat": 6, "lon": 8}
    assert list(data.data_vars)[:4] == ["psl", "tos", "tas", "pr"]
    for name, units in UNITS.items():
        assert data[name].dims == ("member", "time", "lat", "lon")
        assert data[name].dtype == np.float32
        assert data[name].attrs["units"] == units
    assert np.all(np.diff(data["lat"]) > 0)
    assert data["lon"].min() >= 0
    assert data["lon"].max() < 360
    assert data["lat"].attrs["units"] == "degrees_north"
    assert data["lon"].attrs["units"] == "degrees_east"
    assert data["sftlf"].dims == ("lat", "lon")
    assert data.attrs["Conventions"].startswith("CF-")


def test_values_are_unpacked_and_in_their_places(folder):
    data = read_speedy(folder)
    for name, (step, _) in PACKING.items():
        for member, year in [(0, 1979), (0, 1980), (0, 1982), (1, 1979), (1, 1982)]:
            got = data[name].sel(member=member, time=str(year)).values
            np.testing.assert_allclose(got, values(name, member, year), atol=1.1 * step)


def test_months_are_stamped_in_their_middle(folder):
    time = read_speedy(folder)["time"].values
    assert np.all(np.diff(time) > np.timedelta64(0))
    assert str(time[0])[:10] == "1979-01-15"
    assert str(time[-1])[:10] == "1982-12-15"
    assert "1981" not in {str(t)[:4] for t in time}


def test_a_gap_is_missing_values_and_only_the_gap(folder):
    data = read_speedy(folder)
    assert np.isnan(data["psl"].sel(member=1, time="1980")).all()
    present = data["psl"].sel(member=1, time=["1979-06-15", "1982-06-15"])
    assert np.isfinite(present).all()
    assert np.isfinite(data["psl"].sel(member=0)).all()


def test_land_is_missing_in_the_sea_surface_only(folder):
    data = read_speedy(folder).sel(member=0, time="1979")
    assert np.array_equal(np.isnan(data["tos"]).all("time"), LAND)
    assert np.isfinite(data["tas"]).all()


def test_choice_of_members_years_and_variables(folder):
    data = read_speedy(folder, members=[1], years=[1982], variables=["tas"])
    assert dict(data.sizes) == {"member": 1, "time": 12, "lat": 6, "lon": 8}
    assert "psl" not in data
    np.testing.assert_allclose(data["tas"][0], values("tas", 1, 1982), atol=0.003)


def test_progress_counts_files(folder):
    seen = []
    read_speedy(folder, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(i, 5) for i in range(1, 6)]


def test_descending_latitude_is_turned(tmp_path):
    write(dataset(0, 1979).isel(lat=slice(None, None, -1)), tmp_path, 0, 1979)
    data = read_speedy(tmp_path)
    np.testing.assert_array_equal(data["lat"], LAT)
    np.testing.assert_allclose(data["psl"][0], values("psl", 0, 1979), atol=0.6)


def test_first_file_may_be_of_any_member_and_year(tmp_path):
    write(dataset(7, 2013), tmp_path, 7, 2013)
    assert list(read_speedy(tmp_path)["member"].values) == [7]


def test_other_files_are_let_be(folder):
    (folder / "README.md").write_text("What these files are.")
    read_speedy(folder)


@pytest.mark.parametrize("keep", [0, 20, 0.5, 0.95])
def test_truncated_file_is_named(folder, keep):
    path = folder / "m01_1979.nc"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep * len(whole)) if keep < 1 else int(keep)])
    message = refusal(folder)
    assert "m01_1979.nc" in message
    assert "truncated" in message


def test_file_that_is_not_netcdf_is_named(folder):
    (folder / "m01_1979.nc").write_text("<html>404 Not Found</html>")
    assert "m01_1979.nc" in refusal(folder)


def test_misnamed_file_is_named(folder):
    (folder / "m01_1979.nc").rename(folder / "m01-1979.nc")
    message = refusal(folder)
    assert "m01-1979.nc" in message
    assert "mMM_YYYY.nc" in message


def test_file_under_another_years_name_is_named(folder):
    (folder / "m01_1979.nc").rename(folder / "m01_1985.nc")
    message = refusal(folder)
    assert "m01_1985.nc" in message
    assert "1985" in message


@pytest.mark.parametrize(
    ("variable", "units"), [("psl", "hPa"), ("tas", "degC"), ("pr", "mm day-1"), ("tos", None)]
)
def test_wrong_units_are_named_with_file_and_variable(folder, variable, units):
    data = dataset(1, 1979)
    if units is None:
        del data[variable].attrs["units"]
    else:
        data[variable].attrs["units"] = units
    write(data, folder, 1, 1979)
    message = refusal(folder)
    assert "m01_1979.nc" in message
    assert variable in message
    assert UNITS[variable] in message


def test_missing_variable_is_named(folder):
    write(dataset(1, 1979).drop_vars("tas"), folder, 1, 1979)
    message = refusal(folder)
    assert "m01_1979.nc" in message
    assert "tas" in message


def test_short_year_is_named(folder):
    write(dataset(1, 1979).isel(time=slice(11)), folder, 1, 1979)
    assert "m01_1979.nc" in refusal(folder)


def test_other_grid_is_named(folder):
    write(dataset(1, 1979).assign_coords(lon=LON + 1), folder, 1, 1979)
    message = refusal(folder)
    assert "m01_1979.nc" in message
    assert "grid" in message


@pytest.mark.parametrize("coordinate", ["time", "lat", "lon"])
def test_missing_coordinate_is_named(folder, coordinate):
    write(dataset(1, 1979).drop_vars(coordinate), folder, 1, 1979)
    assert "m01_1979.nc" in refusal(folder)


def test_missing_and_empty_folder(tmp_path):
    assert "nowhere" in refusal(tmp_path / "nowhere")
    assert str(tmp_path) in refusal(tmp_path)


def test_absent_members_are_said(folder):
    assert "members" in refusal(folder, members=[42])


def test_companion_files_of_macos_are_left_out(folder):
    (folder / "._m00_1979.nc").write_bytes(b"\x00\x05\x16\x07 Mac OS X")
    assert read_speedy(folder).sizes["member"] == 2


# Days


STATES = ("psl", "tas", "pr")
# A century without a leap year, a leap year, and the year after it.
LENGTHS = {1900: 365, 1984: 366, 1985: 365}


def daily(year, member=0):
    """A year of states at 00 UTC; every day and cell differs."""
    days = np.arange(f"{year}-01-01", f"{year + 1}-01-01", dtype="datetime64[D]")
    noise = np.random.default_rng([member, year]).uniform(-1, 1, (days.size, LAT.size, LON.size))
    data = xr.Dataset(
        {
            name: (
                ("time", "lat", "lon"),
                MEAN[name] + SPREAD[name] * noise,
                {
                    "units": UNITS[name],
                    "cell_methods": "time: mean" if name == "pr" else "time: point",
                },
            )
            for name in STATES
        },
        coords={"time": days.astype("datetime64[ns]"), "lat": LAT, "lon": LON},
        attrs={"source": "SPEEDY"},
    )  # fmt: skip
    data["sftlf"] = (("lat", "lon"), np.where(LAND, 100.0, 0.0), {"units": "%"})
    return data


@pytest.fixture
def days(tmp_path):
    """A member with 1984 and another with 1985, beside a monthly file."""
    for member, year in ((20, 1984), (21, 1985)):
        daily(year, member).to_netcdf(tmp_path / f"d{member}_{year}.nc")
    write(dataset(0, 1979), tmp_path, 0, 1979)
    return tmp_path


def test_daily_files_are_the_same_dataset_with_another_step(days):
    data = read_speedy(days, variables=STATES, step=DAY)
    assert dict(data.sizes) == {"member": 2, "time": 731, "lat": 6, "lon": 8, "bnds": 2}
    assert data.attrs["frequency"] == "day"
    for name in STATES:
        assert data[name].dims == ("member", "time", "lat", "lon")
        assert data[name].dtype == np.float32
        for member, year in ((20, 1984), (21, 1985)):
            got = data[name].sel(member=member, time=str(year))
            np.testing.assert_allclose(got, daily(year, member)[name], rtol=1e-6)
        assert np.isnan(data[name].sel(member=20, time="1985")).all()
    # The rain of a day has fallen in the 24 hours before it begins.
    assert str(data["time"].values[59]) == "1984-02-29T00:00:00.000000000"
    assert str(data["time_bnds"].values[59, 0])[:13] == "1984-02-28T00"
    assert data["psl"].attrs["cell_methods"] == "time: point"
    assert data["pr"].attrs["cell_methods"].startswith("time: mean")
    assert read_speedy(days).attrs["frequency"] == "mon"


def later(data, hours):
    return data.assign_coords(time=data["time"] + np.timedelta64(hours, "h"))


@pytest.mark.parametrize("year", LENGTHS)
def test_a_year_has_its_own_number_of_days(tmp_path, year):
    daily(year).to_netcdf(tmp_path / f"d00_{year}.nc")
    data = read_speedy(tmp_path, variables=STATES, step=DAY)
    assert data.sizes["time"] == LENGTHS[year]
    assert DAY.consecutive(data["time"].values).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.drop_sel(time="1984-02-29"), "lacks 1984-02-29"),
        (lambda d: d.isel(time=slice(365)), "lacks 1984-12-31"),
        (lambda d: d.isel(time=[*range(59), 58, *range(60, 366)]), "has 1984-02-28 twice"),
        (lambda d: later(d, 12), "is stamped 1984-01-01T12"),
        (lambda d: later(d, 24), "holds 1985-01-01, which is not of 1984"),
        (lambda d: d.isel(time=slice(None, None, -1)), "in order"),
        (lambda d: d.assign(psl=d["psl"] / 100), "psl"),
    ],
)  # fmt: skip
def test_a_day_that_is_not_as_it_should_be_is_named(tmp_path, change, said):
    change(daily(1984)).to_netcdf(tmp_path / "d00_1984.nc")
    message = refusal(tmp_path, variables=STATES, step=DAY)
    assert "d00_1984.nc" in message
    assert said in message


def test_files_of_the_other_step_are_not_taken_for_it(days):
    (days / "m00_1979.nc").unlink()
    message = refusal(days)
    assert "holds no monthly files mMM_YYYY.nc, but others such as d21_1985.nc" in message
    assert "give --step day, or the folder with the monthly ones" in message
    for path in days.glob("d*.nc"):
        path.unlink()
    write(dataset(0, 1979), days, 0, 1979)
    assert "leave out --step day" in refusal(days, step=DAY)


def test_a_day_may_be_wetter_than_any_month(tmp_path):
    data = daily(1984)
    data["pr"][100, 2, 2] = 600 / 86_400
    data.to_netcdf(tmp_path / "d00_1984.nc")
    assert read_speedy(tmp_path, variables=STATES, step=DAY)["pr"].max() > 500 / 86_400
    data["pr"][100, 2, 2] = 2500 / 86_400
    data.to_netcdf(tmp_path / "d00_1984.nc")
    assert "1984-04-10" in refusal(tmp_path, variables=STATES, step=DAY)
