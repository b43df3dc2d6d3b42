"""One thread at a time is inside the netCDF library."""

import threading

import numpy as np
import xarray as xr

from mlda_core.bundle.files import read_arrays
from mlda_core.climate.netcdf_lock import NETCDF


def test_a_bundle_is_not_read_while_another_thread_writes(tmp_path):
    path = tmp_path / "a.nc"
    xr.Dataset({"a": ("x", np.arange(3))}).to_netcdf(path)
    read = threading.Event()

    def look():
        np.testing.assert_array_equal(read_arrays(path)["a"], [0, 1, 2])
        read.set()

    thread = threading.Thread(target=look)
    with NETCDF:
        thread.start()
        assert not read.wait(0.3)
        # The one who holds it may read.
        assert read_arrays(path)["a"].size == 3
    thread.join(30)
    assert read.is_set()
