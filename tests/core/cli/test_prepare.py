"""`mlda data prepare` on what providers' files look like: sources told apart, grids, mistakes."""

import numpy as np
import pytest
import xarray as xr
from downloads import MONTHS, field, gaussian, write_era5, write_haduk, write_psl
from typer.testing import CliRunner

from mlda_core.cli.main import app

LAT, LON = np.arange(80, -81, -20.0), np.arange(0, 360, 30.0)
R1 = {"dataset": "NCEP Reanalysis Derived Products"}


def mlda(*words):
    return CliRunner(env={"COLUMNS": "400"}).invoke(app, ["data", "prepare", *map(str, words)])


def refusal(done):
    """Return a mistake's message, checked to be one sentence with an exit code of its own."""
    assert done.exit_code == 2, done.output
    (line,) = [line for line in done.output.splitlines() if line.startswith("mlda: ")]
    assert line.rstrip().endswith(".")
    assert ". " not in line
    return line


@pytest.fixture
def ncep(tmp_path):
    folder = tmp_path / "ncep"
    folder.mkdir()
    psl = field(MONTHS, LAT, LON, mean=1010, spread=5)
    write_psl(folder / "slp.mon.mean.nc", "slp", psl, LAT, LON, units="millibars", attrs=R1)
    lat, lon = gaussian(10, 18)
    tas = field(MONTHS, lat, lon, mean=283, spread=10, seed=1)
    write_psl(folder / "air.2m.mon.mean.nc", "air", tas, lat, lon, units="degK", attrs=R1)
    return folder


def test_two_grids_on_one_of_so_many_degrees(ncep, tmp_path):
    out = tmp_path / "runs" / "ncep.nc"
    done = mlda(ncep, "--grid", "15", "--out", out)
    assert done.exit_code == 0, done.output
    assert "1 member, 16 time, 12 lat, 24 lon" in done.output
    assert "ncep: psl, tas, 1999-11 to 2001-02" in done.output
    with xr.open_dataset(out) as data:
        assert set(data.data_vars) == {"psl", "tas"}
        assert np.isfinite(data["psl"]).all()
    assert [p.name for p in out.parent.iterdir()] == ["ncep.nc"]


