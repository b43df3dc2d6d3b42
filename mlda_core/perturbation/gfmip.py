"""Patches of the Green's Function Model Intercomparison Project (GFMIP).

The protocol (Bloch-Johnson et al. 2024, "The Green's Function Model Intercomparison Project (GFMIP)
Protocol", J. Adv. Model. Earth Syst. 16, e2023MS003700, https://doi.org/10.1029/2023MS003700)
warms or cools one patch of the sea at a time. By its equation 1 a patch changes the ice-free sea by

    A cos^2(pi/2 (lat - lat_p) / lat_w) cos^2(pi/2 (lon - lon_p) / lon_w)

within the half widths ``lat_w`` and ``lon_w``, and by nothing outside them. Neighbours are half a
width apart, so that the patches of the tropics together are a uniform change.

The centres and widths here are those of a published implementation of the protocol (S. Van Loon
2025, ``create_patches`` of the Green's functions of the emulator ACE); the tables of the paper
itself were not at hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate import places
from mlda_core.climate.grid import Grid
from mlda_core.perturbation.sst_patches import Patch, PerturbationError

# Kelvin at a patch's centre, by default.
AMPLITUDE = 2.0
# A patch has sea if its weight there reaches this. Of less sea, the change of the sea's mean would
# be too small to divide by: a hundredth of a whole patch's.
LEAST_WEIGHT = 0.1

_HALF_LAT, _HALF_LON = 10.0, 40.0
_CENTRES = range(-80, 81, 10)
# Poleward of this a patch is as wide in kilometres as here: its longitudes widen.
_WIDENS_FROM = 30.0
# A taper of the whole width, for it is limited to the box's.
_WHOLE = 360.0
# A row begins at one of these, by turns, and goes on for so many degrees.
_EVEN, _ODD, _SPAN = 180.0, 160.0, 321.0


@dataclass(frozen=True)
class ProtocolPatch:
    """One patch of the protocol.

    Parameters
    ----------
    key : str
        Its centre as text, such as ``10N_160E``; unique in the protocol.
    lat, lon : float
        Centre, degrees north and east, 0 to 360.
    half_lat, half_lon : float
        Half widths, degrees: the change is zero this far from the centre.
    """

    key: str
    lat: float
    lon: float
    half_lat: float
    half_lon: float

    @property
    def label(self) -> str:
        """Display name."""
        return places.place(self.lat, self.lon, 0)

    def patch(self, kelvin: float = AMPLITUDE) -> Patch:
        """Return the change of the sea: the box of half its strength, tapered to its centre.

        A cosine that falls over the whole width of a box, half of it outside, is the protocol's
        squared cosine: ``(1 + cos(pi x / w)) / 2 = cos^2(pi/2 x / w)``. A patch of 80 degrees
        latitude is wider than the globe; where it meets itself it counts once.

        Parameters
        ----------
        kelvin : float
            At the centre.

        Returns
        -------
        Patch
        """
        half_lat, half_lon = 0.5 * self.half_lat, 0.5 * self.half_lon
        box = (
            self.lat - half_lat,
            self.lat + half_lat,
            (self.lon - half_lon) % 360.0,
            (self.lon + half_lon) % 360.0,
        )
        return Patch(kelvin, box=box, taper=_WHOLE)


@lru_cache(maxsize=1)
def protocol_patches() -> tuple[ProtocolPatch, ...]:
    """Return all patches, over land too: every other row from the equator on, then the rest.

    In this order the rows that are done first cover the globe coarsely.

    Returns
    -------
    tuple of ProtocolPatch
        109 of them.
    """
    found = []
    for lat in sorted(_CENTRES, key=lambda lat: (lat // 10 % 2, abs(lat), lat)):
        stretch = 1.0
        if abs(lat) > _WIDENS_FROM:
            stretch = float(1.0 / np.cos(np.radians(lat)))
        start = _ODD if lat // 10 % 2 else _EVEN
        for lon in np.arange(start, start + _SPAN, _HALF_LON * stretch) % 360.0:
            key = f"{abs(lat)}{'S' if lat < 0 else 'N'}_{lon:.0f}E"
            found.append(ProtocolPatch(key, float(lat), float(lon), _HALF_LAT, _HALF_LON * stretch))
    return tuple(found)


def patches_at_sea(
    grid: Grid, sea: NDArray[np.bool_] | NDArray[np.floating]
) -> tuple[ProtocolPatch, ...]:
    """Return the patches that change any sea.

    Parameters
    ----------
    grid : Grid
    sea : ndarray, shape (lat, lon)
        Where there is sea, or how much of each cell is open water, 0..1.

    Returns
    -------
    tuple of ProtocolPatch
        In the order of :func:`protocol_patches`.
    """
    return tuple(
        patch
        for patch in protocol_patches()
        if float((patch.patch(1.0).weights(grid) * sea).max()) >= LEAST_WEIGHT
    )


def nearest(lat: float, lon: float, patches: tuple[ProtocolPatch, ...]) -> ProtocolPatch:
    """Return the patch with the largest weight at a place; of equals, the nearest centre.

    Parameters
    ----------
    lat, lon : float
        Degrees.
    patches : tuple of ProtocolPatch
        At least one.

    Returns
    -------
    ProtocolPatch

    Raises
    ------
    PerturbationError
        If none reaches the place.
    """

    def away(patch: ProtocolPatch) -> float:
        east = abs((lon - patch.lon + 180.0) % 360.0 - 180.0) / patch.half_lon
        return float(np.hypot((lat - patch.lat) / patch.half_lat, east))

    best = min(patches, key=away, default=None)
    if best is None or away(best) >= np.sqrt(2.0):
        raise PerturbationError(
            f"No patch of the protocol reaches {places.place(lat, lon, 0)}; choose another place."
        )
    return best


def of_key(key: str) -> ProtocolPatch:
    """Return the patch of a key.

    Raises
    ------
    PerturbationError
        If the protocol has none.
    """
    for patch in protocol_patches():
        if patch.key == key:
            return patch
    raise PerturbationError(
        f"The protocol has no patch '{str(key)[:24]}'; its patches are called as 10N_160E is."
    )
