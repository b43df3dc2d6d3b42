"""What a session observes and how it assimilates: plain data, changed by pure functions.

Observations are a network, by its name and numbers, and what was done to it by hand. A value or
an error that nobody typed is absent here: it is sampled from the month's target, and so follows
the month, the error slider and the seed of the noise.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple

from mlda_core.assimilation import methods
from mlda_core.climate.errors import UserError

KINDS = (
    "none",
    "stations",
    "sst_only",
    "sst_and_pressure",
    "all_fields",
    "historical",
    "ship_tracks",
    "custom",
)
DOMAINS = ("globe", "land", "sea")
METHODS = tuple(methods.METHODS)
COLUMNS = ("model", "increment", "difference", "influence", "spread")
# What stands beside the model: the truth, or the analysis of the same observations by another
# method.
BESIDE = ("target", "enoi", "eof", "vae")
# Colours and arrows may be stretched, for increments far smaller than months' anomalies.
SCALES = (1, 2, 5, 10)
MAX_ROWS = 20_000
MAX_SEED = 2**31 - 1
LABEL = 60


class InvalidObservationError(UserError):
    """An observation or a setting cannot be; the message is one sentence for people."""


class Row(NamedTuple):
    """One observation.

    Parameters
    ----------
    variable : str
        CF name.
    lat, lon : float
        Degrees north; degrees east, 0..360.
    value, error_sd : float or None
        Anomaly and its error, display units; None: sampled from the target of the month.
    withheld : bool
        Not used, only scored.
    label : str
        What people call it.
    month : str
        ``YYYY-MM`` that the value was observed in; '' where none is said.
    absolute : bool
        Whether the value was an absolute one: in another month it is an anomaly from that month's
        climatology, and another number.
    """

    variable: str
    lat: float
    lon: float
    value: float | None = None
    error_sd: float | None = None
    withheld: bool = False
    label: str = ""
    month: str = ""
    absolute: bool = False


@dataclass(frozen=True)
class ObservationSettings:
    """Observations and how they are assimilated.

    Parameters
    ----------
    kind : str
        The network, one of `KINDS`.
    variables : tuple of str
        What the network's stations observe; empty: what such a network usually does.
    count : int
        How many stations.
    spacing : int
        Their least distance, or the distance of ships along their routes, km; 0: `count` says.
    domain : str
        Where stations are, one of `DOMAINS`.
    region : tuple of float or None
        South, north, west, east, degrees: where stations are, within the domain.
    year : int
        Of the historical network.
    seed : int
        Seed of the places.
    error : float
        Error sd of what is sampled, as a share of the local spread.
    noise : int
        Seed of the errors.
    withheld, deleted : frozenset of int
        Rows of the network that are withheld and deleted.
    changed : tuple of (int, Row)
        Rows of the network that were moved or edited, by number.
    own : tuple of Row
        Rows placed by hand or read from a file; they follow those of the network.
    method : str
        One of `METHODS`.
    residual : bool
        With residual analysis, or the latent space only.
    localisation : float
        Factor on the localisation's reach.
    live : bool
        Whether every change is assimilated at once.
    column : str
        What the model column shows, one of `COLUMNS`.
    hatch : float
        A spread above this share of the climatological one is hatched.
    beside : str
        What the column beside the model shows, one of `BESIDE`.
    scale : int
        How many times smaller anomalies have the same colour, one of `SCALES`.
    arrows : bool
        Whether a bundle's vector is drawn as arrows.
    """

    kind: str = "stations"
    variables: tuple[str, ...] = ()
    count: int = 100
    spacing: int = 0
    domain: str = "globe"
    region: tuple[float, float, float, float] | None = None
    year: int = 1900
    seed: int = 1
    error: float = 0.2
    noise: int = 1
    withheld: frozenset[int] = field(default_factory=frozenset)
    deleted: frozenset[int] = field(default_factory=frozenset)
    changed: tuple[tuple[int, Row], ...] = ()
    own: tuple[Row, ...] = ()
    method: str = "vae"
    residual: bool = True
    localisation: float = 1.0
    live: bool = True
    column: str = "model"
    hatch: float = 0.5
    beside: str = "target"
    scale: int = 1
    arrows: bool = True

    @property
    def by_hand(self) -> int:
        """Number of rows that differ from the network's own."""
        return len(self.withheld | self.deleted | {i for i, _ in self.changed}) + len(self.own)


