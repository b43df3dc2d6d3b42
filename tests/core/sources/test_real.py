"""GISTEMP as NASA serves it and as a clipped copy, pressure from EOFs, and both in one dataset."""

import netCDF4
import numpy as np
import pytest
import xarray as xr
from downloads import MONTHS, field, since_1800, write_psl
from typer.testing import CliRunner

from mlda_core.cli.main import app
from mlda_core.sources import SourceError
from mlda_core.sources.merge import merge
from mlda_core.sources.prepare import read_files, recognise
from mlda_core.sources.regrid import grid_of_step

LAT, LON = np.arange(-85, 86, 10.0), np.arange(-175, 180, 10.0)
WARM = field(MONTHS, LAT, LON, mean=0.2, spread=1.5).round(2)
WARM[:3, 0] = np.nan


def write_gistemp(path, values=WARM, *, comment=None):
    """Write a file as data.giss.nasa.gov does: packed hundredths, mid-month stamps, bounds."""
    with netCDF4.Dataset(path, "w", format="NETCDF4_CLASSIC") as data:
        for name, size in (("lat", LAT.size), ("lon", LON.size), ("time", None), ("nv", 2)):
            data.createDimension(name, size)
        for name, axis, units in (("lat", LAT, "degrees_north"), ("lon", LON, "degrees_east")):
            made = data.createVariable(name, "f4", (name,))
            made.setncatts({"standard_name": {"lat": "latitude"}.get(name, "longitude")})
            made.units = units
            made[:] = axis
        time = data.createVariable("time", "i4", ("time",))
        time.setncatts({"units": "days since 1800-01-01 00:00:00", "bounds": "time_bnds"})
        first, after = since_1800(MONTHS, "d"), since_1800(MONTHS + 1, "d")
        time[:] = first + 14
        data.createVariable("time_bnds", "i4", ("time", "nv"))[:] = np.stack([first, after], 1)
        made = data.createVariable("tempanomaly", "i2", ("time", "lat", "lon"), fill_value=32767)
        made.setncatts({"long_name": "Surface temperature anomaly", "units": "K"})
        made.setncatts({"scale_factor": np.float32(0.01), "cell_methods": "time: mean"})
        made[:] = np.ma.masked_array(np.nan_to_num(values), np.isnan(values))
        data.title = "GISTEMP Surface Temperature Analysis"
        data.institution = "NASA Goddard Institute for Space Studies"
        if comment:
            data.comment = comment


def write_eofs(path, months=MONTHS, **changed):
    """Two patterns on rows centred on the poles, as NCEP's are."""
    lat, lon = np.arange(-90, 91, 30.0), np.arange(0, 360, 30.0)
    rng = np.random.default_rng(3)
    parts = {
        "pc": (("time", "mode"), rng.normal(size=(months.size, 2)).astype("f4")),
        "pattern": (("mode", "lat", "lon"), rng.normal(size=(2, 7, 12)).astype("f4"),
                    {"units": "hPa"}),
        "climatology": (("month", "lat", "lon"),
                        (1010 + np.arange(12)[:, None, None] + np.zeros((12, 7, 12))).astype("f4"),
                        {"units": "hPa"}),
        **changed,
    }  # fmt: skip
    stamps = months.astype("datetime64[ns]")
    data = xr.Dataset(
        parts, {"time": stamps, "lat": lat, "lon": lon, "month": np.arange(1, 13)}
    ).assign_attrs(source="NCEP/NCAR R1")
    data.to_netcdf(path)
    return data


def test_gistemp_is_recognised_unpacked_and_turned_to_greenwich(tmp_path):
    write_gistemp(tmp_path / "gistemp1200_GHCNv4_ERSSTv5.nc")
    assert recognise([tmp_path]) == "gistemp"
    data = read_files([tmp_path])
    assert data["tasa"].attrs["standard_name"] == "surface_temperature_anomaly"
    assert data["lon"].values[0] == 5.0
    assert str(data["time"].values[0])[:10] == "1999-11-15"
    np.testing.assert_allclose(
        data["tasa"].sel(member=0, lon=5), WARM[:, :, LON == 5.0][..., 0], atol=1e-6
    )
    assert np.isnan(data["tasa"].values[0, :3, 0]).all()
    assert np.nanmax(np.abs(data["tasa"])) == np.float32(np.nanmax(np.abs(WARM)))


def test_the_ends_of_a_clipped_copy_are_missing(tmp_path):
    values = np.clip(3 * WARM, -5, 5)
    assert (np.abs(values) >= 4.97).any()
    write_gistemp(tmp_path / "copy.nc", values, comment="quantised to 0.039 K, clipped at +-5 K")
    found = read_files([tmp_path])["tasa"].values[0]
    kept = np.isfinite(values) & (np.abs(values) < 4.95)
    turned = np.concatenate([kept[:, :, LON > 0], kept[:, :, LON < 0]], axis=2)
    assert np.array_equal(np.isfinite(found), turned)


