"""Map projections and their coastlines."""

import numpy as np

from mlda_core.climate.variables import DEFAULTS
from mlda_core.plotting import field_map, look_of

LOOK = look_of(DEFAULTS["tas"])


def layers(overlay, kind):
    return [layer for layer in overlay if type(layer).__name__ == kind]


def test_coastlines_are_one_line(grid, field):
    coast, outline = layers(field_map(field, grid, LOOK), "Path")
    assert len(coast.split()) == 1
    assert np.isnan(coast.dimension_values("x")).sum() > 50
    assert len(outline.split()) == 1