# What a network is; changing one of these makes it another network, whose rows are other rows.
NETWORK = ("kind", "variables", "count", "spacing", "domain", "region", "year", "seed")
# What takes part in the observations; the rest is about how they are used.
OBSERVED = (*NETWORK, "error", "noise", "withheld", "deleted", "changed", "own")

_RANGES: dict[str, tuple[float, float]] = {
    "count": (1, 3000),
    "spacing": (0, 20_000),
    "year": (1850, 2020),
    "seed": (0, MAX_SEED),
    "noise": (0, MAX_SEED),
    "error": (0.02, 2.0),
    "localisation": (0.25, 2.0),
    "hatch": (0.05, 1.0),
}
_CHOICES: dict[str, Sequence[str]] = {
    "kind": KINDS,
    "domain": DOMAINS,
    "method": METHODS,
    "column": COLUMNS,
    "beside": BESIDE,
}
_WORDS = {
    "kind": "network",
    "count": "number of stations",
    "seed": "seed of the places",
    "noise": "seed of the noise",
    "localisation": "localisation radius",
    "error": "observation error",
    "column": "view of the model",
    "hatch": "share for hatching",
    "beside": "view beside the model",
}


def observed_alike(one: ObservationSettings, other: ObservationSettings) -> bool:
    """Whether two have the same observations, whatever is done with them."""
    return all(getattr(one, name) == getattr(other, name) for name in OBSERVED)


def analysed_alike(one: ObservationSettings, other: ObservationSettings) -> bool:
    """Whether two have the same analysis in the same month."""
    names = (*OBSERVED, "method", "residual", "localisation")
    return all(getattr(one, name) == getattr(other, name) for name in names)


def adjust(settings: ObservationSettings, values: Mapping[str, Any]) -> ObservationSettings:
    """Change settings that come from outside.

    Another network has other rows: what was done to the old one's goes. Rows of one's own stay;
    but of ``custom``, which `app.tools.observations.freeze` makes of a network's rows, only those
    with a value of their own: the others were the network's.

    Parameters
    ----------
    settings : ObservationSettings
        What there is.
    values : mapping
        New values by name.

    Raises
    ------
    ObservingError
        If one is unknown or cannot be.
    """
    made = replace(settings, **{name: _check(name, value) for name, value in values.items()})
    if any(getattr(made, name) != getattr(settings, name) for name in NETWORK):
        made = replace(made, withheld=frozenset(), deleted=frozenset(), changed=())
    if made.kind != settings.kind and settings.kind == "custom":
        made = replace(made, own=tuple(row for row in made.own if row.value is not None))
    return made


def withhold(
    settings: ObservationSettings, sources: Collection[int], *, held: bool
) -> ObservationSettings:
    """Withhold or restore rows.

    Parameters
    ----------
    settings : ObservationSettings
        What there is.
    sources : collection of int
        Rows: of the network by number, one's own as -1, -2, ...
    held : bool
        Withhold; or restore.
    """
    network = {i for i in sources if i >= 0}
    chosen = {-1 - i for i in sources if i < 0}
    own = tuple(
        row._replace(withheld=held) if j in chosen else row for j, row in enumerate(settings.own)
    )
    kept = settings.withheld | network if held else settings.withheld - network
    return replace(settings, withheld=frozenset(kept), own=own)


def delete(settings: ObservationSettings, sources: Collection[int]) -> ObservationSettings:
    """Delete rows; of a network they stay away until it is changed."""
    network = {i for i in sources if i >= 0}
    chosen = {-1 - i for i in sources if i < 0}
    return replace(
        settings,
        deleted=settings.deleted | network,
        withheld=settings.withheld - network,
        changed=tuple(pair for pair in settings.changed if pair[0] not in network),
        own=tuple(row for j, row in enumerate(settings.own) if j not in chosen),
    )


