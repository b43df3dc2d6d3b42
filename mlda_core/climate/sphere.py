"""Conversion between latitude and longitude and unit vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

EARTH_RADIUS_KM = 6371.0


def unit_vectors(lat: NDArray[np.float64], lon: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return places (degrees, shape (p,)) as points of the unit sphere, shape (p, 3)."""
    north, east = np.radians(lat), np.radians(lon)
    return np.stack(
        [np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)], axis=-1
    )


def lat_lon(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return points of the unit sphere (p, 3) as degrees north, and east within 0..360."""
    lat = np.degrees(np.arcsin(np.clip(points[:, 2], -1.0, 1.0)))
    return lat, np.mod(np.degrees(np.arctan2(points[:, 1], points[:, 0])), 360.0)
