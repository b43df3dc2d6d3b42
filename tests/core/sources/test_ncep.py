"""NCEP/NCAR Reanalysis 1, with ERSST."""

import numpy as np
import xarray as xr
from downloads import MONTHS, field, gaussian, write_psl
from psl_files import ERSST, LAT, LON, PSL, R1, TAS, upright
from refusals import refusal

from mlda_core.sources.ncep import is_ersst
from mlda_core.sources.prepare import read_files, recognise
from mlda_core.sources.regrid import grid_of_step


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


def test_limits_do_not_lose_values_that_lie_on_them(tmp_path):
    frozen = np.where(np.abs(LAT)[:, None] > 50, -1.8, np.full_like(PSL, 20.0))
    write_psl(tmp_path / "sst.mnmean.nc", "sst", frozen, LAT, LON, units="degC", attrs=ERSST)
    assert np.isfinite(read_files([tmp_path], "ncep")["tos"]).all()


def test_ersst_is_known_by_its_words_and_its_variable():
    sea = xr.Dataset(
        {"sst": ("time", [1.0])}, attrs={"dataset": "NOAA Extended Reconstructed SST V5"}
    )
    assert is_ersst(sea)
    assert not is_ersst(sea.rename(sst="air"))
    assert not is_ersst(sea.assign_attrs(dataset="NCEP Reanalysis"))
