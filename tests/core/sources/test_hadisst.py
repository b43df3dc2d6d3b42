"""HadISST, with its codes for ice."""

import numpy as np
import xarray as xr
from cf_files import LAT, LON, SHAPE, N, write

from mlda_core.sources.hadisst import freeze
from mlda_core.sources.prepare import read_files, recognise


def test_hadisst(tmp_path):
    """Sea surface temperature in C with -1000 where all is ice and -1e30 over land."""
    values = 12 + SHAPE
    values[:, 0], values[:, 4, 3] = -1000.0, np.nan
    path = tmp_path / "HadISST_sst.nc"
    attrs = {"units": "C", "standard_name": "sea_surface_temperature", "long_name": "sst",
             "cell_methods": "time: lat: lon: mean"}  # fmt: skip
    data = write(
        path, {"sst": (values, attrs)}, lat="latitude", lon="longitude", rows=LAT[::-1],
        columns=LON - 180, source="HadISST",
        title="Monthly version of HadISST sea surface temperature component",
    )  # fmt: skip
    path.unlink()
    data.to_netcdf(path, encoding={"sst": {"_FillValue": -1e30}})
    assert recognise([path]) == "hadisst"
    tos = read_files([path])["tos"][0].values
    wanted = np.where(values == -1000.0, -1.8, values) + 273.15
    np.testing.assert_allclose(tos, np.roll(wanted, 6, axis=2)[:, ::-1], rtol=1e-6)
    assert np.isnan(tos).sum() == N


def test_ice_is_at_the_freezing_point_and_land_stays_missing():
    given = xr.DataArray([-1000.0, np.nan, -1.8, 12.5])
    np.testing.assert_array_equal(freeze(given), [-1.8, np.nan, -1.8, 12.5])
