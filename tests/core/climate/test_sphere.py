"""Latitudes and longitudes as points of the unit sphere, and back."""

import numpy as np

from mlda_core.climate.sphere import lat_lon, unit_vectors


def test_axes_are_greenwich_90_east_and_the_north_pole():
    points = unit_vectors(np.array([0.0, 0.0, 90.0]), np.array([0.0, 90.0, 33.0]))
    np.testing.assert_allclose(points, np.eye(3), atol=1e-15)


def test_places_come_back_within_0_to_360():
    rng = np.random.default_rng(0)
    lat, lon = np.degrees(np.arcsin(rng.uniform(-1, 1, 500))), rng.uniform(-360, 720, 500)
    points = unit_vectors(lat, lon)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1)
    north, east = lat_lon(points)
    np.testing.assert_allclose(north, lat, atol=1e-9)
    assert ((east >= 0) & (east < 360)).all()
    np.testing.assert_allclose((east - lon + 180) % 360, 180, atol=1e-9)


def test_rounding_beyond_the_pole_is_the_pole():
    north, _ = lat_lon(np.array([[0.0, 0.0, 1.0 + 1e-12], [0.0, 0.0, -1.0 - 1e-12]]))
    assert north.tolist() == [90.0, -90.0]
