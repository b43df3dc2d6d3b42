"""Places and regions as people write them."""

from __future__ import annotations


def place_words(lat: float, lon: float) -> str:
    """Return a place as people write it.

    >>> place_words(-12.46, 130.84)
    '12.5°S 130.8°E'
    """
    east = (lon + 180.0) % 360.0 - 180.0
    return f"{abs(lat):.1f}°{'S' if lat < 0 else 'N'} {abs(east):.1f}°{'W' if east < 0 else 'E'}"


def region_words(region: tuple[float, float, float, float] | None) -> str:
    """Return a region as people write it; nothing for none.

    >>> region_words((-30.0, 30.0, 120.0, 280.0))
    '30°S–30°N 120°E–80°W'
    """
    if region is None:
        return ""
    south, north, west, east = region

    def lat(value: float) -> str:
        return f"{abs(value):.0f}°{'S' if value < 0 else 'N'}"

    def lon(value: float) -> str:
        turned = (value + 180.0) % 360.0 - 180.0
        side = "" if round(abs(turned)) in (0, 180) else "W" if turned < 0 else "E"
        return f"{abs(turned):.0f}°{side}"

    if east - west >= 360:
        return f"{lat(south)}–{lat(north)}"
    return f"{lat(south)}–{lat(north)} {lon(west)}–{lon(east)}"
