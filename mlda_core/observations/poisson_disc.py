"""Random places on the sphere with a minimum distance (Poisson-disc sampling)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.errors import UserError
from mlda_core.climate.regions import REGIONS, Region
from mlda_core.climate.sphere import EARTH_RADIUS_KM, unit_vectors

Float = NDArray[np.float64]
MOST_PLACES = 10_000
# Coverage of a plane by random sequential addition of equal discs until none fits any more
# (Hinrichsen, Feder and Jossang 1986, J. Stat. Phys. 44, 793).
_JAMMED = 0.547
# Candidates for each final place.
_THROWS = 40


class NetworkError(UserError):
    """A network cannot be created as specified; the message is one sentence with the remedy."""


def poisson_disc(
    usable: Callable[[Float, Float], NDArray[np.bool_]],
    region: Region = REGIONS["globe"],
    *,
    count: int | None = None,
    spacing_km: float | None = None,
    seed: int = 0,
) -> Float:
    """Sample random places with a minimum distance, by dart throwing.

    A dart too close to an earlier one is discarded (Cook 1986, ACM Trans. Graph. 5, 51); 40
    darts are thrown for each final place. For a given count, the spacing starts at the densest
    possible one, and shrinks by 3 % until enough places fit.

    Parameters
    ----------
    usable : callable
        Whether places (lat, lon in degrees, shape (p,)) may be chosen.
    region : Region
    count : int, optional
        Number of places; or else
    spacing_km : float, optional
        Their minimum distance.
    seed : int

    Returns
    -------
    ndarray, shape (p, 3)
        Points of the unit sphere.

    Raises
    ------
    NetworkError
        If there are no such places in the region, or too many.
    """
    # Imported late: a quarter of a second that the page's start need not spend.
    from scipy.spatial import cKDTree

    rng = np.random.default_rng(seed)
    south, north = np.sin(np.radians([region.south, region.north]))
    full = region.east - region.west >= 360.0
    width = 360.0 if full else (region.east - region.west) % 360.0

    def throw(n: int) -> Float:
        lat = np.degrees(np.arcsin(rng.uniform(south, north, n)))
        lon = np.mod(region.west + rng.uniform(0.0, width, n), 360.0)
        good = usable(lat, lon)
        return unit_vectors(lat[good], lon[good])

    fraction = len(throw(20_000)) / 20_000
    if fraction == 0:
        raise NetworkError(
            "There is nowhere in the region that the network could observe; choose another "
            "domain, variable or region."
        )
    area = fraction * (north - south) * np.radians(width) * EARTH_RADIUS_KM**2
    jammed = _JAMMED * 4.0 / np.pi * area
    wanted = count if count is not None else int(jammed / float(spacing_km or 0.0) ** 2) + 1
    if wanted > MOST_PLACES:
        raise NetworkError(
            f"A spacing of {spacing_km:g} km makes about {wanted} stations, more than "
            f"{MOST_PLACES}; widen it, or draw a smaller region."
        )
    darts = throw(int(max(2_000, _THROWS * wanted) / fraction))
    tree = cKDTree(darts)
    if count is None:
        return darts[_settle(tree, float(spacing_km or 0.0))]
    spacing = np.sqrt(jammed / count)
    while True:
        kept = _settle(tree, spacing, count)
        if len(kept) == count:
            return darts[kept]
        spacing *= 0.97


def _settle(tree: Any, spacing_km: float, most: int | None = None) -> list[int]:
    """Return the accepted darts, in order of throwing."""
    chord = 2.0 * np.sin(min(spacing_km / EARTH_RADIUS_KM, np.pi) / 2.0)
    taken = np.zeros(tree.n, bool)
    kept: list[int] = []
    for i in range(tree.n):
        if taken[i]:
            continue
        kept.append(i)
        if len(kept) == most:
            break
        taken[tree.query_ball_point(tree.data[i], chord)] = True
    return kept
