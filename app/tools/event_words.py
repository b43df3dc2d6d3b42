"""What the probability of is shown, in the words of each variable."""

from __future__ import annotations

from app.maps.color_scales import units
from app.text import number, signed
from mlda_core.climate.variables import Variable
from mlda_core.observations.kinds.report import sense_of, words_of

# The lowest and the highest months, by what a variable is.
_ENDS = {
    "temperature": ("coldest", "warmest"),
    "rain": ("driest", "wettest"),
    "other": ("lowest", "highest"),
}


def event_words(variable: Variable, event: str, threshold: float) -> str:
    """Return an event of a variable in words.

    Parameters
    ----------
    variable : Variable
    event : str
        Of `ObservationSettings.event`.
    threshold : float
        The value of the events "over" and "under": an anomaly in the variable's units.

    Examples
    --------
    >>> from mlda_core.climate.variables import DEFAULTS
    >>> event_words(DEFAULTS["pr"], "above", 0.0), event_words(DEFAULTS["tas"], "upper", 0.0)
    ('wetter than usual', 'warmest fifth')
    >>> event_words(DEFAULTS["psl"], "under", 3.0)
    'below +3 hPa'
    """
    if event in ("over", "under"):
        decimals = next((n for n in range(3) if round(threshold, n) == threshold), 3)
        shown = signed(threshold, decimals) if threshold else number(threshold, 0)
        return f"{'above' if event == 'over' else 'below'} {shown} {units(variable, full=False)}"
    if event == "above":
        return f"{words_of(variable, 3)[-1]} than usual"
    return f"{_ENDS[sense_of(variable)][event == 'upper']} fifth"
