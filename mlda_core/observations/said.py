"""What an observation says, in words of its kind, and what it is of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlda_core.climate.places import number, place, signed
from mlda_core.climate.regions import Region
from mlda_core.climate.scales import written_units
from mlda_core.observations.areas import Spot, area_of
from mlda_core.observations.kinds import PLAIN, kind_of
from mlda_core.observations.kinds.report import words_of

if TYPE_CHECKING:
    from mlda_core.climate.variables import Variable

# What stands before the number of a bound.
_BOUNDS = {"lower_bound": "at least ", "upper_bound": "at most "}


def class_words(variable: Variable, value: float, classes: int) -> str:
    """Return what a class of a report is called.

    Parameters
    ----------
    variable : Variable
    value : float
        The class: 0 is usual, negative below; of two classes -1 and 1.
    classes : int
        How many there are.

    >>> from mlda_core.climate.variables import DEFAULTS
    >>> class_words(DEFAULTS["tas"], -2, 5), class_words(DEFAULTS["pr"], 1, 2)
    ('much colder', 'wet')
    >>> class_words(DEFAULTS["tas"], -2, 7)
    'class −2'
    """
    if classes not in (2, 3, 5):
        return f"class {number(value, 0)}"
    at = int(value > 0) if classes == 2 else int(value) + classes // 2
    return words_of(variable, classes)[at]


def said(row: Mapping[str, Any], variable: Variable, digits: int = 2) -> str:
    """Return what a row of an observation table says, within a sentence.

    Parameters
    ----------
    row : mapping
        With ``value`` and ``error_sd``, display units; and ``kind`` where it is no value.
    variable : Variable
        What it is of.
    digits : int
        Decimals.

    >>> from mlda_core.climate.variables import DEFAULTS
    >>> air = DEFAULTS["tas"]
    >>> said({"kind": "report", "value": -2, "error_sd": 1}, air)
    'much colder than usual'
    >>> said({"kind": "upper_bound", "value": -3, "error_sd": 1}, air)
    'at most −3.00 ± 1.00 K'
    """
    kind, parameter = kind_of(str(row.get("kind", PLAIN)))
    value = float(row["value"])
    if kind.classes:
        word = class_words(variable, value, int(parameter))
        if parameter == 7:
            return f"{word} of −3 to 3"
        if parameter == 2:
            return word
        return f"{word} than usual" if value else "as usual"
    error = number(float(row["error_sd"]), digits)
    size = f"{signed(value, digits)} ± {error} {written_units(variable.anomaly_units)}"
    tails = " with heavy tails" if kind.key == "student_t" else ""
    return f"{_BOUNDS.get(kind.key, '')}{size}{tails}"


def where(row: Mapping[str, Any]) -> str:
    """Return what a row is of, within a sentence: its place, region, or the two that differ.

    Parameters
    ----------
    row : mapping
        With ``lat`` and ``lon``, degrees, and ``kind`` and ``area`` where it is no value at a
        place.

    >>> where({"lat": 10, "lon": 20}), where({"kind": "mean", "area": "nino34"})
    ('at 10.0°N 20.0°E', 'over Niño 3.4')
    >>> where({"kind": "difference", "area": "minus 40 -20", "lat": 64, "lon": -22})
    'of 64.0°N 22.0°W minus 40.0°N 20.0°W'
    """
    kind, _ = kind_of(str(row.get("kind", PLAIN)))
    area = area_of(str(row.get("area", "")), kind)
    if area is None:
        return f"at {_part(Spot(float(row['lat']), float(row['lon'])))}"
    first = area.first or Spot(float(row["lat"]), float(row["lon"]))
    if area.minus is None:
        return f"over {_part(first)}"
    return f"of {_part(first)} minus {_part(area.minus)}"


def _part(part: Region | Spot) -> str:
    if isinstance(part, Spot):
        return place(part.lat, part.lon)
    # A box that was drawn has its limits for a name.
    return part.short.removeprefix("Box ")
