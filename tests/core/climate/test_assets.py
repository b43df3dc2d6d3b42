"""Data files inside the package."""

import numpy as np
import pytest

from mlda_core.climate.assets import coastline


@pytest.mark.parametrize("scale", ["110m", "50m"])
def test_pieces_of_the_coastline_end_at_the_dateline_and_at_greenwich(scale):
    lon, lat = coastline(scale)
    assert lon.shape == lat.shape
    assert lon.dtype == lat.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(lon), np.isnan(lat))
    assert np.nanmin(lon) >= -180
    assert np.nanmax(lon) <= 180
    assert np.nanmax(np.abs(lat)) <= 90
    # A whole piece can be moved by 360 degrees: none crosses either meridian.
    pieces = np.split(lon, np.flatnonzero(np.isnan(lon)))
    assert all(np.nanmin(p) >= 0 or np.nanmax(p) <= 0 for p in pieces if np.isfinite(p).any())


def test_the_coastline_of_zoomed_maps_is_finer():
    assert coastline("50m")[0].size > 3 * coastline("110m")[0].size
