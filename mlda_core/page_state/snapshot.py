"""One state of a session: complete, unchangeable, and checked against what its bundle allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
import param
from numpy.typing import NDArray

from mlda_core.climate.projections import KEYS as PROJECTION_KEYS
from mlda_core.climate.seasons import MONTHLY, seasons_of_label
from mlda_core.page_state.cycles import CycleSettings
from mlda_core.page_state.observations import MAX_SEED, ObservationSettings
from mlda_core.page_state.perturbations import PerturbationSettings
from mlda_core.page_state.settings import (
    Group,
    InvalidStateError,
    Settings,
    Structured,
    number,
    number_of,
    options_of,
    setting,
)

OriginKind = Literal["analysis", "code", "prior", "draw", "walk", "link", "file"]
ORIGINS = get_args(OriginKind)

# Latents are draws of N(0, 1): 8 is far beyond what occurs, and fits 16 bits at 1/4096.
Z_LIMIT = 8.0
Z_STEP = 1.0 / 4096.0
# With what was done by hand to some thousands of observations.
MAX_PINNED = 400_000
# The month of an El Nino at its peak: shown first, where nothing else is said.
FIRST_MONTH = "1997-12"


class OtherBundleError(InvalidStateError):
    """A saved state is of another bundle, whose name it gives.

    Parameters
    ----------
    message : str
        One sentence for people.
    bundle : str
        The other bundle's name.
    """

    def __init__(self, message: str, bundle: str) -> None:
        super().__init__(message)
        self.bundle = bundle


@dataclass(frozen=True)
class Origin:
    """Where a latent vector came from.

    Parameters
    ----------
    kind : str
        One of `ORIGINS`.
    month : str
        Of the code.
    seed : int or None
        Of the draw.
    ends : tuple of str
        Both ends of the walk, months or draws as they were typed.
    percent : int
        How far the walk has come.
    edited : bool
        Whether single latents were moved by hand since.
    """

    kind: OriginKind
    month: str = ""
    seed: int | None = None
    ends: tuple[str, str] = ("", "")
    percent: int = 0
    edited: bool = False


# A variable, and the latitude and longitude of a place.
Asked = tuple[str, float, float]


def _asked(given: Any) -> Asked | None:
    """Turn a place's longitude to 0..360 and round it to what a link holds."""
    if given is None:
        return None
    whole = isinstance(given, list | tuple) and len(given) == 3
    if not whole or not isinstance(given[0], str):
        raise InvalidStateError(
            "The place asked about must be a variable, a latitude and a longitude; correct it."
        )
    lat = number("latitude of the place asked about", given[1], -90, 90)
    lon = number("longitude of the place asked about", given[2], -360, 720)
    return given[0][:40], round(lat, 2), round(lon % 360, 2) % 360


def _asked_parts(text: str) -> list[Any]:
    name, *where = text.split(",")
    return [name, *(number_of(part) for part in where)]


def _pinned(given: Any) -> str:
    """Check what a limit needs to be known for: it is read with that of a link or file."""
    if not isinstance(given, str) or len(given) > MAX_PINNED or not given.isascii():
        raise InvalidStateError("The pinned state is damaged; pin it again.")
    return given


def _no_such_time(times: Sequence[str]) -> str:
    seasons = seasons_of_label(times[0]) if times else None
    return (
        f"There is no {(seasons or MONTHLY).step} '{{value}}' in this bundle; choose one from "
        "{first} to {last}."
    )


