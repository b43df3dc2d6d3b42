"""ERA5 monthly means, in the old and the present netCDF layout of the Climate Data Store."""

import numpy as np
import pytest
import xarray as xr
from downloads import MONTHS, field, write_era5

from mlda_core.sources import SourceError
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
