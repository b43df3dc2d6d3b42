"""Historical merchant shipping routes, as great circles between known points.

Based on the main steamship lanes of the era of ship observations (compare the density of ICOADS
reports: Freeman et al. 2017, Int. J. Climatol. 37, 2211). Waypoints keep a route off the land;
straits and canals are named.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.sphere import EARTH_RADIUS_KM, lat_lon, unit_vectors

# Degrees north and east.
POINTS: dict[str, tuple[float, float]] = {
    "New York": (40.4, -73.8),
    "Nantucket": (40.5, -69.5),
    "Grand Banks": (42.5, -50.0),
    "Bishop Rock": (49.6, -6.8),
    "Ushant": (48.7, -5.9),
    "Finisterre": (43.2, -10.2),
    "St Vincent": (36.7, -9.8),
    "Trafalgar": (36.0, -6.4),
    "Gibraltar": (36.0, -5.2),
    "Cape Bon": (37.4, 11.0),
    "Malta": (35.6, 14.7),
    "Port Said": (31.5, 32.3),
    "Suez": (29.6, 32.5),
    "Gulf of Suez": (28.6, 33.1),
    "Ras Muhammad": (27.5, 34.2),
    "Red Sea": (20.0, 38.5),
    "Perim": (12.5, 43.3),
    "Aden": (12.5, 45.0),
    "Guardafui": (12.3, 51.5),
    "Bombay": (18.8, 72.5),
    "Minicoy": (8.0, 73.0),
    "Dondra Head": (5.7, 80.6),
    "Sumatra": (6.3, 94.8),
    "Penang": (5.7, 98.6),
    "Malacca": (2.9, 100.7),
    "Singapore": (1.2, 104.3),
    "South China Sea": (11.0, 112.0),
    "Hong Kong": (21.7, 114.5),
    "Formosa Banks": (22.6, 118.0),
    "Formosa": (25.6, 120.7),
    "Van Diemen": (30.6, 130.5),
    "Yokohama": (34.9, 139.8),
    "San Francisco": (37.7, -122.8),
    "Honolulu": (21.1, -157.9),
    "Apia": (-13.5, -171.5),
    "Auckland": (-36.0, 175.3),
    "East Cape": (-37.4, 179.2),
    "North Cape": (-34.2, 173.2),
    "Sydney": (-33.9, 151.5),
    "Gabo": (-37.8, 150.3),
    "Melbourne": (-39.6, 145.0),
    "Wilsons": (-39.5, 146.5),
    "Leeuwin": (-34.8, 114.7),
    "Fremantle": (-32.0, 115.3),
    "Cape Town": (-34.0, 18.0),
    "Good Hope": (-35.0, 18.2),
    "Agulhas": (-35.5, 20.5),
    "Algoa Bay": (-34.5, 26.5),
    "Durban": (-30.2, 31.7),
    "Mozambique": (-17.0, 42.0),
    "Comoros": (-11.0, 44.5),
    "Roaring Forties": (-41.0, 60.0),
    "Canaries": (28.0, -17.0),
    "Cap Blanc": (20.8, -18.2),
    "Dakar": (14.5, -18.3),
    "Bissagos": (10.5, -17.5),
    "Cape Palmas": (3.5, -9.5),
    "St Roque": (-5.0, -34.3),
    "Olinda": (-8.5, -34.3),
    "Abrolhos": (-18.0, -37.5),
    "Cabo Frio": (-23.4, -41.5),
    "Rio Grande": (-32.5, -50.5),
    "La Plata": (-35.6, -54.5),
    "Falklands": (-52.0, -63.5),
    "Staten Island": (-54.9, -62.8),
    "Cape Horn": (-57.0, -67.5),
    "Desolation": (-53.5, -77.0),
    "Chiloe": (-46.0, -77.5),
    "Valparaiso": (-33.0, -72.4),
    "Callao": (-12.2, -77.8),
    "Punta Parinas": (-4.6, -82.3),
    "Balboa": (7.6, -79.5),
    "Mala": (6.6, -80.6),
    "Burica": (7.3, -83.6),
    "Colon": (10.0, -79.8),
    "Windward Passage": (19.8, -74.0),
    "San Salvador": (24.5, -73.8),
    "Mona Passage": (18.3, -67.8),
    "Cedros": (28.2, -116.0),
    "Los Angeles": (33.2, -118.7),
    "Conception": (34.4, -121.2),
    "Cape San Lucas": (22.4, -110.3),
    "Mazatlan Sea": (14.0, -98.0),
}

ROUTES: dict[str, tuple[str, ...]] = {
    "New York - Channel": ("New York", "Nantucket", "Grand Banks", "Bishop Rock"),
    "Channel - Suez": (
        *(
            "Ushant",
            "Finisterre",
            "St Vincent",
            "Trafalgar",
            "Gibraltar",
            "Cape Bon",
            "Malta",
            "Port Said",
        ),
    ),
    "Suez - Colombo": (
        "Suez",
        "Ras Muhammad",
        "Red Sea",
        "Perim",
        "Aden",
        "Guardafui",
        "Minicoy",
        "Dondra Head",
    ),
    "Aden - Bombay": ("Aden", "Bombay"),
    "Colombo - Yokohama": (
        *(
            "Dondra Head",
            "Sumatra",
            "Penang",
            "Malacca",
            "Singapore",
            "South China Sea",
            "Hong Kong",
        ),
        *("Formosa Banks", "Formosa", "Van Diemen", "Yokohama"),
    ),
    "Colombo - Sydney": (
        "Dondra Head",
        "Fremantle",
        "Leeuwin",
        "Melbourne",
        "Wilsons",
        "Gabo",
        "Sydney",
    ),
    "Channel - Cape Town": (
        *(
            "Ushant",
            "Finisterre",
            "Canaries",
            "Cap Blanc",
            "Dakar",
            "Bissagos",
            "Cape Palmas",
            "Cape Town",
        ),
    ),
    "Cape Town - Bombay": (
        *("Cape Town", "Good Hope", "Agulhas", "Algoa Bay", "Durban", "Mozambique", "Comoros"),
        "Bombay",
    ),
    "Cape Town - Melbourne": ("Cape Town", "Good Hope", "Agulhas", "Roaring Forties", "Melbourne"),
    "Channel - La Plata": (
        *("Ushant", "Finisterre", "Canaries", "Cap Blanc", "Dakar", "St Roque", "Olinda"),
        *("Abrolhos", "Cabo Frio", "Rio Grande", "La Plata"),
    ),
    "La Plata - Valparaiso": (
        "La Plata",
        "Falklands",
        "Staten Island",
        "Cape Horn",
        "Desolation",
        "Chiloe",
        "Valparaiso",
    ),
    "Valparaiso - Panama": ("Valparaiso", "Callao", "Punta Parinas", "Mala", "Balboa"),
    "Panama - New York": ("Colon", "Windward Passage", "San Salvador", "New York"),
    "Panama - Channel": ("Colon", "Mona Passage", "Bishop Rock"),
    "Panama - San Francisco": (
        *("Balboa", "Mala", "Burica", "Mazatlan Sea", "Cape San Lucas", "Cedros", "Los Angeles"),
        *("Conception", "San Francisco"),
    ),
    "Panama - Auckland": ("Balboa", "Mala", "Auckland"),
    "San Francisco - Yokohama": ("San Francisco", "Yokohama"),
    "San Francisco - Sydney": ("San Francisco", "Honolulu", "Apia", "Sydney"),
    "Sydney - Auckland": ("Sydney", "North Cape", "Auckland"),
    "Auckland - Cape Horn": ("Auckland", "East Cape", "Cape Horn"),
}


def sample_route(
    names: tuple[str, ...], spacing_km: float, begin_km: float = 0.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sample a route of great circles at equal distances.

    Parameters
    ----------
    names : tuple of str
        Keys of :data:`POINTS`, in order.
    spacing_km : float
        Distance between samples along the route.
    begin_km : float
        Distance of the first sample from the start of the route.

    Returns
    -------
    lat, lon : ndarray, shape (p,)
        Degrees, lon within 0..360.
    """
    corners = unit_vectors(*np.array([POINTS[n] for n in names]).T)
    angles = np.array([_angle(a, b) for a, b in itertools.pairwise(corners)])
    along = np.concatenate([[0.0], np.cumsum(angles)])
    places = np.arange(begin_km, along[-1] * EARTH_RADIUS_KM, spacing_km) / EARTH_RADIUS_KM
    leg = np.clip(np.searchsorted(along, places, side="right") - 1, 0, len(angles) - 1)
    part, angle = ((places - along[leg]) / angles[leg])[:, None], angles[leg][:, None]
    # Spherical linear interpolation, Shoemake (1985).
    first = np.sin((1.0 - part) * angle) / np.sin(angle) * corners[leg]
    return lat_lon(first + np.sin(part * angle) / np.sin(angle) * corners[leg + 1])


def _angle(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b))
