"""Units in the spellings found in practice, parsed by UDUNITS (the CF conventions' library).

UDUNITS reads ``degrees Celsius`` as an angle times a kelvin, ``C`` as a coulomb, ``pa`` as an
area (a pico-are) and a month as a twelfth of a mean year. This module maps such words to their
meaning in climate data, both for files and for tables of observations.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mlda_core.climate.errors import UserError
from mlda_core.climate.variables import Variable

if TYPE_CHECKING:
    import cf_units


class UnitsError(UserError):
    """Units are unknown or of another quantity; the message is a clause with the remedy."""


# Spellings of temperature, with words joined, as "degrees Celsius" is one unit. Case-insensitive:
# neither the coulomb nor the farad is a unit of climate data.
_TEMPERATURE = re.compile(
    r"(?P<number>[0-9.]+(?:e-?[0-9]+)?)?"
    r"(?:°|o(?=[cf])|deg(?:ree)?s?)?"
    r"(?P<scale>c|celsius|celcius|centigrade|k|kelvins?|f|fahrenheit)"
)
_SCALES = {"c": "degC", "k": "K", "f": "degF"}
_CALLED = {"K": "kelvin", "degC": "degrees Celsius", "degF": "degrees Fahrenheit"}

# Words in compound units that UDUNITS does not know or misreads, in lower case.
_WORDS = {
    "hpa": "hPa",
    "pa": "Pa",
    "kpa": "kPa",
    "mb": "mbar",
    "mbs": "mbar",
    "mbars": "mbar",
    "hectopascal": "hPa",
    "hectopascals": "hPa",
    "inhg": "inHg",
    "mmhg": "mmHg",
    "kg": "kg",
    "mm": "mm",
    "cm": "cm",
    "millimetre": "mm",
    "millimetres": "mm",
    "sec": "s",
    "secs": "s",
    "hr": "hour",
    "hrs": "hour",
    "d": "day",
    "dy": "day",
    "days": "day",
    "mon": "month",
    "mons": "month",
    "mth": "month",
    "mo": "month",
    "months": "month",
    "yr": "year",
    "yrs": "year",
    "years": "year",
    "annum": "year",
    "a": "year",
    "gpm": "m",
    "gpdm": "dam",
    "mps": "m/s",
    "kph": "km/hour",
    "kmh": "km/hour",
    "mph": "mile/hour",
    "kts": "knot",
    "kt": "knot",
    "percent": "%",
    "per": "/",
}
# Complete texts that the rules for words do not cover.
_TEXTS = {"kgm-2s-1": "kg m-2 s-1", "mmday-1": "mm day-1", "mmmonth-1": "mm month-1"}
_WORD = re.compile(r"[A-Za-z%°]+")
_PER_MONTH = re.compile(r"/ ?month(?![\w^-])|[ .*]?month\^?-1(?!\d)")
# Units that UDUNITS treats as dimensionless factors although they denote another quantity.
_FACTORS = {"%", "percentage", "ppm", "ppmv", "ppb", "permille", "mol", "mole"}
# Range of plausible factors to SI units: the atmosphere is the largest in use, the millimetre a
# day, relative to metres a second, the smallest.
_LEAST, _GREATEST = 1e-9, 2e5


class Reading(NamedTuple):
    """Parsed units.

    Parameters
    ----------
    unit : cf_units.Unit
        A monthly amount is expressed as a daily one.
    by_month : bool
        Whether it is a monthly amount, to be divided by the number of days.
    """

    unit: cf_units.Unit
    by_month: bool = False

    def linear(self, target: str) -> tuple[float, float] | None:
        """Return scale and offset to other units, or None if they are of another quantity."""
        if self.unit.is_unknown() or not self.unit.is_convertible(target):
            return None
        zero, one, two = self.unit.convert(np.array([0.0, 1.0, 2.0]), target)
        # UDUNITS converts to reciprocals as well, such as days/mm to mm/day.
        if not np.isfinite(zero) or not np.isclose(two - one, one - zero):
            return None
        return float(one - zero), float(zero)


def read_units(text: str) -> Reading:
    """Parse units in any usual spelling.

    Parameters
    ----------
    text : str
        Such as ``degrees Celsius``, ``°C``, ``hpa``, ``mm/mon`` or ``kg m**-2 s**-1``.

    Returns
    -------
    Reading

    Raises
    ------
    UnitsError
        If they are unknown, or UDUNITS misreads them as an angle or a factor.
    """
    # Imported at first use: most observations come in display units.
    import cf_units

    plain = _plain(text)
    temperature = _temperature(plain)
    if temperature is not None:
        return Reading(cf_units.Unit(temperature))
    spelt = _TEXTS.get(plain.lower(), plain)
    words = _WORD.sub(lambda found: _word(found[0]), spelt)
    found = set(_WORD.findall(words))
    if "year" in found:
        raise UnitsError(
            f"'{shown(text)}' are an amount a year, whose months differ; give an amount a day or "
            "a month"
        )
    words, months = _PER_MONTH.subn("/day", words)
    if months > 1 or (not months and "month" in found):
        raise UnitsError(
            f"'{shown(text)}' are no amount a month, and months differ in length; use days"
        )
    try:
        unit = cf_units.Unit(words or "unknown")
    except ValueError:
        unit = cf_units.Unit("unknown")
    if unit.is_unknown() or unit.is_no_unit() or unit.is_time_reference():
        raise UnitsError(f"'{shown(text)}' are no units that UDUNITS knows; correct them")
    definition = unit.definition
    if re.search(r"\brad\d*\b", definition) or found & _FACTORS:
        raise UnitsError(
            f"'{shown(text)}' would be read as an angle or a ratio times a unit; write the unit "
            "alone, such as K, degC or hPa"
        )
    if unit.is_convertible("K"):
        raise UnitsError(f"'{shown(text)}' are no way to write a temperature; write K or degC")
    factor = re.match(r"-?[0-9.]+(?:[eE][-+]?[0-9]+)?", definition)
    if factor and not _LEAST <= float(factor[0]) <= _GREATEST:
        raise UnitsError(
            f"'{shown(text)}' are {definition} to UDUNITS, which nobody means; correct them"
        )
    return Reading(unit, bool(months))


def are_per_month(text: str) -> bool:
    """Whether units are of a monthly amount, whose conversion needs the month's length.

    Parameters
    ----------
    text : str
        Texts that are not units count as False.
    """
    try:
        return read_units(text).by_month
    except UnitsError:
        return False


def to_display(units: str, variable: Variable, *, days: float | None = None) -> tuple[float, float]:
    """Return scale and offset from given units to a variable's display units.

    Rain may be given as a depth or as a mass: in canonical units a millimetre is a kilogram a
    square metre.

    Parameters
    ----------
    units : str
        In any spelling: ``Pa``, ``mbar``, ``degrees F``, ``kg m-2 s-1``, ``mm/month``.
    variable : Variable
    days : float, optional
        Length of the month, needed for monthly amounts; see :func:`are_per_month`.

    Returns
    -------
    scale, offset : float
        ``display = given * scale + offset``; a difference uses the scale alone. The offset of
        an anomaly is 0.

    Raises
    ------
    UnitsError
        If the units are unknown, of another quantity, or need a month that is not given.
    """
    given = read_units(units)
    if given.by_month and days is None:
        raise UnitsError(
            f"'{shown(units)}' are an amount a month, which needs the month; say which month it "
            f"is of, or give {variable.anomaly_units}"
        )
    ways = (
        (variable.display_units, 1.0, 0.0),
        (variable.units, variable.scale, variable.offset),
    )
    for target, scale, offset in ways:
        found = given.linear(target)
        if found is not None:
            per = scale / days if given.by_month and days else scale
            zero = 0.0 if variable.is_anomaly else found[1] * scale + offset
            return found[0] * per, zero
    raise UnitsError(
        f"'{shown(units)}' are no units of {variable.label.lower()}; give {variable.anomaly_units}"
    )


def shown(text: str) -> str:
    """Return units for a message: on one line and truncated."""
    line = "".join(c if c.isprintable() else "?" for c in text.strip())
    return line if len(line) <= 40 else f"{line[:39]}…"


def _plain(text: str) -> str:
    """Write powers and signs in ASCII, degrees as the degree sign."""
    signs = {"º": "°", "˚": "°", "℃": "°C", "℉": "°F", "⁻": "-", "−": "-", "–": "-"}
    signs |= {"·": " ", "⋅": " ", "×": " ", "**": "^"}
    signs |= {raised: digit for digit, raised in zip("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹", strict=True)}
    for sign, meant in signs.items():
        text = text.replace(sign, meant)
    text = re.sub(r"\s+", " ", text).strip()
    # GRIB tables and some spreadsheets use brackets: [K], (degC).
    bracketed = re.fullmatch(r"\[(.*)\]|\(([^()]*)\)", text)
    return (bracketed[1] or bracketed[2] or "").strip() if bracketed else text


def _temperature(plain: str) -> str | None:
    """Return the UDUNITS name of a temperature in any spelling, or None."""
    joined = re.sub(r"[\s_()\[\]]|(?<![0-9])\.|-(?![0-9])", "", plain.lower())
    found = _TEMPERATURE.fullmatch(joined)
    if found is None:
        return None
    scale = _SCALES[found["scale"][0]]
    number = found["number"]
    if number is None:
        return scale
    # Hundredths of a kelvin occur as a unit; "10 degC" is a value.
    try:
        size = float(number)
    except ValueError:
        return None
    if scale == "K" and 1e-3 <= size <= 1:
        return f"{size!r} K"
    raise UnitsError(
        f"'{shown(plain)}' are a number of {_CALLED[scale]} and no unit; write {scale}"
    )


def _word(word: str) -> str:
    return _WORDS.get(word.lower(), word)
