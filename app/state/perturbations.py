"""How a session changes the sea, and what it shows of the response: plain data, pure functions.

The changes themselves are the library's (`mlda_core.perturbation.sst_patches.Patch`), drawn or
named; beside them stand what is held in both analyses and what the columns show.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from mlda_core.climate.errors import UserError
from mlda_core.climate.regions import REGIONS, Region
from mlda_core.perturbation.sst_patches import Patch, PerturbationError

# "sum" is the analysis and the response to it, together.
VIEWS = ("sum", "response", "sensitivity", "gcm")
HELD_KEYS = ("sst_only", "sst_and_pressure", "outside")
EXPERIMENTS = ("plus1", "nino34_plus2")
MOST_KELVIN = 5.0
STEP = 0.1
MOST_PATCHES = 12
# A lasso has as many vertices as a hand is exact; a link has to carry them.
MOST_VERTICES = 60
_DEGREE = 0.1

Box = tuple[float, float, float, float]
# A key of `REGIONS`, or south, north, west and east.
Place = str | Box


class InvalidPerturbationError(UserError):
    """A change of the sea or a setting cannot be; the message is one sentence for people."""


# The first month is an El Nino at its peak: without it, its sea is like that of other years. With
# two kelvin more on it, 100 % of the patch were beyond every month known, and its rain +21 mm/day.
FIRST = Patch(kelvin=-2.0, region="nino34")


@dataclass(frozen=True)
class PerturbationSettings:
    """Changes of the sea, what is held, and what is shown.

    Parameters
    ----------
    patches : tuple of Patch
        They add up.
    selected : int
        Which of them is selected; -1 for none.
    held : str
        What both analyses are given beside the sea, one of `HELD_KEYS`.
    within : str or tuple of float
        The region outside of which everything is held; '' is where the patches are.
    view : str
        What the columns show, one of `VIEWS`.
    per_kelvin : bool
        The response divided by the mean change.
    fade : bool
        Fade where it is smaller than one standard deviation.
    gcm : str
        The GCM's experiment, one of `EXPERIMENTS`.
    variable : str
        Of which the sensitivity is; '' for air temperature, or the last that there is.
    over : str or tuple of float
        The region over whose mean the sensitivity is.
    """

    patches: tuple[Patch, ...] = (FIRST,)
    selected: int = 0
    held: str = "sst_only"
    within: Place = ""
    view: str = "sum"
    per_kelvin: bool = False
    fade: bool = True
    gcm: str = "plus1"
    variable: str = ""
    over: Place = "north_atlantic"

    @property
    def enabled(self) -> tuple[Patch, ...]:
        """The patches that count."""
        return tuple(patch for patch in self.patches if patch.enabled)


_CHOICES = {"held": HELD_KEYS, "view": VIEWS, "gcm": EXPERIMENTS}
_WORDS = {"held": "way of holding", "view": "view of the response", "gcm": "run of the GCM"}
_DEFAULT = PerturbationSettings()


# -- changes -----------------------------------------------------------------------------------


def adjust(settings: PerturbationSettings, values: Mapping[str, Any]) -> PerturbationSettings:
    """Change settings that come from outside.

    Parameters
    ----------
    settings : PerturbationSettings
        What there is.
    values : mapping
        New values by name; `patches` has functions of its own.

    Raises
    ------
    PerturbingError
        If one is unknown or cannot be.
    """
    return replace(settings, **{name: _check(name, value) for name, value in values.items()})


def add(settings: PerturbationSettings, patch: Patch) -> PerturbationSettings:
    """Add a patch and select it."""
    if len(settings.patches) >= MOST_PATCHES:
        raise InvalidPerturbationError(
            f"There are {MOST_PATCHES} changes already; delete one first."
        )
    patches = (*settings.patches, _checked(patch))
    return replace(settings, patches=patches, selected=len(patches) - 1)


def edit(
    settings: PerturbationSettings, at: Any, *, kelvin: Any = None, enabled: Any = None
) -> PerturbationSettings:
    """Change a patch's amount or whether it counts, and select it.

    Raises
    ------
    PerturbingError
        If there is no such patch, or the value cannot be.
    """
    i = _index(settings, at)
    patch = settings.patches[i]
    if kelvin is not None:
        patch = replace(patch, kelvin=_kelvin(kelvin))
    if enabled is not None:
        if not isinstance(enabled, bool):
            raise InvalidPerturbationError(
                "A change of the sea counts or does not; reload the page."
            )
        patch = replace(patch, enabled=enabled)
    patches = (*settings.patches[:i], patch, *settings.patches[i + 1 :])
    return replace(settings, patches=patches, selected=i)


def delete(settings: PerturbationSettings, at: Any) -> PerturbationSettings:
    """Delete a patch; its neighbour is selected."""
    i = _index(settings, at)
    patches = settings.patches[:i] + settings.patches[i + 1 :]
    return replace(settings, patches=patches, selected=min(i, len(patches) - 1))


def select(settings: PerturbationSettings, at: Any) -> PerturbationSettings:
    """Select a patch."""
    return replace(settings, selected=_index(settings, at))


def region_of(place: Place) -> Region:
    """Return the region that a place stands for; a drawn one is labelled by its limits."""
    if isinstance(place, str):
        return REGIONS[place]
    return Region(Patch(box=place).where, *place)


def lasso(lat: list[float], lon: list[float], kelvin: float) -> Patch:
    """Return a patch round drawn places, with no more vertices than a link can carry.

    Parameters
    ----------
    lat, lon : list of float
        Vertices in order, degrees; any turn of longitude.
    kelvin : float
        Its amount.

    Raises
    ------
    PerturbationError
        If they go round nothing.
    """
    # Evenly thinned: a hand draws a few hundred, each a pixel or two from the last.
    keep = np.linspace(0, len(lat) - 1, min(len(lat), MOST_VERTICES)).round().astype(int)
    return _checked(
        Patch(kelvin=kelvin, polygon=tuple((float(lat[i]), float(lon[i]) % 360.0) for i in keep))
    )


# -- checks ------------------------------------------------------------------------------------


def _index(settings: PerturbationSettings, at: Any) -> int:
    if isinstance(at, bool) or not isinstance(at, int) or not 0 <= at < len(settings.patches):
        raise InvalidPerturbationError("That change of the sea is gone; choose another.")
    return at


def _kelvin(value: Any) -> float:
    good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not good or abs(value) > MOST_KELVIN:
        most, range_ = f"{MOST_KELVIN:g}", f"\u2212{MOST_KELVIN:g} to {MOST_KELVIN:g}"
        amount = _typed(value)
        if math.isfinite(amount) and abs(amount) > MOST_KELVIN:
            words = f"{amount:g}".replace("-", "\u2212")
            raise InvalidPerturbationError(
                f"{words} K is beyond the slider's {most} K either way; give {range_}."
            )
        raise InvalidPerturbationError(
            f"A change of '{str(value)[:24]}' is not a number from {range_} K; correct it."
        )
    return round(float(value), 2) + 0.0


def _typed(value: Any) -> float:
    """Return the number that people typed, with whichever minus and comma; NaN if none."""
    text = str(value).strip().removesuffix("K").strip()
    try:
        return float(text.replace("\u2212", "-").replace(",", "."))
    except ValueError:
        return math.nan


def _checked(patch: Patch) -> Patch:
    """Return a patch as exact as a link is: a tenth of a degree."""
    if patch.file:
        raise InvalidPerturbationError(
            "A change of the sea from a file is for 'mlda perturb' and Python; draw one instead."
        )
    tenths = tuple((_tenth(lat), _turned(lon)) for lat, lon in patch.polygon)
    box = None if patch.box is None else _box(patch.box)
    return replace(patch, kelvin=_kelvin(patch.kelvin), polygon=tenths, box=box)


def _tenth(value: float) -> float:
    return round(float(value), 1)


def _turned(longitude: float) -> float:
    return _tenth(_tenth(longitude) % 360.0) % 360.0


def _box(value: Any) -> Box:
    if not isinstance(value, list | tuple) or len(value) != 4:
        raise InvalidPerturbationError("A region must be south, north, west and east; correct it.")
    try:
        # The library knows what a box can be.
        south, north, west, east = map(_tenth, Patch(box=tuple(value)).box or ())
        around = east - west >= 360
        sides = (0.0, 360.0) if around else (_turned(west), _turned(east))
        made = (south, north, *sides)
        return Patch(box=made).box or made
    except PerturbationError as error:
        raise InvalidPerturbationError(str(error)) from None


def _check(name: str, value: Any) -> Any:
    if name in _CHOICES:
        if not isinstance(value, str) or value not in _CHOICES[name]:
            raise InvalidPerturbationError(
                f"There is no {_WORDS[name]} '{str(value)[:24]}'; choose one of "
                f"{', '.join(_CHOICES[name])}."
            )
        return value
    if name in ("per_kelvin", "fade"):
        if not isinstance(value, bool):
            raise InvalidPerturbationError(
                f"The setting '{name}' must be true or false; correct it."
            )
        return value
    if name in ("within", "over"):
        if not isinstance(value, str):
            return _box(value)
        if value not in REGIONS and (name, value) != ("within", ""):
            raise InvalidPerturbationError(
                f"There is no region '{value[:24]}'; choose one of {', '.join(REGIONS)}."
            )
        return value
    if name == "variable":
        if not isinstance(value, str) or not value.isidentifier():
            raise InvalidPerturbationError(
                f"There is no variable '{str(value)[:24]}'; choose another."
            )
        return value[:40]
    raise InvalidPerturbationError(
        f"There is no setting '{name[:24]}' of the perturbation; remove it."
    )


# -- JSON --------------------------------------------------------------------------------------


def to_dict(settings: PerturbationSettings) -> dict[str, Any]:
    """Return plain JSON values, settings at their defaults left out."""
    made: dict[str, Any] = {}
    for item in fields(PerturbationSettings):
        value = getattr(settings, item.name)
        if value == getattr(_DEFAULT, item.name) or item.name == "selected":
            continue
        if item.name == "patches":
            value = [patch.to_dict() for patch in value]
        made[item.name] = _lists(value)
    return made


def _lists(value: Any) -> Any:
    """Return what JSON has: lists for tuples, at every depth."""
    if isinstance(value, dict):
        return {k: _lists(v) for k, v in value.items()}
    return [_lists(v) for v in value] if isinstance(value, list | tuple) else value


def from_dict(data: Any) -> PerturbationSettings:
    """Read what `to_dict` wrote.

    Raises
    ------
    PerturbingError
        If anything in it is wrong.
    """
    if not isinstance(data, dict):
        raise InvalidPerturbationError(
            "The saved changes of the sea are damaged; save the state again."
        )
    made = adjust(_DEFAULT, {k: v for k, v in data.items() if k != "patches"})
    if "patches" not in data:
        return made
    given = data["patches"]
    if not isinstance(given, list) or len(given) > MOST_PATCHES:
        raise InvalidPerturbationError(
            "The saved changes of the sea are damaged; save the state again."
        )
    try:
        patches = tuple(_checked(Patch.from_dict(item)) for item in given)
    except PerturbationError as error:
        raise InvalidPerturbationError(str(error)) from None
    return replace(made, patches=patches, selected=min(0, len(patches) - 1))


# -- the URL -----------------------------------------------------------------------------------

# What a link calls each setting; the patches are `sea`.
KEYS = {
    "sea": "patches",
    "held": "held",
    "within": "within",
    "view": "view",
    "per_kelvin": "per_kelvin",
    "fade": "fade",
    "gcm": "gcm",
    "of": "variable",
    "over": "over",
}


def to_parts(settings: PerturbationSettings) -> dict[str, str]:
    """Return the parts of a URL's query, settings at their defaults left out."""
    parts: dict[str, str] = {}
    for key, name in KEYS.items():
        value = getattr(settings, name)
        if value == getattr(_DEFAULT, name):
            continue
        if name == "patches":
            parts[key] = ",".join(map(_patch_text, value))
        elif isinstance(value, bool):
            parts[key] = str(int(value))
        else:
            parts[key] = value if isinstance(value, str) else ":".join(f"{v:g}" for v in value)
    return parts


