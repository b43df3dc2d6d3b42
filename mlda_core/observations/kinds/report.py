"""An ordinal report: a class of words, as diaries and chronicles hold.

"Much colder, colder, usual, warmer, much warmer": an ordered-probit likelihood, whose thresholds
are quantiles of the place's own climate in that calendar month. Of five classes they are the outer
tenths and the terciles, as in the monitoring of NOAA's National Centers for Environmental
Information; of seven the indices of historical climatology, in twelfths (Pfister 1999).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mlda_core.observations.intervals import IntervalKind
from mlda_core.observations.kind import Array, KindError

if TYPE_CHECKING:
    from mlda_core.climate.variables import Variable

# Climatological probabilities at the thresholds, by the number of classes.
THRESHOLDS: dict[int, tuple[float, ...]] = {
    2: (1 / 2,),
    3: (1 / 3, 2 / 3),
    5: (1 / 10, 1 / 3, 2 / 3, 9 / 10),
    7: (1 / 12, 3 / 12, 5 / 12, 7 / 12, 9 / 12, 11 / 12),
}
# What below and above are called, by what a variable is; of two classes, of more.
_SENSES: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "temperature": (("cold", "warm"), ("colder", "warmer")),
    "rain": (("dry", "wet"), ("drier", "wetter")),
    "other": (("low", "high"), ("lower", "higher")),
}
_USUAL = ("usual", "normal", "average")
_ANY = ("below", "above")


def sense_of(variable: Variable) -> str:
    """Return which words are of a variable: temperature, rain or other."""
    name = variable.standard_name
    if "temperature" in name:
        return "temperature"
    return "rain" if "precipitation" in name or "rainfall" in name else "other"


def words_of(variable: Variable, classes: int = 5) -> tuple[str, ...]:
    """Return the words of a variable's classes, the lowest first.

    Parameters
    ----------
    variable : Variable
    classes : int
        2, 3 or 5.
    """
    two, (less, more) = _SENSES[sense_of(variable)]
    if classes == 2:
        return two
    return (
        (less, "usual", more)
        if classes == 3
        else (f"much {less}", less, "usual", more, f"much {more}")
    )


class Report(IntervalKind):
    """A class between two thresholds of the place's climate."""

    classes: ClassVar[bool] = True
    ranked: ClassVar[bool] = True
    parameter: ClassVar[float] = 5.0

    def check_parameter(self, number: float) -> None:
        """Return only for a number of classes that is known; see :meth:`Kind.check_parameter`."""
        if number not in THRESHOLDS:
            raise KindError(
                f"a report is of {', '.join(map(str, THRESHOLDS))} classes, and not of {number:g}"
            )

    def class_of(self, word: str, variable: Variable, parameter: float) -> tuple[float, float]:
        """Read a class: 0 is usual, negative below; of two classes -1 and 1."""
        text = " ".join(word.lower().replace("_", " ").replace("-", " -").split())
        text = text.replace("- ", "-")
        half = 1 if parameter == 2 else int(parameter) // 2
        two, more = _SENSES[sense_of(variable)]
        for pair, classes in ((two, 2.0), (more, parameter), (_ANY, parameter)):
            if text in pair:
                return float(2 * pair.index(text) - 1), classes
        if text in _USUAL and parameter != 2:
            return 0.0, parameter
        for pair in (more, _ANY):
            if parameter == 5 and text.removeprefix("much ") in pair and text.startswith("much "):
                return 4.0 * pair.index(text.removeprefix("much ")) - 2.0, parameter
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        whole = np.isfinite(number) and number == round(number)
        if not whole or abs(number) > half or (parameter == 2 and number == 0):
            known = ", ".join((*words_of(variable), *words_of(variable, 2)))
            raise KindError(
                f"value '{word[:24]}' is no class of a report of {variable.name}; use one of "
                f"{known}, or a whole number from {-half} to {half}"
            )
        return number, parameter

    def probabilities(self, value: Array, parameter: Array) -> tuple[Array, Array]:
        """Return the climatological probabilities at the ends of classes; see the base class."""
        low, high = np.empty(len(value)), np.empty(len(value))
        for i, (number, classes) in enumerate(zip(value, parameter, strict=True)):
            ends = (0.0, *THRESHOLDS[int(classes)], 1.0)
            at = int(number > 0) if classes == 2 else int(number) + int(classes) // 2
            low[i], high[i] = ends[at], ends[at + 1]
        return low, high


KIND = Report(
    "report",
    "Report in words",
    "A class such as colder or much wetter, by the place's own climate",
    "Aitchison and Silvey 1957, https://doi.org/10.2307/2333048; docs/observations.md",
    rank=60,
    default_error=0.5,
)
