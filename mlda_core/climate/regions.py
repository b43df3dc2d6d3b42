"""Named regions and ocean basins: masks and area-weighted means."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate import places
from mlda_core.climate.errors import UserError
from mlda_core.climate.grid import Grid


class RegionError(UserError):
    """A region is invalid; the message is one sentence with the remedy."""


@dataclass(frozen=True)
class Region:
    """A latitude-longitude box.

    Parameters
    ----------
    label : str
        Name on the page.
    south, north : float
        Limits in degrees north.
    west, east : float
        Limits in degrees east; ``west > east`` crosses Greenwich.
    name : str
        The label without limits, where it has some.
    """

    label: str
    south: float
    north: float
    west: float
    east: float
    name: str = ""

    @property
    def short(self) -> str:
        """What it is called where its limits are not said."""
        return self.name or self.label


def _named(name: str, south: float, north: float, west: float, east: float) -> Region:
    limits = places.box(south, north, west, east)
    return Region(f"{name} ({limits})", south, north, west, east, name)


REGIONS: dict[str, Region] = {
    "globe": Region("Globe", -90, 90, 0, 360),
    "tropics": _named("Tropics", -30, 30, 0, 360),
    "north": _named("Northern extratropics", 30, 90, 0, 360),
    "south": _named("Southern extratropics", -90, -30, 0, 360),
    "nino34": _named("Niño 3.4", -5, 5, 190, 240),
    "nino12": _named("Niño 1+2", -10, 0, 270, 280),
    "iod_west": _named("Indian Ocean dipole, west", -10, 10, 50, 70),
    "iod_east": _named("Indian Ocean dipole, east", -10, 0, 90, 110),
    "north_atlantic": _named("North Atlantic", 20, 65, 280, 360),
    "north_pacific": _named("North Pacific", 20, 65, 120, 250),
    "southern_ocean": _named("Southern Ocean", -70, -45, 0, 360),
}


def region_mask(grid: Grid, region: Region) -> NDArray[np.float64]:
    """Fraction of each cell's area that lies inside a region, shape (nlat, nlon), 0..1."""
    south, north = np.sin(np.radians([region.south, region.north]))
    edges = np.sin(np.radians(grid.lat_edges))
    inside = np.minimum(edges[1:], north) - np.maximum(edges[:-1], south)
    rows = np.clip(inside, 0.0, None) / np.diff(edges)
    width = np.diff(grid.lon_edges)
    if region.east - region.west >= 360:
        return np.outer(rows, np.ones(grid.lon.size))
    span = (region.east - region.west) % 360.0
    cols = np.zeros(grid.lon.size)
    # A cell may overlap the box on either side of the seam: shift the box by 360 degrees.
    for shift in (-360.0, 0.0, 360.0):
        west = region.west + shift
        overlap = np.minimum(grid.lon_edges[1:], west + span) - np.maximum(
            grid.lon_edges[:-1], west
        )
        cols += np.clip(overlap, 0.0, None)
    return np.outer(rows, np.clip(cols / width, 0.0, 1.0))


def regional_mean(
    field: NDArray[np.floating], grid: Grid, region: Region
) -> NDArray[np.floating] | np.floating:
    """Area-weighted mean over a region, missing cells left out.

    Parameters
    ----------
    field : ndarray, shape (..., nlat, nlon)
        NaN where missing.
    grid : Grid
        The grid of the field.
    region : Region
        Where to average.

    Returns
    -------
    ndarray, shape (...)
        NaN if the region holds no data.
    """
    weight = region_mask(grid, region) * grid.weights * np.isfinite(field)
    total = weight.sum(axis=(-2, -1))
    summed = (np.nan_to_num(field) * weight).sum(axis=(-2, -1))
    return np.divide(summed, total, out=np.full_like(summed, np.nan), where=total > 0)


@dataclass(frozen=True)
class Basin:
    """An ocean basin; together, :data:`BASINS` cover the whole sea without overlap.

    Parameters
    ----------
    label : str
        Name on the page.
    boxes : tuple of (float, float, float, float)
        South, north, west, east in degrees; a point on a southern or western edge belongs to the
        box, one on a northern or eastern edge to its neighbour. A box holds land too.
    """

    label: str
    boxes: tuple[tuple[float, float, float, float], ...]


_BASIN_LABELS = {
    "arctic": "Arctic",
    "north_pacific": "North Pacific",
    "pacific_west": "Tropical Pacific, west",
    "pacific_central": "Tropical Pacific, central",
    "pacific_east": "Tropical Pacific, east",
    "south_pacific": "South Pacific",
    "north_atlantic": "North Atlantic",
    "mediterranean": "Mediterranean to Caspian",
    "tropical_atlantic": "Tropical Atlantic",
    "south_atlantic": "South Atlantic",
    "indian_west": "Tropical Indian, west",
    "indian_east": "Tropical Indian, east",
    "south_indian": "South Indian",
    "southern_ocean": "Southern Ocean",
}
# Latitude rows of the whole sphere, each divided into basins from Greenwich eastwards, so that
# they neither overlap nor leave a gap. The boundaries follow the land: Central America from Mexico
# to Panama, the Malay Peninsula, Sumatra, Java and Timor. The tropics extend from 20S to 20N, in
# the Indian Ocean to its northern shores; the Pacific's thirds meet at 160E and 150W, the
# boundaries of Nino 4 and Nino 3; the two Indian parts meet at India's southern tip.
_IN = ((20.0, "indian_west"), (77.5, "indian_east"))
_PAC = ((160.0, "pacific_central"), (210.0, "pacific_east"))
_NORTH = ((0.0, "north_atlantic"), (100.0, "north_pacific"), (260.0, "north_atlantic"))


