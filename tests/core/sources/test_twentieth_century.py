"""20CRv3 as NOAA PSL has it."""

import numpy as np
import pytest
from downloads import MONTHS, field, write_psl
from psl_files import CRV3, ERSST, LAT, LON, PSL, RAIN, TAS, upright
from refusals import refusal

from mlda_core.sources.prepare import read_files, recognise

SEA = np.clip(field(MONTHS, LAT, LON, mean=288, spread=6, seed=3), 269.0, 308.0)
LAND = np.zeros((LAT.size, LON.size), bool)
LAND[2:5, 1:4] = True


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
