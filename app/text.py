"""Numbers, places, regions and variables as people write them."""

from __future__ import annotations

from calendar import month_name
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING

from mlda_core.climate.places import box, listed, number, place, signed
from mlda_core.climate.time_step import MONTH, TimeStep
from mlda_core.page_state.settings import number_of, plain
from mlda_core.page_state.snapshot import Origin

if TYPE_CHECKING:
    from mlda_core.climate.variables import Variable

__all__ = [
    "SPLIT_LETTERS",
    "counted",
    "date_phrase",
    "decimals_of",
    "describe",
    "listed",
    "number",
    "place",
    "region_words",
    "short_labels",
    "shown_instead",
    "signed",
    "state_words",
    "typed",
    "vector_words",
]

# A letter for each split, as the browser is given them: twelve a year.
SPLIT_LETTERS = {"train": "t", "validation": "v", "calibration": "c", "test": "T", "gap": "g"}
# What people call a variable where there is room for a word or two, by its CF standard name.
_SHORT = {
    "air_pressure_at_mean_sea_level": "pressure",
    "air_pressure_at_sea_level": "pressure",
    "sea_surface_temperature": "sea (SST)",
    "air_temperature": "air",
    "surface_temperature": "temperature",
    "surface_temperature_anomaly": "temperature",
    "precipitation_flux": "rain",
    "geopotential_height": "height",
    "eastward_wind": "zonal wind",
    "northward_wind": "meridional wind",
}


def date_phrase(label: str) -> str:
    """Write the label of a month or day as within a sentence.

    >>> date_phrase("1997-12"), date_phrase("1997-12-05")
    ('in December 1997', 'on 5 December 1997')
    """
    year, month, *day = label.split("-")
    words = f"{month_name[int(month)]} {year}"
    return f"on {int(day[0])} {words}" if day else f"in {words}"


def decimals_of(value: float) -> int:
    """Return the decimals needed to write a scale's end exactly."""
    return next((n for n in range(5) if abs(round(value, n) - value) < 1e-9), 5)


@lru_cache(maxsize=16)
def short_labels(variables: tuple[Variable, ...]) -> dict[str, str]:
    """Return short labels of variables, by name. Never changed.

    A word by the standard name, if it tells them apart: two heights have their labels.

    >>> from mlda_core.climate.variables import DEFAULTS
    >>> short_labels(tuple(DEFAULTS[name] for name in ("psl", "tos")))
    {'psl': 'pressure', 'tos': 'sea (SST)'}
    """
    plain = {v.name: _SHORT.get(v.standard_name, v.label) for v in variables}
    often = Counter(plain.values())
    return {v.name: plain[v.name] if often[plain[v.name]] == 1 else v.label for v in variables}


def region_words(region: tuple[float, float, float, float] | None) -> str:
    """Return a region as people write it; nothing for none.

    >>> region_words((-30.0, 30.0, 120.0, 280.0))
    '30°S–30°N, 120°E–80°W'
    """
    return "" if region is None else box(*region)


def counted(count: int, one: str, many: str = "") -> str:
    """Write a number of things.

    >>> counted(1, "observation"), counted(2000, "row refused", "rows refused")
    ('1 observation', '2,000 rows refused')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def vector_words(one: str, other: str) -> str:
    """Return what two components are together, from their labels; '' where they share nothing.

    >>> vector_words("Westerly wind, 850 hPa", "Southerly wind, 850 hPa")
    '850 hPa wind'
    """
    others = other.split()
    shared = " ".join(word for word in one.split() if word in others)
    # What follows the comma in a label precedes the noun in a phrase.
    what, _, where = shared.partition(",")
    return f"{where.strip()} {what.strip()}".strip()


def describe(origin: Origin | None) -> str:
    """Return where a latent vector came from, as people write it.

    >>> describe(Origin("walk", ends=("1997-12", "draw 7"), percent=40))
    'walk from 1997-12 to draw 7, 40 %'
    >>> describe(Origin("draw", seed=7, edited=True))
    'random draw, seed 7, then by hand'
    """
    if origin is None:
        return ""
    words = {
        "analysis": "analysis",
        "code": f"code of {origin.month}",
        "prior": "prior mean",
        "draw": f"random draw, seed {origin.seed}",
        "walk": f"walk from {origin.ends[0]} to {origin.ends[1]}, {origin.percent} %",
        "link": "from a link",
        "file": "from a file",
    }[origin.kind]
    return f"{words}, then by hand" if origin.edited else words


def state_words(model: str, origin: Origin | None) -> str:
    """Return what the model shows, for its column's title.

    Parameters
    ----------
    model : str
        An option of the setting ``model`` of `mlda_core.page_state.snapshot.View`.
    origin : Origin or None
        Where its latent vector came from.

    >>> state_words("own", Origin("walk", ends=("1997-12", "draw 7"), percent=40))
    'Model: walk 1997-12 to draw 7'
    >>> state_words("own", Origin("draw", seed=7, edited=True))
    'Model: by hand'
    """
    if model == "analysis":
        return "Analysis"
    if model == "code":
        return "Model: encoded"
    return f"Model: {_short_origin(origin)}"


def _short_origin(origin: Origin | None) -> str:
    if origin is None or origin.edited:
        return "by hand"
    if origin.kind == "walk":
        return f"walk {origin.ends[0]} to {origin.ends[1]}"
    return describe(origin)


def shown_instead(model: str, origin: Origin | None, step: TimeStep = MONTH) -> str:
    """Return what the model shows instead of the analysis, within a sentence.

    >>> shown_instead("own", Origin("link")), shown_instead("own", Origin("draw", seed=7))
    ('a state from a link', 'a random draw, seed 7')
    """
    if model == "code":
        return f"the code of the {step}"
    if origin is None or origin.edited or origin.kind in ("link", "file"):
        return f"a state {_short_origin(origin)}"
    if origin.kind == "prior":
        return "the prior mean"
    return f"a {_short_origin(origin)}"


def typed(text: str) -> float | str:
    """Return the number that people typed, or the text that is none for the check to name."""
    found = number_of(plain(text))
    return text if isinstance(found, str) else found
