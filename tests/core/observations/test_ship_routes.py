"""Ships' routes."""

from __future__ import annotations

import numpy as np
import pytest
from network_sites import distances

from mlda_core.climate.sphere import unit_vectors
from mlda_core.observations.land import natural_earth
from mlda_core.observations.ship_routes import POINTS, ROUTES, sample_route


def test_routes_are_great_circles_at_equal_steps():
    for names in ROUTES.values():
        lat, lon = sample_route(names, 100.0)
        steps = np.diagonal(distances(lat, lon), 1)
        # Equal along the route; at a corner the straight distance is shorter.
        assert steps.max() < 100.0 + 1e-6
        assert np.median(steps) == pytest.approx(100.0)
        assert distances([lat[0], POINTS[names[0]][0]], [lon[0], POINTS[names[0]][1]])[0, 1] < 1e-4
    quarter = unit_vectors(*np.array([POINTS["Balboa"], POINTS["Mala"]]).T)
    assert np.linalg.norm(quarter, axis=1) == pytest.approx(1.0)


def test_ships_keep_to_the_sea():
    """By a map of 1:110 million, on which Malacca and Gibraltar are closed."""
    import shapely

    runs = [sample_route(names, 25.0) for names in ROUTES.values()]
    lat, lon = (np.concatenate([r[i] for r in runs]) for i in (0, 1))
    on = shapely.contains_xy(natural_earth(), (lon + 180) % 360 - 180, lat)
    assert on.mean() < 0.01
    length = 25.0 * lat.size
    assert 100_000 < length < 200_000
