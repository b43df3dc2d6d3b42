"""From a projection to latitudes and longitudes, by shares of area."""

from dataclasses import replace

import numpy as np
import pytest

from mlda_core.climate.grid import Grid
from mlda_core.sources import SourceError
from mlda_core.sources.netcdf import Projected
from mlda_core.sources.projected import ProjectedRegridder, crop_to_projected
from mlda_core.sources.regrid import grid_of_step

RADIUS = 6_371_007.0


def equal_area(south, north, west, east, rows, columns):
    """Lambert's cylindrical projection: its cells are boxes of equal area, known exactly."""
    y = RADIUS * np.sin(np.radians([south, north]))
    x = RADIUS * np.radians([west, east])
    y, x = (
        low + (high - low) * (np.arange(n) + 0.5) / n
        for (low, high), n in ((y, rows), (x, columns))
    )
    lat, lon = np.meshgrid(np.degrees(np.arcsin(y / RADIUS)), np.degrees(x / RADIUS), indexing="ij")
    return Projected(y, x, lat, np.mod(lon, 360.0), {})


SOURCE = equal_area(40, 60, -10, 20, 40, 60)
TARGET = Grid(np.array([42.5, 47.5, 52.5, 57.5]), np.arange(352.5, 380, 5.0))


def test_shares_are_areas_and_a_constant_stays():
    regrid = ProjectedRegridder(SOURCE, TARGET)
    # The targets lie within the projection's box: each is covered once.
    np.testing.assert_allclose(regrid.shares.sum(axis=1), 1, atol=0.02)
    made = regrid(np.full((2, *SOURCE.shape), 7.0))
    assert made.shape == (2, *TARGET.shape)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, 7.0, rtol=1e-6)


def test_a_field_keeps_its_place_across_greenwich():
    east = np.mod(SOURCE.lon + 180, 360) - 180
    made = ProjectedRegridder(SOURCE, TARGET)(np.stack([SOURCE.lat, east]))
    np.testing.assert_allclose(
        made[0], np.broadcast_to(TARGET.lat[:, None], made[0].shape), atol=0.2
    )
    np.testing.assert_allclose(made[1], np.broadcast_to(TARGET.lon - 360, made[1].shape), atol=0.2)


def test_cells_with_too_little_that_is_valid_are_missing():
    fields = np.ones((1, *SOURCE.shape))
    # A third of the first target column, and all of the last.
    fields[0, :, :3], fields[0, :, -10:] = np.nan, np.nan
    half, most = (ProjectedRegridder(SOURCE, TARGET, share)(fields)[0] for share in (0.5, 0.9))
    assert np.isfinite(half[:, :-1]).all()
    assert np.isnan(half[:, -1]).all()
    assert np.isnan(most[:, 0]).all()
    assert np.isfinite(most[:, 1:-1]).all()


def test_a_global_grid_is_cropped_to_what_is_covered():
    part = crop_to_projected(grid_of_step("5"), SOURCE, 0.6)
    np.testing.assert_allclose(part.lat, TARGET.lat)
    np.testing.assert_allclose(part.lon, np.arange(355, 376, 5))
    small = replace(SOURCE, lat=SOURCE.lat[:2, :2], lon=SOURCE.lon[:2, :2], y=SOURCE.y[:2],
                    x=SOURCE.x[:2])  # fmt: skip
    with pytest.raises(SourceError, match=r"fewer than two rows or columns.*take smaller steps"):
        crop_to_projected(grid_of_step("5"), small, 0.5)
