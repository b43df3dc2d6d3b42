"""What a session cycles and how it is shown: plain data, pure functions."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

import param

from mlda_core.climate.regions import REGIONS, Region
from mlda_core.page_state.settings import (
    InvalidStateError,
    Settings,
    Structured,
    number,
    number_of,
    setting,
)

# Days of one run: a visitor's analyses and backgrounds of them are 20 MB.
MOST_DAYS = 90
# Changes of the network on the way; a link has to carry them.
MOST_CHANGES = 12
# Networks whose forecast errors a bundle knows, or lies between.
STATIONS = (30, 100, 300)


class InvalidCycleError(InvalidStateError):
    """A setting of the cycle is invalid; the message is one sentence."""


def _area(name: str, south: float, north: float, west: float, east: float) -> Region:
    return Region(name, south, north, west, east, name)


# Where observations can be withheld, and over which errors are averaged: from west to east, so that
# what one lacks is seen in the next.
AREAS: dict[str, Region] = {
    **{key: REGIONS[key] for key in ("globe", "north", "tropics", "south")},
    "north_pacific": REGIONS["north_pacific"],
    "north_america": _area("North America", 25, 70, 235, 300),
    "north_atlantic": REGIONS["north_atlantic"],
    "europe": _area("Europe", 35, 72, 348, 45),
    "asia": _area("Northern Asia", 35, 72, 45, 145),
    "southern_ocean": REGIONS["southern_ocean"],
}

# From which day on which area has no observations; '' ends it.
Change = tuple[str, str]
# A variable, latitude, longitude and day that are observed alone.
Alone = tuple[str, float, float, str]


def _day(given: Any) -> str:
    """Return a day as a label; whether a bundle has it the tool says."""
    try:
        if len(given) != 10:
            raise ValueError(given)
        return dt.date.fromisoformat(given).isoformat()
    except (TypeError, ValueError):
        raise InvalidCycleError(
            f"'{str(given)[:24]}' is not a day; write it as YYYY-MM-DD."
        ) from None


def _first(given: Any) -> str:
    return "" if given == "" else _day(given)


def _read_changes(given: Any) -> tuple[Change, ...]:
    if not isinstance(given, list | tuple) or not all(
        isinstance(item, list | tuple) and len(item) == 2 for item in given
    ):
        raise InvalidCycleError("The changes of the network are damaged; save the state again.")
    if len(given) > MOST_CHANGES:
        raise InvalidCycleError(
            f"The network changes {len(given)} times, and {MOST_CHANGES} are the most; begin again."
        )
    made = tuple((_day(day), str(area)) for day, area in given)
    for _, area in made:
        if area and area not in AREAS:
            raise InvalidCycleError(
                f"Nothing can be withheld in '{area[:24]}'; choose one of {', '.join(AREAS)}."
            )
    if list(made) != sorted(made, key=lambda change: change[0]):
        raise InvalidCycleError(
            "The changes of the network are not in order; save the state again."
        )
    return made


def _parse_changes(text: str) -> list[list[str]]:
    return [[part[:10], part[11:]] for part in text.split(",") if part]


def _read_alone(given: Any) -> Alone | None:
    if given is None:
        return None
    whole = isinstance(given, list | tuple) and len(given) == 4
    if not whole or not isinstance(given[0], str):
        raise InvalidCycleError(
            "The single observation must be a variable, a latitude, a longitude and a day; "
            "correct it."
        )
    lat = number("latitude of the single observation", given[1], -90, 90, InvalidCycleError)
    lon = number("longitude of the single observation", given[2], -360, 720, InvalidCycleError)
    return given[0][:40], round(lat, 2), round(lon % 360, 2) % 360, _day(given[3])


def _parse_alone(text: str) -> list[Any] | None:
    if not text:
        return None
    name, *rest = text.split(",")
    return [name, *(number_of(part) for part in rest[:2]), *rest[2:]]


class CycleSettings(Settings):
    """What is cycled, and what is shown of it."""

    refuses: ClassVar = InvalidCycleError
    group: ClassVar = "cycle"

    # A string, for the methods are a registry that imports torch: the tool checks it.
    method = param.String(
        default="3dvar",
        regex=r"^[a-z0-9_]{1,24}$",
        label="Method",
        doc="What is cycled through the days",
        metadata=setting("cycled", words="cycled method"),
    )
    stations: param.Selector[int] = param.Selector(
        default=100,
        objects={str(count): count for count in STATIONS},
        label="Stations",
        doc="Random stations that observe the truth with noise, at the same places every day",
        metadata=setting("cycle_stations", words="number of stations"),
    )
    first: Structured[str] = Structured(
        "",
        _first,
        doc="The first day of the run; '' before there is one.",
        metadata=setting("cycle_from"),
    )
    changes: Structured[tuple[Change, ...]] = Structured(
        (),
        _read_changes,
        plain=lambda changes: [list(change) for change in changes],
        text=lambda changes: ",".join(f"{day}:{area}" for day, area in changes),
        parse=_parse_changes,
        doc="From which day on which area is not observed; '' where all stations are again.",
        metadata=setting("cycle_without"),
    )
    view: param.Selector[str] = param.Selector(
        default="analysis",
        objects={
            "Analysis": "analysis",
            "Background": "background",
            "Analysis − truth": "error",
            "Background − truth": "background_error",
            "Analysis − background": "increment",
            "Spread of the analysis": "spread",
            "One observation": "alone",
        },
        doc="What stands beside the truth.",
        metadata=setting("cycle_view", words="view of the cycle"),
    )
    variable = param.String(
        default="",
        regex=r"^([^\W\d]\w{0,39})?$",
        doc="Of which the curves are; '' for the height at 500 hPa, or the first that there is.",
        metadata=setting("cycle_of", refused="There is no variable '{value}'; choose another."),
    )
    over: param.Selector[str] = param.Selector(
        default="globe",
        objects={area.short: key for key, area in AREAS.items()},
        doc="The area that the curves are averaged over.",
        metadata=setting("cycle_over", words="area of the curves"),
    )
    alone: Structured[Alone | None] = Structured(
        None,
        _read_alone,
        plain=lambda alone: alone and list(alone),
        text=lambda alone: "{},{:g},{:g},{}".format(*alone) if alone else "",
        parse=_parse_alone,
        doc="The single observation in a window of 4D-Var; none: in the middle of the map.",
        metadata=setting("cycle_alone"),
    )


def withhold(settings: CycleSettings, day: str, area: str) -> CycleSettings:
    """Return the settings with another network from a day on; what was to change later does not.

    Parameters
    ----------
    settings : CycleSettings
    day : str
    area : str
        Without observations; '' for all stations.
    """
    kept = [change for change in settings.changes if change[0] < day]
    before = kept[-1][1] if kept else ""
    made = [*kept, (day, area)] if area != before else kept
    return settings.replace(changes=_read_changes(made))


def withheld_on(settings: CycleSettings, day: str) -> str:
    """Return the area that has no observations on a day; '' where all stations are there."""
    return next((area for since, area in reversed(settings.changes) if since <= day), "")