class View(Settings):
    """What the page shows, in the order in which links say it."""

    month = param.String(
        doc="The month shown, YYYY-MM, or the day, YYYY-MM-DD.",
        metadata=setting("month", refused=_no_such_time, travels=True),
    )
    # A string, for a map of a region alone has a key that says the region.
    projection = param.String(
        default=PROJECTION_KEYS[0], metadata=setting("projection", travels=True)
    )
    fields: param.Selector[str] = param.Selector(
        default="anomalies",
        objects={"Anomalies": "anomalies", "Full fields": "full"},
        metadata=setting("fields", travels=True),
    )
    theme: param.Selector[str] = param.Selector(
        default="light",
        objects={"Light": "light", "Dark": "dark"},
        # A matter of the display, not of the work.
        metadata=setting("theme", history=False, travels=True),
    )
    present: param.Selector[str] = param.Selector(
        default="",
        doc="What is shown large, for the back of a room, and nothing beside it; '' is all.",
        objects={
            "All of the page": "",
            "Maps and scatter": "all",
            "Both maps": "maps",
            "First map": "first",
            "Second map": "second",
        },
        metadata=setting("present", words="presentation", history=False, travels=True),
    )
    tool: param.Selector[str] = param.Selector(
        default="observe",
        objects={
            "Observe": "observe",
            "Explore": "explore",
            "Perturb": "perturb",
            "Cycle": "cycle",
        },
        metadata=setting(
            "tool",
            travels=True,
            lacking={
                "perturb": "This model has no sea, so there is no sea to warm: choose another "
                "bundle for that.",
                "observe": "This model has no statistics, so nothing can be assimilated: run "
                "'mlda calibrate'.",
                "cycle": "This model has no forecast of its days, or does not know its errors, so "
                "nothing can be cycled: run 'mlda forecast train' and 'mlda cycle learn'.",
            },
        ),
    )
    seed = param.Integer(
        default=1,
        bounds=(0, MAX_SEED),
        doc="Seed of the next random draw.",
        metadata=setting("seed"),
    )
    model: param.Selector[str] = param.Selector(
        default="analysis",
        objects=["analysis", "code", "own"],
        doc="Where the model's state comes from: the analysis of the observations, the code of the "
        "month, or a latent vector of one's own.",
        metadata=setting("model"),
    )
    origin: param.ClassSelector[Origin | None] = param.ClassSelector(
        class_=Origin,
        default=None,
        allow_None=True,
        doc="Where the latent vector came from; None where the model says it.",
        metadata=setting(saved=False),
    )
    observations: Group[ObservationSettings] = Group(
        class_=ObservationSettings,
        default=ObservationSettings(),
        instantiate=False,
        metadata=setting(file="observing"),
    )
    perturbations: Group[PerturbationSettings] = Group(
        class_=PerturbationSettings,
        default=PerturbationSettings(),
        instantiate=False,
        metadata=setting(file="perturbing"),
    )
    cycles: Group[CycleSettings] = Group(
        class_=CycleSettings,
        default=CycleSettings(),
        instantiate=False,
        metadata=setting(file="cycling"),
    )
    pinned: Structured[str] = Structured(
        "",
        _pinned,
        doc="The state that is pinned, as the query of a link to it alone; '' where none is.",
        metadata=setting("pin"),
    )
    impact = param.String(
        default="",
        doc="The impact head whose series is shown, '' for none.",
        metadata=setting(
            "impact",
            refused="There is no impact '{value}' in this bundle; it has {options}.",
            # Which results are open, not what they are of.
            history=False,
        ),
    )
    asked: Structured[Asked | None] = Structured(
        None,
        _asked,
        plain=lambda asked: asked and list(asked),
        text=lambda asked: "{},{:g},{:g}".format(*asked) if asked else "",
        parse=_asked_parts,
        doc="The place whose densities are shown, and of which variable; none: of no place.",
        metadata=setting("ask", history=False),
    )
    members: param.Selector[str] = param.Selector(
        default="",
        objects={"": "", "Stamps": "stamps", "Spaghetti": "spaghetti"},
        doc="As what all members are shown; '' where they are not.",
        metadata=setting("members", words="picture of the members", history=False),
    )
    lesson = param.String(
        default="",
        regex=r"^([a-z0-9][a-z0-9-]{0,57}(\.[1-9])?)?$",
        doc="The lesson that is open, with '.2' its second question, or 'list'; '' where none is.",
        # Beside the work, which a lesson sets: undo brings that back, and the lesson stays open.
        metadata=setting(
            "lesson",
            history=False,
            refused="There is no lesson '{value}'; choose one under Learn.",
        ),
    )


