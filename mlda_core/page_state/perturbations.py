"""The changes of the sea and what is shown of the response: plain data, pure functions.

The changes themselves are the library's (`mlda_core.perturbation.sst_patches.Patch`), drawn or
named; beside them stand what is held in both analyses and what the columns show.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
import param

from mlda_core.climate.regions import REGIONS, Region
from mlda_core.page_state.settings import (
    InvalidStateError,
    Settings,
    Structured,
    is_count,
    number_of,
    plain,
    setting,
)
from mlda_core.perturbation.gcm import EXPERIMENTS
from mlda_core.perturbation.response import HELD
from mlda_core.perturbation.sst_patches import TAPER, Patch, PerturbationError

MOST_KELVIN = 5.0
MOST_PATCHES = 12
# A lasso has as many vertices as a hand is exact; a link has to carry them.
MOST_VERTICES = 60
_DEGREE = 0.1
_EDGE = "edge"

Box = tuple[float, float, float, float]
# A key of `REGIONS`, or south, north, west and east.
Place = str | Box


class InvalidPerturbationError(InvalidStateError):
    """A change of the sea or a setting is invalid; the message is one sentence."""


# The first month is an El Nino at its peak: without it, its sea is like that of other years. With
# two kelvin more on it, 100 % of the patch were beyond every month known, and its rain +21 mm/day.
FIRST = Patch(kelvin=-2.0, region="nino34")


def _lists(value: Any) -> Any:
    """Return what JSON has: lists for tuples, at every depth."""
    if isinstance(value, dict):
        return {k: _lists(v) for k, v in value.items()}
    return [_lists(v) for v in value] if isinstance(value, list | tuple) else value


def _read_patches(given: Any) -> tuple[Patch, ...]:
    if not isinstance(given, list):
        raise InvalidPerturbationError(
            "The saved changes of the sea are damaged; save the state again."
        )
    if len(given) > MOST_PATCHES:
        raise InvalidPerturbationError(f"The sea is changed {len(given)} times; remove some.")
    try:
        return tuple(_checked(Patch.from_dict(item)) for item in given)
    except PerturbationError as error:
        raise InvalidPerturbationError(str(error)) from None


def _read_place(given: Any) -> Place:
    if not isinstance(given, str):
        return _box(given)
    if given not in REGIONS:
        raise InvalidPerturbationError(
            f"There is no region '{given[:24]}'; choose one of {', '.join(REGIONS)}."
        )
    return given


def _place_text(value: Place) -> str:
    return value if isinstance(value, str) else ":".join(f"{v:g}" for v in value)


def _parse_place(text: str) -> Any:
    return [number_of(part) for part in text.split(":")] if ":" in text else text


class PerturbationSettings(Settings):
    """Changes of the sea, what is held, and what is shown."""

    refuses: ClassVar = InvalidPerturbationError
    group: ClassVar = "changes of the sea"

    patches: Structured[tuple[Patch, ...]] = Structured(
        (FIRST,),
        _read_patches,
        plain=lambda patches: [_lists(patch.to_dict()) for patch in patches],
        text=lambda patches: ",".join(map(_patch_text, patches)),
        parse=lambda text: [_patch_values(part) for part in text.split(",") if part],
        doc="They add up.",
        metadata=setting("sea"),
    )
    selected = param.Integer(
        default=0,
        bounds=(-1, None),
        doc="Which of them is selected; -1 for none.",
        metadata=setting(saved=False, history=False),
    )
    held: param.Selector[str] = param.Selector(
        default="sst_only",
        objects={held.label: key for key, held in HELD.items()},
        label="What is held",
        doc="What both analyses are given beside the sea.",
        metadata=setting("held", words="way of holding"),
    )
    within: Structured[Place] = Structured(
        "",
        # No region is said where the patches are.
        lambda given: "" if given == "" else _read_place(given),
        plain=_lists,
        text=_place_text,
        parse=_parse_place,
        doc="The region outside of which everything is held; '' is where the patches are.",
        metadata=setting("within"),
    )
    view: param.Selector[str] = param.Selector(
        default="sum",
        # The sum of the analysis and the response to it.
        objects={
            "Analysis + response": "sum",
            "Response": "response",
            "Sensitivity to the sea": "sensitivity",
            "Atlas of patches": "atlas",
            "Emulator, beside the GCM": "gcm",
        },
        doc="What the columns show.",
        metadata=setting("view", words="view of the response"),
    )
    per_kelvin = param.Boolean(
        default=False,
        label="per kelvin",
        doc="Divide by the mean change of the sea",
        metadata=setting("per_kelvin"),
    )
    fade = param.Boolean(
        default=True,
        label="fade",
        doc="Fade what is smaller than one posterior standard deviation of a single month",
        metadata=setting("fade"),
    )
    gcm: param.Selector[str] = param.Selector(
        default="plus1",
        objects={experiment.label: key for key, experiment in EXPERIMENTS.items()},
        doc="The GCM's experiment.",
        metadata=setting("gcm", words="run of the GCM"),
    )
    variable = param.String(
        default="",
        regex=r"^([^\W\d]\w{0,39})?$",
        doc="Of which the sensitivity is; '' for air temperature, or the last that there is.",
        metadata=setting("of", refused="There is no variable '{value}'; choose another."),
    )
    over: Structured[Place] = Structured(
        "north_atlantic",
        _read_place,
        plain=_lists,
        text=_place_text,
        parse=_parse_place,
        doc="The region over whose mean the sensitivity is.",
        metadata=setting("over"),
    )
    amplitude: param.Selector[str] = param.Selector(
        default="2",
        # The protocol's, its opposite, and twice it, which show how far responses add up.
        objects={"+2 K": "2", "\u22122 K": "-2", "+4 K": "4"},
        label="Amount of each patch",
        doc="How much each patch of the atlas changes the sea at its centre.",
        metadata=setting("amplitude", words="amount of the patches"),
    )

    @property
    def enabled(self) -> tuple[Patch, ...]:
        """The patches that count."""
        return tuple(patch for patch in self.patches if patch.enabled)

    def adjust(
        self, values: Mapping[str, Any], options: Mapping[str, Sequence[Any]] | None = None
    ) -> Self:
        """Return the same settings with values that come from outside.

        Raises
        ------
        InvalidPerturbationError
            If one is unknown or cannot be.
        """
        made = super().adjust(values, options)
        # Of other patches the first is selected.
        return made.replace(selected=min(0, len(made.patches) - 1)) if "patches" in values else made


to_dict = PerturbationSettings.to_dict


# -- changes -----------------------------------------------------------------------------------


def add(settings: PerturbationSettings, patch: Patch) -> PerturbationSettings:
    """Add a patch and select it."""
    if len(settings.patches) >= MOST_PATCHES:
        raise InvalidPerturbationError(
            f"There are {MOST_PATCHES} changes already; delete one first."
        )
    patches = (*settings.patches, _checked(patch))
    return settings.replace(patches=patches, selected=len(patches) - 1)


def edit(
    settings: PerturbationSettings, at: Any, *, kelvin: Any = None, enabled: Any = None
) -> PerturbationSettings:
    """Change a patch's amount or whether it counts, and select it.

    Raises
    ------
    InvalidPerturbationError
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
    return settings.replace(patches=patches, selected=i)


