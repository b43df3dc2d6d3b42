"""Kinds of observation that are placed by two clicks: a mean by its corners, a difference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.text import place
from mlda_core.observations.kinds import KINDS, PLAIN
from mlda_core.page_state.rows import Row

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class First:
    """The first of two places.

    Parameters
    ----------
    kind, variable : str
    lat, lon : float
        Degrees.
    """

    kind: str
    variable: str
    lat: float
    lon: float


def needs_two(kind: str) -> bool:
    """Whether a kind is of two places, by the key of it."""
    return KINDS[kind or PLAIN].area != "none"


def hint(kind: str, first: First | None, names: Mapping[str, str]) -> str:
    """Return what the next click does; '' for a kind of one place.

    Parameters
    ----------
    kind : str
        Key of the kind that is chosen.
    first : First or None
        The place that was given already.
    names : mapping
        What people read in place of each variable's name.
    """
    if not needs_two(kind):
        return ""
    mean = KINDS[kind].area == "mean"
    if first is None:
        return (
            "Drag a box over a map, or click two opposite corners: its mean is observed."
            if mean
            else "Next click: the first place; the click after it: the place that is subtracted."
        )
    what = "the opposite corner" if mean else "the place that is subtracted"
    begun = f"{names[first.variable]} at {place(first.lat, first.lon)}"
    return f"Begun: {begun}. Next click: {what}. Escape gives up."


def box_between(first: First, lat: float, lon: float) -> Box:
    """Return the box of two opposite corners, the shorter way round.

    Parameters
    ----------
    first : First
    lat, lon : float
        The other corner, degrees.

    Returns
    -------
    tuple of float
        South, north, west and east, degrees.

    >>> box_between(First("mean", "tas", 40.0, 350.0), 60.0, 20.0)
    (40.0, 60.0, 350.0, 20.0)
    """
    away = (lon - first.lon + 180.0) % 360.0 - 180.0
    west, east = (first.lon, lon) if away >= 0 else (lon, first.lon)
    return min(first.lat, lat), max(first.lat, lat), west % 360.0, east % 360.0


def mean_row(variable: str, box: Box) -> Row:
    """Return the mean over a box, to be sampled from the target; shown at its centre."""
    south, north, west, east = box
    span = (east - west) % 360.0 or 360.0
    centre = 0.5 * (south + north), (west + 0.5 * span) % 360.0
    area = f"{south:.2f} {north:.2f} {west:.2f} {west + span:.2f}"
    return Row(variable, *centre, label="by hand", kind="mean", area=area)


def difference_row(first: First, lat: float, lon: float) -> Row:
    """Return the difference of two places, to be sampled from the target; shown at the first."""
    area = f"minus {lat:.3f} {lon % 360.0:.3f}"
    return Row(first.variable, first.lat, first.lon, label="by hand", kind="difference", area=area)
