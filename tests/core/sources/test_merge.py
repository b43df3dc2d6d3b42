"""Datasets of several sources in one."""

import numpy as np
import pytest
import xarray as xr
from downloads import MONTHS, field, write_psl
from gistemp_files import LAT, LON, write_eofs, write_gistemp
from typer.testing import CliRunner

from mlda_core.cli.main import app
from mlda_core.climate.cf import time_coordinates
from mlda_core.climate.time_step import DAY
from mlda_core.sources import SourceError
from mlda_core.sources.merge import merge
from mlda_core.sources.prepare import read_files


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


def test_days_are_joined_as_months_are(tmp_path):
    times = {"a": ["1984-02-28", "1984-02-29"], "b": ["1984-02-29", "1984-03-01"]}

    def make(name, variable, cell="point", days=None):
        axes = time_coordinates(times[name] if days is None else days, DAY, cell)
        grid = {"member": [0], "lat": [-10.0, 10.0], "lon": [0.0, 90.0]}
        data = xr.Dataset(
            {variable: (("member", "time", "lat", "lon"), np.ones((1, 2, 2, 2), np.float32))},
            {**grid, **axes},
            {"frequency": "day", "source": name},
        )
        data.to_netcdf(tmp_path / f"{name}.nc")
        return tmp_path / f"{name}.nc"

    paths = [make("a", "psl"), make("b", "tas")]
    joined = merge(paths)
    assert joined.attrs["frequency"] == "day"
    days = ["1984-02-28", "1984-02-29", "1984-03-01"]
    assert [str(t)[:10] for t in joined["time"].values] == days
    assert [str(t)[:13] for t in joined["time_bnds"].values[1]] == [
        "1984-02-28T00",
        "1984-02-29T00",
    ]
    assert np.isnan(joined["psl"].values[0, 2]).all()
    assert np.isnan(joined["tas"].values[0, 0]).all()
    out = tmp_path / "both.nc"
    words = ["data", "merge", *map(str, paths), "--out", str(out)]
    done = CliRunner(env={"COLUMNS": "300"}).invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "3 days; psl 1984-02-28 to 1984-02-29, tas 1984-02-29 to 1984-03-01" in done.output
    with pytest.raises(SourceError, match=r"b\.nc holds means over days and a\.nc states at 00"):
        merge([paths[0], make("b", "tas", "mean")])
    monthly = tmp_path / "m.nc"
    data = merge([paths[0]]).rename(psl="tas").assign_attrs(frequency="mon").isel(time=[0])
    data.drop_vars("time_bnds").to_netcdf(monthly)
    with pytest.raises(SourceError, match=r"m\.nc is monthly and a\.nc daily; join datasets of"):
        merge([paths[0], monthly])