TOOLS: tuple[str, ...] = tuple(options_of(View, "tool"))
# Those whose columns are their own: the analysis of Observe is not seen.
OTHERS = ("perturb", "cycle")


class Snapshot(View):
    """One state, complete and unchangeable.

    Parameters
    ----------
    month : str
        The month shown, ``YYYY-MM``, or the day, ``YYYY-MM-DD``.
    **values : object
        Settings by name; others have their defaults.
    """

    z: param.ClassSelector[tuple[float, ...] | None] = param.ClassSelector(
        class_=tuple,
        default=None,
        allow_None=True,
        instantiate=False,
        doc="The latent vector; None where the model says what it is.",
        metadata=setting(saved=False),
    )

    def __init__(self, month: str = "", **values: Any) -> None:
        super().__init__(month=month, **values)


@dataclass(frozen=True)
class Limits:
    """The limits that a bundle sets to a state.

    Parameters
    ----------
    bundle : str
        Name of the bundle.
    months : sequence of str
        Months that can be shown, ``YYYY-MM``, or days, ``YYYY-MM-DD``, sorted.
    n_latent : int
        Length of the latent vector.
    link : str
        What a link calls the bundle; '' where links need not say it.
    first : str
        The month shown first, where the bundle or its test months say one.
    projections, tools : tuple of str
        Those that the bundle's maps and variables have a use for, the first of each shown first.
    model : str
        Where the first view's model comes from.
    impacts : tuple of str
        Names of its impact heads.
    """

    bundle: str
    months: Sequence[str]
    n_latent: int
    link: str = ""
    first: str = ""
    projections: tuple[str, ...] = PROJECTION_KEYS
    tools: tuple[str, ...] = TOOLS
    model: str = "analysis"
    impacts: tuple[str, ...] = ()

    @cached_property
    def options(self) -> dict[str, Sequence[str]]:
        """What is left of the options of settings, by their names."""
        return {
            "month": self.months,
            "projection": self.projections,
            "tool": self.tools,
            "impact": ("", *self.impacts),
        }

    def first_month(self) -> str:
        """Return the month shown to a visitor."""
        known = (month for month in (self.first, FIRST_MONTH) if month in self.months)
        return next(known, self.months[len(self.months) // 2])

    def first_view(self) -> Snapshot:
        """Return the state that is shown first, without a link."""
        return Snapshot(
            month=self.first_month(),
            model=self.model,
            projection=self.projections[0],
            tool=self.tools[0],
        )


def snap(z: NDArray[np.floating]) -> NDArray[np.float32]:
    """Round a latent vector to the steps of a link, so that a link restores it exactly."""
    steps = np.rint(np.clip(np.asarray(z, dtype=np.float64), -Z_LIMIT, Z_LIMIT) / Z_STEP)
    return np.asarray(np.clip(steps, -32767, 32767) * Z_STEP, dtype=np.float32)


def check_z(values: Any, n_latent: int) -> NDArray[np.float32]:
    """Check a latent vector from outside.

    Raises
    ------
    InvalidStateError
        If it is not `n_latent` finite numbers within ``Z_LIMIT``.
    """
    try:
        # What overflows becomes infinite, and is refused below.
        with np.errstate(over="ignore"):
            z = np.asarray(values, dtype=np.float32)
    except (TypeError, ValueError, OverflowError):
        raise InvalidStateError("The latent vector holds something that is not a number.") from None
    if z.shape != (n_latent,):
        raise InvalidStateError(
            f"The latent vector has shape {z.shape}, but this bundle needs {n_latent} numbers."
        )
    if not np.isfinite(z).all() or np.abs(z).max(initial=0.0) > Z_LIMIT:
        raise InvalidStateError(
            f"The latent vector leaves -{Z_LIMIT:g} to {Z_LIMIT:g}; correct it."
        )
    return z
