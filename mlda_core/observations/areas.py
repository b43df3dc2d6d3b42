"""What an observation is of, other than a place: the column ``area``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mlda_core.climate.errors import UserError
from mlda_core.climate.regions import REGIONS, Region, drawn_box
from mlda_core.observations.kind import Kind, KindError

_NUMBER = r"[+-]?\d+(?:\.\d*)?"
_FORM = "name a region, give a box as 'south north west east', or a place as 'lat lon', in degrees"


@dataclass(frozen=True)
class Spot:
    """A place.

    Parameters
    ----------
    lat, lon : float
        Degrees north and east.
    """

    lat: float
    lon: float


@dataclass(frozen=True)
class Area:
    """What a row is of.

    Parameters
    ----------
    first : Region or Spot or None
        None for the row's own place.
    minus : Region or Spot or None
        What is taken from it, if anything.
    """

    first: Region | Spot | None
    minus: Region | Spot | None = None

    @property
    def centre(self) -> tuple[float, float] | None:
        """Where the first part is shown, degrees; None for the row's own place."""
        if self.first is None:
            return None
        if isinstance(self.first, Spot):
            return self.first.lat, self.first.lon
        r = self.first
        span = (r.east - r.west) % 360.0 or 360.0
        return 0.5 * (r.south + r.north), (r.west + 0.5 * span) % 360.0


def area_of(text: str, kind: Kind) -> Area | None:
    """Read what a row is of.

    Parameters
    ----------
    text : str
        A region's name, four numbers or two, and a second one behind ``minus``; '' for the row's
        own place.
    kind : Kind

    Returns
    -------
    Area or None
        None for the row's own place.

    Raises
    ------
    KindError
        If it cannot be read, or is not what the kind needs.
    """
    words = " ".join(text.replace(";", " ").replace(",", " ").split())
    first, minus, second = re.sub(r"^minus\b", " minus", words).partition(" minus")
    first, second = first.strip(), second.strip()
    if kind.area == "mean" and not first:
        raise KindError(f"kind {kind.key} needs an area: {_FORM}")
    if kind.area == "difference" and not second:
        raise KindError(
            f"kind {kind.key} needs an area 'FIRST minus SECOND', or 'minus SECOND' from the row's "
            f"own place: {_FORM}"
        )
    if kind.area != "difference" and minus:
        raise KindError(f"its area is a difference and its kind {kind.key}; make that difference")
    if not words:
        return None
    one = _part(first) if first else None
    if kind.area != "difference" and isinstance(one, Spot):
        raise KindError(f"area '{first[:32]}' is a place; give it as lat and lon, or {_FORM}")
    return Area(one, _part(second) if second else None)


def _part(text: str) -> Region | Spot:
    found = REGIONS.get(text.lower().replace(" ", "_"))
    if found is not None:
        return found
    numbers = text.split()
    if not all(re.fullmatch(_NUMBER, n) for n in numbers) or len(numbers) not in (2, 4):
        raise KindError(f"area '{text[:32]}' is none: {_FORM}; regions are {', '.join(REGIONS)}")
    values = [float(n) for n in numbers]
    if len(values) == 2:
        lat, lon = values
        if abs(lat) > 90.0 or abs(lon) > 720.0:
            raise KindError(f"area '{text[:32]}' is no place: give latitude, then longitude")
        return Spot(lat, lon % 360.0)
    try:
        return drawn_box(*values)
    except UserError as error:
        raise KindError(f"area '{text[:32]}': {str(error).rstrip('.')}") from error
