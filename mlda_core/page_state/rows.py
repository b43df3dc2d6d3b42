"""Observations one by one: those placed by hand, and what was done to those of a network."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any, NamedTuple

from mlda_core.climate.seasons import seasons_of_label
from mlda_core.climate.time_step import DAY, MONTH
from mlda_core.observations.areas import area_of
from mlda_core.observations.kind import KindError
from mlda_core.observations.kinds import PLAIN, kind_of, spelled
from mlda_core.page_state.settings import InvalidStateError, is_count, json_of, number

MAX_ROWS = 20_000
LABEL = 60
MOST_AREA = 120
# Browsers and mail programs cut longer links: with more rows than fit, a link holds the network.
MAX_TEXT = 1800
_MAX_JSON = 200_000
# Defaults of the last eight of a row's eleven values.
_ABSENT: tuple[Any, ...] = (None, None, 0, "", "", 0, "", "")


class InvalidObservationError(InvalidStateError):
    """An observation or a setting is invalid; the message is one sentence."""


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
        ``YYYY-MM``, or ``YYYY-MM-DD`` of a bundle of days, that the value was observed in; ''
        where none is said.
    absolute : bool
        Whether the value was an absolute one: in another month it is an anomaly from that month's
        climatology, and another number.
    kind, area : str
        As in an observation table; '' for a value at a place.
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
    kind: str = ""
    area: str = ""


def check_row(row: Row) -> Row:
    """Return a row with its numbers as they have to be.

    Raises
    ------
    InvalidObservationError
        If it cannot be an observation; whether its variable exists there depends on the bundle.
    """
    lat, lon = _number("latitude", row.lat, -90, 90), _number("longitude", row.lon, -720, 720)
    value = None if row.value is None else _number("value", row.value, -1e4, 1e4)
    error = None if row.error_sd is None else _number("error", row.error_sd, 1e-6, 1e4)
    if not isinstance(row.variable, str) or not isinstance(row.withheld, bool):
        raise InvalidObservationError("An observation lacks its variable; give it one.")
    # Rounded as in a link: to a hundred metres.
    place = round(lat, 3), round(lon % 360.0, 3) % 360.0
    kind, area = _kind(row.kind, row.area, value)
    label = str(row.label)[:LABEL]
    made = Row(row.variable, *place, value, error, row.withheld, label, kind=kind, area=area)
    # What is sampled belongs to whichever month is shown.
    if value is None or not row.month:
        return made
    if seasons_of_label(str(row.month)) is None:
        raise InvalidObservationError(
            f"An observation's month '{str(row.month)[:24]}' is not of the form {MONTH.form}; "
            f"correct it, or write a day as {DAY.form}."
        )
    return made._replace(month=str(row.month), absolute=bool(row.absolute))


def _kind(kind_text: Any, area_text: Any, value: float | None) -> tuple[str, str]:
    """Return a row's kind and area as a table writes them, '' for a value at a place."""
    if not kind_text and not area_text:
        return "", ""
    try:
        kind, parameter = kind_of(str(kind_text))
        area = area_of(str(area_text)[:MOST_AREA], kind)
    except KindError as error:
        words = str(error)
        raise InvalidObservationError(f"{words[:1].upper()}{words[1:]}.") from error
    if area is not None and value is None and kind.classes:
        raise InvalidObservationError("A report of an area is not sampled; type its class.")
    most = parameter // 2 if kind.classes else 0
    if kind.classes and value is not None and not (value == int(value) and abs(value) <= most):
        raise InvalidObservationError(
            f"The value of a {kind.key} is a class, a whole number from {-most:g} to {most:g}."
        )
    found = spelled(kind, parameter)
    return "" if found == PLAIN and area is None else found, str(area_text) if area else ""


def _number(words: str, given: Any, low: float, high: float) -> float:
    return number(words, given, low, high, InvalidObservationError)


# -- how rows are written ------------------------------------------------------------------------


def read_numbers(given: Any) -> frozenset[int]:
    """Check numbers of a network's rows."""
    return frozenset(_checked(given, is_count))


def plain_rows(rows: Iterable[Row]) -> list[list[Any]]:
    """Return rows as JSON has them."""
    return [_plain(row) for row in rows]


def read_rows(given: Any) -> tuple[Row, ...]:
    """Check what `plain_rows` wrote."""
    return tuple(_row(item) for item in _checked(given, _is_list))


def plain_changes(changes: Iterable[tuple[int, Row]]) -> list[list[Any]]:
    """Return rows with their numbers in front, as JSON has them."""
    return [[i, *_plain(row)] for i, row in changes]


def read_changes(given: Any) -> tuple[tuple[int, Row], ...]:
    """Check what `plain_changes` wrote."""
    items = _checked(given, _is_change)
    if len({i for i, *_ in items}) < len(items):
        raise InvalidObservationError(
            "An observation of the network is changed twice; save the state again."
        )
    # By the number alone: rows do not compare where one has a value and the other none.
    ordered = sorted(items, key=itemgetter(0))
    return tuple((i, _row(row)) for i, *row in ordered)


def pack_rows(plain: Mapping[str, Any], most: int = MAX_TEXT) -> str:
    """Pack what was done to rows, as JSON has it, into URL-safe text; '' if that is too long.

    Parameters
    ----------
    plain : mapping
    most : int
        Characters that the text may have.
    """
    data = json.dumps(dict(plain), separators=(",", ":")).encode()
    text = base64.urlsafe_b64encode(zlib.compress(data, 9)).decode().rstrip("=")
    return text if len(text) <= most and len(data) <= _MAX_JSON else ""


def unpack_rows(text: str, names: Iterable[str]) -> dict[str, Any]:
    """Return what `pack_rows` packed, unchecked but for its names.

    Raises
    ------
    InvalidStateError
        If the text holds no such thing.
    """
    damaged = InvalidStateError("The link's observations are damaged; copy the whole link.")
    try:
        packed = base64.b64decode((text + "=" * (-len(text) % 4)).encode(), b"-_", validate=True)
        # Bounded: a short text may hide a very long one.
        data = json_of(zlib.decompressobj().decompress(packed, _MAX_JSON))
    except (binascii.Error, zlib.error, ValueError, RecursionError):
        raise damaged from None
    if not isinstance(data, dict) or not set(data) <= set(names):
        raise damaged
    return data


def _plain(row: Row) -> list[Any]:
    """Return a row as a list, as short as it can be: what is absent at its end is left out."""
    told = int(row.withheld), row.label, row.month, int(row.absolute), row.kind, row.area
    values: list[Any] = [*row[:5], *told]
    while len(values) > 3 and values[-1] == _ABSENT[len(values) - 4]:
        values.pop()
    return values


def _row(item: list[Any]) -> Row:
    if not 3 <= len(item) <= 11:
        raise InvalidObservationError("A saved observation is damaged; save the state again.")
    values = [*item, *_ABSENT[len(item) - 3 :]]
    values[5], values[8] = bool(values[5]), bool(values[8])
    return check_row(Row(*values))


def _is_list(item: Any) -> bool:
    return isinstance(item, list)


def _is_change(item: Any) -> bool:
    return isinstance(item, list) and len(item) > 1 and is_count(item[0])


def _checked(items: Any, is_good: Any) -> list[Any]:
    if not isinstance(items, list) or len(items) > MAX_ROWS or not all(map(is_good, items)):
        raise InvalidObservationError("The saved observations are damaged; save the state again.")
    return items
