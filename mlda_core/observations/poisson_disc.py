"""Places scattered over the sphere at random, but never close together."""

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
# Discs of one diameter thrown at random until none fits any more cover this part of a plane
# (random sequential addition: Hinrichsen, Feder and Jossang 1986, J. Stat. Phys. 44, 793).
_JAMMED = 0.547
# Candidates thrown for each place that there will be.
_THROWS = 40


class NetworkError(UserError):
    """A network cannot be laid out as asked; the message is one sentence with the remedy."""


def poisson_disc(
    usable: Callable[[Float, Float], NDArray[np.bool_]],
    region: Region = REGIONS["globe"],
    *,
    count: int | None = None,
    spacing_km: float | None = None,
    seed: int = 0,
) -> Float:
    """Scatter places at random, none nearer to another than a spacing, by throwing darts.

    A dart that falls too near an earlier one is taken away (Cook 1986, ACM Trans. Graph. 5, 51),
    until 40 times as many were thrown as will stay. For a count, the spacing begins at that of
    discs that can only just all find room, and shrinks by 3 % until they do.

    Parameters
    ----------
    usable : callable
        Whether places (lat, lon in degrees, shape (p,)) may be chosen.
    region : Region
    count : int, optional
        How many places; or else
    spacing_km : float, optional
        Their least distance.
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
    # A quarter of a second that starting the page need not wait for.
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

    share = len(throw(20_000)) / 20_000
    if share == 0:
        raise NetworkError(
            "There is nowhere in the region that the network could observe; choose another "
            "domain, variable or region."
        )
    area = share * (north - south) * np.radians(width) * EARTH_RADIUS_KM**2
    jammed = _JAMMED * 4.0 / np.pi * area
    wanted = count if count is not None else int(jammed / float(spacing_km or 0.0) ** 2) + 1
    if wanted > MOST_PLACES:
        raise NetworkError(
            f"A spacing of {spacing_km:g} km makes about {wanted} stations, more than "
            f"{MOST_PLACES}; widen it, or draw a smaller region."
        )
    darts = throw(int(max(2_000, _THROWS * wanted) / share))
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
    """Return the darts that stay, in the order of throwing."""
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