def delete(settings: PerturbationSettings, at: Any) -> PerturbationSettings:
    """Delete a patch; its neighbour is selected."""
    i = _index(settings, at)
    patches = settings.patches[:i] + settings.patches[i + 1 :]
    return settings.replace(patches=patches, selected=min(i, len(patches) - 1))


def select(settings: PerturbationSettings, at: Any) -> PerturbationSettings:
    """Select a patch."""
    return settings.replace(selected=_index(settings, at))


def region_of(place: Place) -> Region:
    """Return the region that a place stands for; a drawn one is labelled by its limits."""
    if isinstance(place, str):
        return REGIONS[place]
    return Region(Patch(box=place).where, *place)


def open_alone(settings: PerturbationSettings, patch: Patch) -> PerturbationSettings:
    """Let one patch count alone, and show its response: the others are switched off.

    One that was opened before is replaced, so that going through an atlas leaves no trail.
    """
    made = _checked(patch)
    others = tuple(
        replace(other, enabled=False)
        for other in settings.patches
        # As wide a taper is of the protocol's patches alone.
        if other.taper != made.taper
    )
    view = "sum" if settings.view == "sum" else "response"
    kept = settings.replace(patches=others, selected=-1, view=view)
    return add(kept, made)


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
    if not is_count(at) or at >= len(settings.patches):
        raise InvalidPerturbationError("That change of the sea is gone; choose another.")
    return at


def _kelvin(value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # No `math.isfinite`: it raises for an integer beyond every float. NaN is not within the most.
    if not is_number or not abs(value) <= MOST_KELVIN:
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
    try:
        return float(plain(str(value).strip().removesuffix("K")))
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
        # The library checks the box.
        south, north, west, east = map(_tenth, Patch(box=tuple(value)).box or ())
        around = east - west >= 360
        sides = (0.0, 360.0) if around else (_turned(west), _turned(east))
        made = (south, north, *sides)
        return Patch(box=made).box or made
    except PerturbationError as error:
        raise InvalidPerturbationError(str(error)) from None


# -- how patches are written -------------------------------------------------------------------


def _patch_text(patch: Patch) -> str:
    """Write a patch: ``nino34:2``, ``-10:10:150:210:-1.5``, ``~<vertices>:1``, ``globe:1:off``.

    Before the amount stands the width of the taper, where it is another: ``edge360``.
    """
    if patch.polygon:
        tenths = np.rint(np.array(patch.polygon) / _DEGREE).astype("<i2")
        where = "~" + base64.urlsafe_b64encode(tenths.tobytes()).decode().rstrip("=")
    elif patch.box is not None:
        where = ":".join(f"{v:g}" for v in patch.box)
    else:
        where = patch.region
    if patch.taper != TAPER:
        where += f":{_EDGE}{patch.taper:g}"
    return f"{where}:{patch.kelvin:g}" + ("" if patch.enabled else ":off")


def _patch_values(text: str) -> dict[str, Any]:
    damaged = InvalidPerturbationError(
        "The link's changes of the sea are damaged; copy the whole link."
    )
    *where, amount = text.removesuffix(":off").split(":")
    values: dict[str, Any] = {"kelvin": number_of(amount)}
    if text.endswith(":off"):
        values["enabled"] = False
    if where and where[-1].startswith(_EDGE):
        values["taper"] = number_of(where.pop().removeprefix(_EDGE))
    if len(where) == 4:
        values["box"] = [number_of(part) for part in where]
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
