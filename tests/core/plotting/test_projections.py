"""Map projections and their coastlines."""

import numpy as np
import pytest

from mlda_core.climate.grid import Grid
from mlda_core.climate.projections import POLAR_EDGE
from mlda_core.climate.variables import DEFAULTS
from mlda_core.plotting import field_map, look_of
from mlda_core.plotting.look import PlotError
from mlda_core.plotting.projections import GLOBAL, PLAIN, frame_of, is_polar, latitudes

LOOK = look_of(DEFAULTS["tas"])


def layers(overlay, kind):
    return [layer for layer in overlay if type(layer).__name__ == kind]


def test_coastlines_are_one_line(grid, field):
    coast, outline = layers(field_map(field, grid, LOOK), "Path")
    assert len(coast.split()) == 1
    assert np.isnan(coast.dimension_values("x")).sum() > 50
    assert len(outline.split()) == 1


def test_the_globe_and_a_region_have_their_own_first(grid):
    assert frame_of("", grid) is frame_of("robinson", grid)
    region = Grid(np.arange(40.0, 61.0, 2.5), np.arange(350.0, 371.0, 2.5))
    frame = frame_of("", region)
    assert frame is frame_of("region", region)
    assert frame.crs.proj4_params["lat_0"] == pytest.approx(50.0)
    x0, x1, y0, y1 = frame.limits
    corners = frame.crs.transform_points(
        PLAIN, region.lon_edges[[0, -1]], region.lat_edges[[0, -1]]
    )
    assert ((corners[:, 0] > x0) & (corners[:, 0] < x1)).all()
    assert ((corners[:, 1] > y0) & (corners[:, 1] < y1)).all()
    with pytest.raises(PlotError, match="too large for a map of a region; use one of robinson"):
        frame_of("region", grid)
    with pytest.raises(PlotError, match="no projection 'mercator'; use one of robinson"):
        frame_of("mercator", grid)


def test_polar_maps_draw_their_own_latitudes():
    assert {name for name, crs in GLOBAL.items() if is_polar(crs)} == {"north", "south"}
    assert latitudes(GLOBAL["north"]) == (POLAR_EDGE, 90.0)
    assert latitudes(GLOBAL["south"]) == (-90.0, -POLAR_EDGE)
    assert latitudes(GLOBAL["robinson"]) == (-90.0, 90.0)


@pytest.mark.parametrize("name", GLOBAL)
def test_coasts_lie_within_the_outline(grid, name):
    frame = frame_of(name, grid)
    x0, x1, y0, y1 = frame.limits
    for lines in (frame.coast, frame.outline):
        x, y = (lines.dimension_values(axis) for axis in ("x", "y"))
        assert x0 <= np.nanmin(x) < np.nanmax(x) <= x1
        assert y0 <= np.nanmin(y) < np.nanmax(y) <= y1
