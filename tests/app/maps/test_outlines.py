"""Outlines of changes and regions."""

import numpy as np
import pytest
import shapely

from app.maps.outlines import CUT, box_edge, edge_of, on_map
from app.maps.projections import globe_on_map, to_map
from mlda_core.climate.projections import KEYS
from mlda_core.perturbation.sst_patches import Patch


@pytest.mark.parametrize("key", KEYS)
def test_outlines_lie_on_the_globe_and_never_cross_the_map(key):
    patches = [
        Patch(1.0, region="nino34"),
        Patch(1.0, box=(-20.0, 20.0, 340.0, 30.0)),
        Patch(1.0, region="southern_ocean"),
        Patch(1.0, region="north_pacific"),
        Patch(1.0, polygon=((60.0, 10.0), (60.0, 130.0), (60.0, 250.0))),
    ]
    globe = globe_on_map(key)
    drawn = 0
    for patch in patches:
        for x, y in on_map(edge_of(patch), key):
            drawn += 1
            assert np.hypot(np.diff(x), np.diff(y)).max() <= CUT
            assert shapely.distance(globe, shapely.points(x, y)).max() < 0.02
    assert drawn >= 2


def test_a_uniform_change_has_no_edge_and_a_belt_two():
    assert edge_of(Patch(1.0, region="globe")) == []
    assert len(box_edge((-30.0, 30.0, 0.0, 360.0))) == 2
    ((lat, lon),) = edge_of(Patch(1.0, region="nino34"))
    assert (lat.min(), lat.max(), lon.min(), lon.max()) == (-5, 5, 190, 240)
    x, _ = to_map("platecarree", lon, lat)
    assert np.isfinite(x).all()