def test_the_grid_of_another_file_and_part_of_the_years(ncep, tmp_path):
    other = tmp_path / "speedy.nc"
    lat, lon = gaussian(8, 16)
    xr.Dataset(coords={"lat": lat[::-1], "lon": lon}).to_netcdf(other)
    out = tmp_path / "x.nc"
    done = mlda(
        ncep, "--like", other, "--years", "2000", "--variables", "tas", "--source", "ncep",
        "--valid-share", "0.9", "--out", out,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    with xr.open_dataset(out) as data:
        assert dict(data.sizes) == {"member": 1, "time": 12, "lat": 8, "lon": 16}
        np.testing.assert_allclose(data["lat"], lat[::-1])


def test_files_instead_of_a_folder(tmp_path):
    lat, lon = np.arange(60, 29, -2.5), np.arange(-20, 30, 2.5)
    values = field(MONTHS, lat, lon, mean=101_000, spread=500)
    path = tmp_path / "download.nc"
    write_era5(path, {"msl": (values, "Pa")}, lat, lon, months=MONTHS, new=True)
    out = tmp_path / "x.nc"
    done = mlda(path, "--out", out, "--grid", "5")
    assert done.exit_code == 0, done.output
    assert "era5: psl" in done.output
    with xr.open_dataset(out) as data:
        assert np.isfinite(data["psl"]).all(), "of the globe, only what the region covers"
        assert np.all(np.diff(data["lon"]) == 5)


def test_projected_files(tmp_path):
    path = tmp_path / "tas_hadukgrid_uk_60km_mon_202001-202012.nc"
    write_haduk(path, "tas", np.full((12, 4, 5), 9.0), units="degC")
    done = mlda(path, "--out", tmp_path / "x.nc")
    assert done.exit_code == 0, done.output
    assert "1 member, 12 time, 4 y, 5 x" in done.output
    done = mlda(path, "--grid", "1", "--out", tmp_path / "y.nc")
    assert done.exit_code == 0, done.output
    assert "lat" in done.output


def test_what_was_read_is_printed(ncep, tmp_path):
    done = mlda(ncep, "--grid", "15", "--out", tmp_path / "x.nc")
    lines = [line.strip() for line in done.output.splitlines()]
    by = "months by the axis' own words, at their start"
    assert f"psl from slp (millibars) in slp.mon.mean.nc, 1999-11 to 2001-02; {by}" in lines
    assert f"tas from air (degK) in air.2m.mon.mean.nc, 1999-11 to 2001-02; {by}" in lines
    path = tmp_path / "download.nc"
    psl = field(MONTHS, LAT, LON, mean=101_000, spread=500)
    write_era5(path, {"msl": (psl, "Pa")}, LAT, LON, months=MONTHS, new=True)
    lines = mlda(path, "--out", tmp_path / "y.nc").output
    by = "months by era5's convention, at their start (else give --stamp end)"
    assert f"psl from msl (Pa) in download.nc, 1999-11 to 2001-02; {by}" in lines


def test_a_cf_dataset_and_its_options(tmp_path):
    time = {"units": "days since 2000-01-01"}
    fields = np.zeros((2, 2, 9, 12)) + np.array([0.5, 0.7])[:, None, None]
    xr.Dataset(
        {"t": (("time", "realization", "lat", "lon"), fields, {"units": "degC"})},
        {"time": ("time", [31, 60], time), "realization": [1, 2], "lat": LAT, "lon": LON},
    ).to_netcdf(tmp_path / "f.nc")
    out = tmp_path / "x.nc"
    words = ["--map", "tasa=t", "--select", "realization=2", "--stamp", "end", "--out", out]
    done = mlda(tmp_path / "f.nc", *words)
    assert done.exit_code == 0, done.output
    assert "tasa from t (degC) in f.nc, 2000-01 to 2000-02; months by --stamp end" in done.output
    with xr.open_dataset(out) as data:
        np.testing.assert_allclose(data["tasa"], 0.7, rtol=1e-6)
    out.unlink()
    for given, said in (
        (words[2:], "t (no standard name)"),
        (words[:2] + words[4:], "--select realization=1"),
        (words[:4] + words[6:], "--stamp start or --stamp end"),
        (["--map", "t", "--out", out], "--map 't'"),
        ([*words, "--stamp", "noon"], "'noon'"),
        ([*words, "--amount", "year"], "'year'"),
        ([*words, "--source", "ncep"], "--map is for --source cf"),
        ([*words, "--source", "speedy"], "leave out --map"),
    ):
        assert said in refusal(mlda(tmp_path / "f.nc", *given))
    assert "OPeNDAP" in refusal(mlda("http://127.0.0.1:9/f.nc", "--out", out))
    assert not out.exists()


def test_mistakes_are_one_sentence(ncep, tmp_path):
    out = tmp_path / "x.nc"
    assert "'merra'" in refusal(mlda(ncep, "--source", "merra", "--out", out))
    assert "--grid '7'" in refusal(mlda(ncep, "--grid", "7", "--out", out))
    assert "one of them" in refusal(mlda(ncep, "--grid", "5", "--like", out, "--out", out))
    assert "nowhere.nc" in refusal(mlda(ncep, "--like", "nowhere.nc", "--out", out))
    assert "--members" in refusal(mlda(ncep, "--members", "1", "--grid", "5", "--out", out))
    assert "--years" in refusal(mlda(ncep, "--years", "soon", "--grid", "5", "--out", out))
    assert "9 x 12" in refusal(mlda(ncep, "--out", out))
    assert "mMM_YYYY" in refusal(mlda(ncep, "--source", "speedy", "--out", out))
    assert "one folder" in refusal(
        mlda(ncep, tmp_path, "--source", "speedy", "--out", tmp_path / "new" / "x.nc")
    )
    assert "own grid" in refusal(mlda(ncep, "--source", "speedy", "--grid", "5", "--out", out))
    assert not out.exists()


def test_days_of_speedy(tmp_path):
    lat, lon = gaussian(4, 8)
    days = np.arange("1984-01-01", "1985-01-01", dtype="datetime64[D]")
    psl = field(days, lat[::-1], lon, mean=101_000, spread=500)
    folder = tmp_path / "daily"
    folder.mkdir()
    xr.Dataset(
        {"psl": (("time", "lat", "lon"), psl, {"units": "Pa", "cell_methods": "time: point"})},
        {"time": days.astype("datetime64[ns]"), "lat": lat[::-1], "lon": lon},
    ).to_netcdf(folder / "d20_1984.nc")
    out = tmp_path / "x.nc"
    assert "give --step day, or the folder with the monthly ones" in refusal(
        mlda(folder, "--variables", "psl", "--out", out)
    )
    assert "'week' is no time step" in refusal(mlda(folder, "--step", "week", "--out", out))
    done = mlda(folder, "--step", "day", "--variables", "psl", "--out", out)
    assert done.exit_code == 0, done.output
    assert "1 member, 366 time, 4 lat, 8 lon" in done.output
    with xr.open_dataset(out) as data:
        assert data.attrs["frequency"] == "day"
        assert data["psl"].encoding["zlib"]
        np.testing.assert_allclose(data["psl"][0], psl, rtol=1e-6)


def test_days_of_any_dataset_are_told_as_days(tmp_path):
    path = tmp_path / "f.nc"
    time = ("time", np.arange(4) + 0.5, {"units": "days since 1984-02-27"})
    attrs = {"units": "K", "standard_name": "air_temperature", "long_name": "near-surface air"}
    values = 283 + np.zeros((4, LAT.size, LON.size))
    xr.Dataset(
        {"t": (("time", "lat", "lon"), values, attrs)}, {"time": time, "lat": LAT, "lon": LON}
    ).to_netcdf(path)
    done = mlda(path, "--step", "day", "--out", tmp_path / "x.nc")
    assert done.exit_code == 0, done.output
    assert "cf: tas, 1984-02-27 to 1984-03-01" in done.output
    assert "1984-02-27 to 1984-03-01; means over days by stamps within the days" in done.output
