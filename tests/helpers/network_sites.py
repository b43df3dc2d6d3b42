"""Distances between places, and the sites of a network."""

from __future__ import annotations

import numpy as np

from mlda_core.climate.sphere import EARTH_RADIUS_KM


def distances(lat, lon):
    """Great-circle distances in km between places, by the haversine formula."""
    a, b = np.radians(np.asarray(lat)), np.radians(np.asarray(lon))
    h = (
        np.sin((a[:, None] - a) / 2) ** 2
        + np.cos(a[:, None]) * np.cos(a) * np.sin((b[:, None] - b) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(h, 0, 1)))


def sites(table):
    return table.drop_duplicates(["lat", "lon"])