def _tropics(indonesia: float, america: float) -> tuple[tuple[float, str], ...]:
    """Divide a tropical row, given where the Indian ends and where the Atlantic begins."""
    west = (indonesia, "pacific_west")
    return ((0.0, "tropical_atlantic"), *_IN, west, *_PAC, (america, "tropical_atlantic"))


_ROWS: tuple[tuple[float, float, tuple[tuple[float, str], ...]], ...] = (
    (66.0, 90.0, ((0.0, "arctic"),)),
    (48.0, 66.0, _NORTH),
    # The Bay of Biscay ends, and the Gulf of Lion begins, close to Greenwich.
    (40.0, 48.0, ((0.0, "mediterranean"), *_NORTH[1:])),
    (30.5, 40.0, ((0.0, "mediterranean"), *_NORTH[1:], (354.5, "mediterranean"))),
    (
        20.0,
        30.5,
        (
            (0.0, "mediterranean"),
            (30.0, "indian_west"),
            (77.5, "indian_east"),
            (100.0, "north_pacific"),
            (259.0, "north_atlantic"),
        ),
    ),
    (17.0, 20.0, _tropics(100.0, 262.0)),
    (16.0, 17.0, _tropics(100.0, 269.0)),
    (15.0, 16.0, _tropics(100.0, 270.0)),
    (13.0, 15.0, _tropics(99.0, 275.0)),
    (10.0, 13.0, _tropics(99.0, 275.4)),
    (9.0, 10.0, _tropics(99.0, 276.8)),
    (8.0, 9.0, _tropics(99.0, 282.5)),
    (5.0, 8.0, _tropics(100.4, 285.0)),
    (1.0, 5.0, _tropics(103.0, 285.0)),
    (-1.0, 1.0, _tropics(102.0, 285.0)),
    (-3.0, -1.0, _tropics(103.5, 290.0)),
    (-6.0, -3.0, _tropics(105.0, 291.0)),
    (-7.5, -6.0, _tropics(106.3, 291.0)),
    (-9.0, -7.5, _tropics(114.0, 291.0)),
    (-12.0, -9.0, _tropics(127.0, 291.0)),
    (-20.0, -12.0, _tropics(131.0, 291.0)),
    (
        -45.0,
        -20.0,
        (
            (0.0, "south_atlantic"),
            (20.0, "south_indian"),
            (146.0, "south_pacific"),
            (291.0, "south_atlantic"),
        ),
    ),
    (-90.0, -45.0, ((0.0, "southern_ocean"),)),
)


def _boxes(basin: str) -> tuple[tuple[float, float, float, float], ...]:
    found = []
    for south, north, cuts in _ROWS:
        ends = [*(west for west, _ in cuts[1:]), 360.0]
        found += [
            (south, north, west, east)
            for (west, name), east in zip(cuts, ends, strict=True)
            if name == basin
        ]
    return tuple(found)


BASINS: dict[str, Basin] = {key: Basin(label, _boxes(key)) for key, label in _BASIN_LABELS.items()}


def basin_masks(grid: Grid, sea: NDArray[np.bool_]) -> dict[str, NDArray[np.float64]]:
    """Return which cells belong to each basin.

    Each cell belongs to the basin of its centre: splitting a coarse cell by area would assign
    water across a land bridge to another ocean.

    Parameters
    ----------
    grid : Grid
        Of any extent.
    sea : ndarray of bool, shape (nlat, nlon)
        Where there is sea.

    Returns
    -------
    dict of str to ndarray, shape (nlat, nlon)
        By key of :data:`BASINS`: 1 or 0, together 1 in every cell of the sea and 0 over land.
    """
    lat, lon = np.meshgrid(grid.lat, np.mod(grid.lon, 360.0), indexing="ij")
    masks = {}
    for key, basin in BASINS.items():
        inside = np.zeros(grid.shape, bool)
        for south, north, west, east in basin.boxes:
            # The northernmost row includes the pole.
            under = lat <= north if north == 90.0 else lat < north
            inside |= (lat >= south) & under & (lon >= west) & (lon < east)
        masks[key] = (inside & sea).astype(np.float64)
    return masks


def drawn_box(south: float, north: float, west: float, east: float) -> Region:
    """Return the region of a user-drawn box.

    Parameters
    ----------
    south, north : float
        Degrees north; cut at the poles.
    west, east : float
        Degrees east, of any range; ``west > east`` crosses Greenwich.

    Returns
    -------
    Region

    Raises
    ------
    RegionError
        If the box has no area.
    """
    given = np.array([south, north, west, east], np.float64)
    if not np.isfinite(given).all():
        raise RegionError("The box has a corner that is not a number; draw it again.")
    south, north = max(float(south), -90.0), min(float(north), 90.0)
    width = east - west
    if abs(width) < 360.0:
        west, east = west % 360.0, east % 360.0
    if north <= south or width == 0:
        raise RegionError(
            f"The box from {south:g} to {north:g} degrees north has no area; draw a larger one."
        )
    if abs(width) >= 360.0:
        west, east = 0.0, 360.0
    return Region(f"Box {places.box(south, north, west, east)}", south, north, west, east)


def inside(
    region: Region, lat: NDArray[np.floating], lon: NDArray[np.floating]
) -> NDArray[np.bool_]:
    """Whether places (degrees, shape (p,)) lie in a region, its edges included."""
    rows = (lat >= region.south) & (lat <= region.north)
    if region.east - region.west >= 360.0:
        return np.asarray(rows)
    span = (region.east - region.west) % 360.0
    return np.asarray(rows & (np.mod(lon - region.west, 360.0) <= span))