def test_pressure_is_climatology_plus_patterns(tmp_path):
    parts = write_eofs(tmp_path / "eof.nc")
    assert recognise([tmp_path]) == "psl-eofs"
    psl = read_files([tmp_path])["psl"]
    for i, month in enumerate((11, 12, 1)):
        wanted = parts["climatology"].values[month - 1] + np.tensordot(
            parts["pc"].values[i], parts["pattern"].values, 1
        )
        np.testing.assert_allclose(psl.values[0, i], 100 * wanted, rtol=1e-6)
    on_grid = read_files([tmp_path], grid=grid_of_step("15"))["psl"]
    w = np.cos(np.radians(on_grid["lat"]))
    edges = np.sin(np.radians([-90, -75, -45, -15, 15, 45, 75, 90]))
    area = np.diff(edges) / 2
    means = psl.mean("lon").values @ area, (on_grid.mean("lon") * w).sum("lat") / w.sum()
    np.testing.assert_allclose(*means, rtol=1e-5)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pc": (("mode", "time"), np.zeros((2, MONTHS.size), "f4"))}, "has pc on"),
        (
            {"climatology": (("month", "lat", "lon"), np.zeros((12, 7, 12), "f4"))},
            "in the units of its patterns",
        ),
    ],
)
def test_parts_that_do_not_fit_are_named(tmp_path, change, words):
    write_eofs(tmp_path / "eof.nc", **change)
    with pytest.raises(SourceError, match=rf"eof\.nc .*{words}.*\.$"):
        read_files([tmp_path])


def test_every_month_that_one_source_has_is_kept(tmp_path):
    write_gistemp(tmp_path / "gistemp.nc")
    write_eofs(tmp_path / "eof.nc", MONTHS[4:9])
    run = CliRunner(env={"COLUMNS": "300"})
    made = []
    for name in ("gistemp", "eof"):
        out = tmp_path / "made" / f"{name}.nc"
        words = ["data", "prepare", str(tmp_path / f"{name}.nc"), "--grid", "15", "--out", str(out)]
        assert run.invoke(app, words).exit_code == 0
        made.append(str(out))
    both = tmp_path / "both.nc"
    done = run.invoke(app, ["data", "merge", *made, "--out", str(both)])
    assert done.exit_code == 0, done.output
    assert "16 months; tasa 1999-11 to 2001-02, psl 2000-03 to 2000-07" in done.output
    with xr.open_dataset(both) as data:
        there = data["psl"].notnull().any(["member", "lat", "lon"])
        assert list(np.flatnonzero(there)) == [4, 5, 6, 7, 8]
        assert data["tasa"].dims == ("member", "time", "lat", "lon")
        units = {name: data[name].attrs["units"] for name in ("tasa", "psl", "lat", "lon")}
        assert units == {
            "tasa": "K", "psl": "Pa", "lat": "degrees_north", "lon": "degrees_east",
        }  # fmt: skip
        assert "GISTEMP" in data.attrs["source"]
        assert "NCEP" in data.attrs["source"]


def test_what_cannot_be_joined_is_named(tmp_path):
    write_gistemp(tmp_path / "gistemp.nc")
    one, other = tmp_path / "a.nc", tmp_path / "b.nc"
    data = read_files([tmp_path / "gistemp.nc"])
    data.to_netcdf(one)
    data.rename(tasa="tas").isel(lat=slice(1, None)).to_netcdf(other)
    with pytest.raises(SourceError, match=r"b\.nc has another lat axis than a\.nc.*\.$"):
        merge([one, other])
    with pytest.raises(SourceError, match=r"a\.nc holds tasa again, after a\.nc.*\.$"):
        merge([one, one])
    raw = tmp_path / "slp.nc"
    write_psl(raw, "slp", field(MONTHS, LAT, LON, mean=1010, spread=5), LAT, LON, units="millibars")
    with pytest.raises(SourceError, match=r"slp\.nc has slp on other dimensions.*\.$"):
        merge([one, raw])
    with pytest.raises(SourceError, match=r"none\.nc cannot be read.*\.$"):
        merge([one, tmp_path / "none.nc"])
    members = tmp_path / "members.nc"
    data.rename(tasa="tas").assign_coords(member=[3]).to_netcdf(members)
    with pytest.raises(
        SourceError, match=r"another member axis than a\.nc; join files of the same"
    ):
        merge([one, members])


def test_stamps_on_another_day_are_of_the_same_month(tmp_path):
    write_gistemp(tmp_path / "gistemp.nc")
    data = read_files([tmp_path / "gistemp.nc"])
    data.to_netcdf(tmp_path / "a.nc")
    late = data.rename(tasa="tas").assign_coords(time=data["time"] + np.timedelta64(1, "D"))
    late.to_netcdf(tmp_path / "b.nc")
    both = merge([tmp_path / "a.nc", tmp_path / "b.nc"])
    assert both.sizes["time"] == MONTHS.size
    np.testing.assert_array_equal(both["tas"], both["tasa"])


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (lambda t: t[[0, *range(len(t) - 1)]], "has the month 1999-11 twice"),
        (lambda t: t.astype("datetime64[D]").astype(str), "no dates of the standard calendar"),
        (lambda t: np.where(t == t[3], np.datetime64("NaT"), t), "no dates of the standard"),
    ],
)
def test_times_that_are_no_months_are_named(tmp_path, times, words):
    write_gistemp(tmp_path / "gistemp.nc")
    data = read_files([tmp_path / "gistemp.nc"])
    data.assign_coords(time=times(data["time"].values)).to_netcdf(tmp_path / "a.nc")
    with pytest.raises(SourceError, match=rf"a\.nc .*{words}.*; make it with"):
        merge([tmp_path / "a.nc"])


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