def place(settings: ObservationSettings, row: Row) -> ObservationSettings:
    """Add a row of one's own."""
    if len(settings.own) >= MAX_ROWS:
        raise InvalidObservationError(
            f"There are {MAX_ROWS} observations already; delete some first."
        )
    return replace(settings, own=(*settings.own, check_row(row)))


def edit(settings: ObservationSettings, source: int, row: Row) -> ObservationSettings:
    """Put a row in another's place; whether it is withheld stays as it is."""
    row = check_row(row)
    if source < 0:
        own = list(settings.own)
        own[-1 - source] = row._replace(withheld=own[-1 - source].withheld)
        return replace(settings, own=tuple(own))
    changed = dict(settings.changed)
    changed[source] = row._replace(withheld=False)
    return replace(settings, changed=tuple(sorted(changed.items())))


def check_row(row: Row) -> Row:
    """Return a row with its numbers as they have to be.

    Raises
    ------
    ObservingError
        If it cannot be an observation; whether its variable exists there is the bundle's to say.
    """
    lat, lon = number("latitude", row.lat, -90, 90), number("longitude", row.lon, -720, 720)
    value = None if row.value is None else number("value", row.value, -1e4, 1e4)
    error = None if row.error_sd is None else number("error", row.error_sd, 1e-6, 1e4)
    if not isinstance(row.variable, str) or not isinstance(row.withheld, bool):
        raise InvalidObservationError("An observation lacks its variable; give it one.")
    # As exact as a link: a hundred metres.
    place = round(lat, 3), round(lon % 360.0, 3) % 360.0
    made = Row(row.variable, *place, value, error, row.withheld, str(row.label)[:LABEL])
    # What is sampled belongs to whichever month is shown.
    if value is None or not row.month:
        return made
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", str(row.month)):
        raise InvalidObservationError(
            f"An observation's month '{str(row.month)[:24]}' is not of the form YYYY-MM; correct "
            "it."
        )
    return made._replace(month=str(row.month), absolute=bool(row.absolute))


def number(name: str, value: Any, low: float, high: float) -> float:
    """Return a finite number within limits.

    Raises
    ------
    ObservingError
        If it is none; the sentence names it.
    """
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        raise InvalidObservationError(
            f"The {name} is empty; type a number from {low:g} to {high:g}."
        )
    good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not good or not low <= value <= high:
        raise InvalidObservationError(
            f"The {name} '{str(value)[:24]}' is not a number from {low:g} to {high:g}; correct it."
        )
    return float(value)


def _check(name: str, value: Any) -> Any:
    words = _WORDS.get(name, name)
    if name in _CHOICES:
        if not isinstance(value, str) or value not in _CHOICES[name]:
            raise InvalidObservationError(
                f"There is no {words} '{str(value)[:24]}'; choose one of "
                f"{', '.join(_CHOICES[name])}."
            )
        return value
    if name in _RANGES:
        made = number(words, value, *_RANGES[name])
        if name == "spacing" and 0 < made < 50:
            raise InvalidObservationError("A spacing must be 50 km or more, or 0; correct it.")
        if name in ("error", "localisation", "hatch"):
            return round(made, 4)
        if made != int(made):
            raise InvalidObservationError(f"The {words} must be a whole number, not {made:g}.")
        return int(made)
    if name == "scale":
        if not isinstance(value, int | float) or isinstance(value, bool) or value not in SCALES:
            raise InvalidObservationError(
                f"The colours cannot be amplified {str(value)[:24]} times; choose one of "
                f"{', '.join(map(str, SCALES))}."
            )
        return int(value)
    if name in ("residual", "live", "arrows"):
        if not isinstance(value, bool):
            raise InvalidObservationError(
                f"The setting '{name}' must be true or false; correct it."
            )
        return value
    if name == "variables":
        if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
            raise InvalidObservationError(
                "The network's variables must be a list of names; correct it."
            )
        return tuple(sorted({v[:40] for v in value}))
    if name == "region":
        return None if value is None else _region(value)
    raise InvalidObservationError(
        f"There is no setting '{name[:24]}' of the observations; remove it."
    )