def from_parts(given: Mapping[str, str]) -> PerturbationSettings:
    """Read the parts of a URL's query; others than `KEYS` are ignored.

    Raises
    ------
    PerturbingError
        If anything in them is wrong.
    """
    values: dict[str, Any] = {}
    for key, name in KEYS.items():
        if key not in given:
            continue
        text = given[key]
        if name == "patches":
            texts = [part for part in text.split(",") if part]
            if len(texts) > MOST_PATCHES:
                raise InvalidPerturbationError(
                    f"The link changes the sea {len(texts)} times; remove some."
                )
            values[name] = [_patch_values(part) for part in texts]
        elif isinstance(getattr(_DEFAULT, name), bool):
            values[name] = {"1": True, "0": False}.get(text, text)
        elif name in ("within", "over") and ":" in text:
            values[name] = [_float(part) for part in text.split(":")]
        else:
            values[name] = text
    return from_dict(values)


def _patch_text(patch: Patch) -> str:
    """Write a patch: ``nino34:2``, ``-10:10:150:210:-1.5``, ``~<vertices>:1``, ``globe:1:off``."""
    if patch.polygon:
        tenths = np.rint(np.array(patch.polygon) / _DEGREE).astype("<i2")
        where = "~" + base64.urlsafe_b64encode(tenths.tobytes()).decode().rstrip("=")
    elif patch.box is not None:
        where = ":".join(f"{v:g}" for v in patch.box)
    else:
        where = patch.region
    return f"{where}:{patch.kelvin:g}" + ("" if patch.enabled else ":off")


def _patch_values(text: str) -> dict[str, Any]:
    damaged = InvalidPerturbationError(
        "The link's changes of the sea are damaged; copy the whole link."
    )
    *where, amount = text.removesuffix(":off").split(":")
    values: dict[str, Any] = {"kelvin": _float(amount)}
    if text.endswith(":off"):
        values["enabled"] = False
    if len(where) == 4:
        values["box"] = [_float(part) for part in where]
    elif len(where) != 1:
        raise damaged
    elif where[0].startswith("~"):
        packed = where[0][1:]
        try:
            data = base64.b64decode((packed + "=" * (-len(packed) % 4)).encode(), b"-_", True)
        except (binascii.Error, ValueError):
            raise damaged from None
        if len(data) % 4:
            raise damaged
        degrees = np.frombuffer(data, dtype="<i2").reshape(-1, 2) * _DEGREE
        values["polygon"] = [[_tenth(v) for v in pair] for pair in degrees]
    else:
        values["region"] = where[0]
    return values


def _float(text: str) -> float | str:
    """Return a number, or the text that is none for the check to name."""
    try:
        return float(text)
    except ValueError:
        return text
