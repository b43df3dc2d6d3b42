"""The maps as one Bokeh document, and which cell each pixel shows."""

import json

import numpy as np
import pytest

from mlda_core.climate.grid import Grid
from mlda_core.plotting.look import PlotError
from mlda_core.plotting.projections import PLAIN, frame_of
from mlda_core.plotting.site.figures import COLUMNS, OUTSIDE, WIDE, document_of, pixels_of


def test_a_pixel_shows_the_cell_that_it_lies_in(grid):
    found = pixels_of(grid)
    x0, x1, y0, y1 = found.limits
    high, wide = found.cell.shape
    assert wide == WIDE
    crs = frame_of("", grid).crs
    rng = np.random.default_rng(0)
    for _ in range(50):
        # Longitude 0 is the map's own edge.
        row, column = rng.integers(8), rng.integers(1, 16)
        x, y = crs.transform_point(grid.lon[column], grid.lat[row], PLAIN)
        i, j = int((x - x0) / (x1 - x0) * wide), int((y - y0) / (y1 - y0) * high)
        assert found.cell[j, i] == row * 16 + column
        np.testing.assert_allclose(found.middle[:, row * 16 + column], (x, y), rtol=1e-6, atol=1.0)
    # Robinson's globe is four fifths of its rectangle, and its corners are off it.
    on = found.cell != OUTSIDE
    assert 0.7 < on.mean() < 0.9
    assert not on[0, 0]
    assert not on[-1, -1]


def test_the_edge_of_the_map_is_one_place(grid):
    """A cell that the seam cuts has its mark on one side, and not between the two."""
    found = pixels_of(grid)
    x0, x1, *_ = found.limits
    assert (np.abs(found.middle[0].reshape(8, 16)[:, 0]) > 0.25 * (x1 - x0)).all()


def test_a_grid_of_too_many_cells_is_refused():
    fine = Grid(np.linspace(-89.75, 89.75, 360), np.arange(720) * 0.5)
    with pytest.raises(PlotError, match="too fine"):
        pixels_of(fine)


def test_the_document_has_a_map_for_each_variable_and_column(engine):
    bundle = engine.bundle
    made = document_of(bundle)
    (item,) = made["items"]
    wanted = {f"map-{key}-{v.name}" for key in COLUMNS for v in bundle.variables}
    assert set(item["roots"].values()) == wanted
    text = json.dumps(made)
    for v in bundle.variables:
        for key in COLUMNS:
            assert f'"image-{key}-{v.name}"' in text
            assert f'"marks-{key}-{v.name}"' in text
    # Cells are pixels of an image, and the lines are there once.
    assert '"name": "Patches"' not in text
    assert len(text) < 1_000_000
