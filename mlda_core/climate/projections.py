"""The map projections of the page and of pictures, as plain data: no cartopy is imported here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlda_core.climate.grid import Grid

# Polar maps end here: what lies nearer to the equator is shown better by the others.
POLAR_EDGE = 20.0
# What a map of a region leaves free around it, as a fraction of its size.
REGION_MARGIN = 0.04
# A map of a region alone: its key goes on with south, north, west and east, so that it says all.
REGION = "region:"


@dataclass(frozen=True)
class MapProjection:
    """A projection of the globe, or of the part of it around a pole.

    Parameters
    ----------
    key : str
        Name in links, files and Python; it stays for ever.
    label : str
        Name in menus.
    cartopy : str
        Class of :mod:`cartopy.crs`.
    central_longitude : float
        Degrees east.
    edge : float, optional
        Latitude where a polar map ends; None for maps of the whole globe.
    """

    key: str
    label: str
    cartopy: str
    central_longitude: float
    edge: float | None = None


# The Pacific is in the middle, where El Nino is, if nothing else is said.
PROJECTIONS = (
    MapProjection("robinson", "Robinson, Pacific", "Robinson", 180.0),
    MapProjection("atlantic", "Robinson, Atlantic", "Robinson", 0.0),
    MapProjection("platecarree", "Plate carrée", "PlateCarree", 180.0),
    MapProjection("north", "North polar", "NorthPolarStereo", -90.0, POLAR_EDGE),
    MapProjection("south", "South polar", "SouthPolarStereo", 180.0, -POLAR_EDGE),
)
KEYS: tuple[str, ...] = tuple(p.key for p in PROJECTIONS)
EDGES: dict[str, float] = {p.key: p.edge for p in PROJECTIONS if p.edge is not None}


def keys_of(grid: Grid) -> tuple[str, ...]:
    """Return the keys of the projections for a grid's fields, the first of them shown first.

    Parameters
    ----------
    grid : Grid
        Fields of a region are shown on a map of it: on a globe they would be tiny.
    """
    south, north = grid.lat_edges[[0, -1]]
    west, east = grid.lon_edges[[0, -1]]
    if grid.is_global or east - west > 180 or north - south > 90:
        return KEYS
    edges = ",".join(f"{edge:g}" for edge in (south, north, west, east))
    return (f"{REGION}{edges}", *KEYS)