def _region(value: Any) -> tuple[float, float, float, float]:
    if not isinstance(value, list | tuple) or len(value) != 4:
        raise InvalidObservationError("A region must be south, north, west and east; correct it.")
    south, north = (number("region's latitude", v, -90, 90) for v in value[:2])
    west, east = (number("region's longitude", v, -360, 720) for v in value[2:])
    if south >= north or west == east:
        raise InvalidObservationError("The region is empty; draw a larger one.")
    around = east - west >= 360
    return (
        round(south, 2),
        round(north, 2),
        0.0 if around else round(west % 360, 2),
        360.0 if around else round(east % 360, 2),
    )


def to_dict(settings: ObservationSettings) -> dict[str, Any]:
    """Return plain JSON values, settings at their defaults left out."""
    made: dict[str, Any] = {}
    for item in fields(ObservationSettings):
        value = getattr(settings, item.name)
        if value == getattr(_DEFAULT, item.name):
            continue
        if isinstance(value, frozenset):
            value = sorted(value)
        elif item.name == "own":
            value = [_plain(row) for row in value]
        elif item.name == "changed":
            value = [[i, *_plain(row)] for i, row in value]
        elif isinstance(value, tuple):
            value = list(value)
        made[item.name] = value
    return made


def from_dict(data: Any) -> ObservationSettings:
    """Read what `to_dict` wrote.

    Raises
    ------
    ObservingError
        If anything in it is wrong.
    """
    if not isinstance(data, dict):
        raise InvalidObservationError("The saved observations are damaged; save the state again.")
    plain = {k: v for k, v in data.items() if k not in _ROWS}
    made = adjust(_DEFAULT, plain)
    held, gone = (_numbers(data.get(name, [])) for name in ("withheld", "deleted"))
    changed = [(_numbers(item[:1]), _row(item[1:])) for item in _list(data.get("changed", []))]
    return replace(
        made,
        withheld=held,
        deleted=gone,
        changed=tuple(sorted((next(iter(i)), row) for i, row in changed)),
        own=tuple(_row(item) for item in _list(data.get("own", []))),
    )


_ROWS = ("withheld", "deleted", "changed", "own")
_DEFAULT = ObservationSettings()
# What the last six of a row's nine are where nothing is said of them.
_ABSENT: tuple[Any, ...] = (None, None, 0, "", "", 0)


def _plain(row: Row) -> list[Any]:
    """Return a row as a list, as short as it can be: what is absent at its end is left out."""
    values: list[Any] = [
        *row[:5],
        int(row.withheld),
        row.label,
        row.month,
        int(row.absolute),
    ]
    while len(values) > 3 and values[-1] == _ABSENT[len(values) - 4]:
        values.pop()
    return values


def _row(item: Any) -> Row:
    if not isinstance(item, list) or not 3 <= len(item) <= 9:
        raise InvalidObservationError("A saved observation is damaged; save the state again.")
    values = [*item, *_ABSENT[len(item) - 3 :]]
    values[5], values[8] = bool(values[5]), bool(values[8])
    return check_row(Row(*values))


def _list(items: Any) -> list[Any]:
    if (
        not isinstance(items, list)
        or len(items) > MAX_ROWS
        or not all(isinstance(item, list) for item in items)
    ):
        raise InvalidObservationError("The saved observations are damaged; save the state again.")
    return items


def _numbers(items: Any) -> frozenset[int]:
    if (
        not isinstance(items, list)
        or len(items) > MAX_ROWS
        or not all(isinstance(i, int) and not isinstance(i, bool) and i >= 0 for i in items)
    ):
        raise InvalidObservationError("The saved observations are damaged; save the state again.")
    return frozenset(items)
