"""Numbers and places as people write them: a real minus sign, degrees with their letter."""

from __future__ import annotations

import math
from collections.abc import Sequence

MINUS = "\N{MINUS SIGN}"


def number(value: float, decimals: int = 2) -> str:
    """Write a number with a real minus sign; a dash where there is none.

    >>> number(-0.5), number(-0.001), number(float("nan"))
    ('−0.50', '0.00', '–')
    """
    if not math.isfinite(value):
        return "–"
    # Adding zero turns -0.0 into 0.0.
    return f"{round(float(value), decimals) + 0.0:.{decimals}f}".replace("-", MINUS)


def signed(value: float, decimals: int = 2) -> str:
    """Write a number with its sign, none where it rounds to zero.

    >>> signed(1.25, 1), signed(-2.0, 1), signed(0.04, 1)
    ('+1.2', '−2.0', '0.0')
    """
    shown = number(value, decimals)
    return f"+{shown}" if math.isfinite(value) and round(float(value), decimals) > 0 else shown


def latitude(degrees: float, decimals: int = 0) -> str:
    """Write a latitude.

    >>> latitude(-12.46, 1), latitude(0)
    ('12.5°S', '0°')
    """
    size = f"{abs(degrees):.{decimals}f}°"
    if not round(abs(degrees), decimals):
        return size
    return size + ("S" if degrees < 0 else "N")


def longitude(degrees: float, decimals: int = 0) -> str:
    """Write a longitude of any turn, west of Greenwich as such.

    >>> longitude(230), longitude(360), longitude(-180)
    ('130°W', '0°', '180°')
    """
    turned = (degrees + 180.0) % 360.0 - 180.0
    size = f"{abs(turned):.{decimals}f}°"
    if round(abs(turned), decimals) in (0.0, 180.0):
        return size
    return size + ("W" if turned < 0 else "E")


def place(lat: float, lon: float, decimals: int = 1) -> str:
    """Write a place.

    >>> place(-12.46, 130.84)
    '12.5°S 130.8°E'
    """
    return f"{latitude(lat, decimals)} {longitude(lon, decimals)}"


def box(south: float, north: float, west: float, east: float) -> str:
    """Write the limits of a box; of one that goes all round, its latitudes alone.

    >>> box(-30, 30, 120, 280), box(-30, 30, 0, 360)
    ('30°S–30°N, 120°E–80°W', '30°S–30°N')
    """
    rows = f"{latitude(south)}–{latitude(north)}"
    if east - west >= 360:
        return rows
    return f"{rows}, {longitude(west)}–{longitude(east)}"


def listed(parts: Sequence[str]) -> str:
    """Write several things as within a sentence.

    >>> listed(["rain"]), listed(["rain", "snow", "wind"])
    ('rain', 'rain, snow and wind')
    """
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
