"""Units as people write them, read by UDUNITS: the CF conventions' own library of units.

UDUNITS takes ``degrees Celsius`` for an angle times a kelvin, ``C`` for a coulomb, ``pa`` for an
area (a pico-are) and a month for a twelfth of a mean year. What such words mean in the field is
said here once, for files and for tables of observations.
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
    """Units are unknown, or measure something else; the message is a clause with the remedy."""


# Spellings of a temperature: the words are joined, for "degrees Celsius" is one unit. Capitals do
# not tell, as no coulomb and no farad is a unit of climate.
_TEMPERATURE = re.compile(
    r"(?P<number>[0-9.]+(?:e-?[0-9]+)?)?"
    r"(?:°|o(?=[cf])|deg(?:ree)?s?)?"
    r"(?P<scale>c|celsius|celcius|centigrade|k|kelvins?|f|fahrenheit)"
)
_SCALES = {"c": "degC", "k": "K", "f": "degF"}
_CALLED = {"K": "kelvin", "degC": "degrees Celsius", "degF": "degrees Fahrenheit"}

# Words of compound units that UDUNITS does not know, or reads as something else, in small letters.
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
# Whole texts that no rule on words reaches.
_TEXTS = {"kgm-2s-1": "kg m-2 s-1", "mmday-1": "mm day-1", "mmmonth-1": "mm month-1"}
_WORD = re.compile(r"[A-Za-z%°]+")
_PER_MONTH = re.compile(r"/ ?month(?![\w^-])|[ .*]?month\^?-1(?!\d)")
# What UDUNITS takes for a factor though it stands for another quantity.
_FACTORS = {"%", "percentage", "ppm", "ppmv", "ppb", "permille", "mol", "mole"}
# Beyond these, a unit's factor to the SI's is nobody's: the atmosphere is the greatest that is
# used, the millimetre a day of a rate in metres a second the least.
_LEAST, _GREATEST = 1e-9, 2e5


class Reading(NamedTuple):
    """What a text of units means.

    Parameters
    ----------
    unit : cf_units.Unit
        An amount a month is given as one a day.
    by_month : bool
        Whether it is an amount a month, to be divided by the month's days.
    """

    unit: cf_units.Unit
    by_month: bool = False

    def linear(self, target: str) -> tuple[float, float] | None:
        """Return scale and offset to other units, or None if they measure something else."""
        if self.unit.is_unknown() or not self.unit.is_convertible(target):
            return None
        zero, one, two = self.unit.convert(np.array([0.0, 1.0, 2.0]), target)
        # UDUNITS converts to reciprocals as well: days a millimetre to millimetres a day.
        if not np.isfinite(zero) or not np.isclose(two - one, one - zero):
            return None
        return float(one - zero), float(zero)


def read_units(text: str) -> Reading:
    """Return what units mean, however the world spells them.

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
        If they are unknown, or UDUNITS reads an angle or a factor into them that nobody means.
    """
    # Loaded at first use: most observations come in display units.
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
    """Whether units are of an amount a month, which only the month turns into one a day.

    Parameters
    ----------
    text : str
        Units that are none are not.
    """
    try:
        return read_units(text).by_month
    except UnitsError:
        return False


def to_display(units: str, variable: Variable, *, days: float | None = None) -> tuple[float, float]:
    """Return the scale and offset that turn given units into a variable's display units.

    An amount of rain may be given as a depth or as a mass: through the variable's canonical
    units, a millimetre is a kilogram a square metre.

    Parameters
    ----------
    units : str
        As people write them: ``Pa``, ``mbar``, ``degrees F``, ``kg m-2 s-1``, ``mm/month``.
    variable : Variable
    days : float, optional
        Length of the month, which an amount a month needs; see :func:`are_per_month`.

    Returns
    -------
    scale, offset : float
        ``display = given * scale + offset``; a difference takes the scale alone. A variable that
        is an anomaly itself has no zero point, and its offset is 0.

    Raises
    ------
    UnitsError
        If the units are unknown, measure something else, or need a month that is not given.
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
    """Return units for a message: on one line, and not for ever."""
    line = "".join(c if c.isprintable() else "?" for c in text.strip())
    return line if len(line) <= 40 else f"{line[:39]}…"


def _plain(text: str) -> str:
    """Write powers, signs and degrees in ASCII but for the degree sign itself."""
    signs = {"º": "°", "˚": "°", "℃": "°C", "℉": "°F", "⁻": "-", "−": "-", "–": "-"}
    signs |= {"·": " ", "⋅": " ", "×": " ", "**": "^"}
    signs |= {raised: digit for digit, raised in zip("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹", strict=True)}
    for sign, meant in signs.items():
        text = text.replace(sign, meant)
    text = re.sub(r"\s+", " ", text).strip()
    # As GRIB's tables and some spreadsheets write them: [K], (degC).
    bracketed = re.fullmatch(r"\[(.*)\]|\(([^()]*)\)", text)
    return (bracketed[1] or bracketed[2] or "").strip() if bracketed else text


def _temperature(plain: str) -> str | None:
    """Return the UDUNITS name of a temperature however it is spelt, or None."""
    joined = re.sub(r"[\s_()\[\]]|(?<![0-9])\.|-(?![0-9])", "", plain.lower())
    found = _TEMPERATURE.fullmatch(joined)
    if found is None:
        return None
    scale = _SCALES[found["scale"][0]]
    number = found["number"]
    if number is None:
        return scale
    # Hundredths of a kelvin are met; ten degrees Celsius are a value, and no unit.
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
