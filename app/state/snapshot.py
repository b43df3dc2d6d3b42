"""One state of a session: complete, unchangeable, and checked against what its bundle allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from app.state.observations import ObservationSettings
from app.state.perturbations import PerturbationSettings
from mlda_core.climate.errors import UserError

PROJECTIONS = ("robinson", "atlantic", "platecarree", "north", "south")
FIELDS = ("anomalies", "full")
THEMES = ("light", "dark")
TOOLS = ("observe", "explore", "perturb")
# Where the model's state comes from: the analysis of the observations, the code of the month, or a
# latent vector of one's own.
MODELS = ("analysis", "code", "own")
OriginKind = Literal["analysis", "code", "prior", "draw", "walk", "link", "file"]
ORIGINS = get_args(OriginKind)

# Latents are draws of N(0, 1): 8 is beyond anything that happens, and fits 16 bits at 1/4096.
Z_LIMIT = 8.0
Z_STEP = 1.0 / 4096.0
MAX_SEED = 2**31 - 1
# Why a bundle lacks a tool.
NO_TOOL = {
    "perturb": "This model has no sea, so there is no sea to warm: choose another bundle for that.",
    "observe": "This model has no statistics, so nothing can be assimilated: run 'mlda calibrate'.",
}


class InvalidStateError(UserError):
    """A saved state or link cannot be used; the message is one sentence for people."""


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
class Limits:
    """What a bundle allows a state to hold.

    Parameters
    ----------
    bundle : str
        Name of the bundle.
    months : sequence of str
        Months that can be shown, ``YYYY-MM``, sorted.
    n_latent : int
        Length of the latent vector.
    link : str
        What a link calls the bundle; '' where links need not say it.
    first : str
        The month shown first, where the bundle or its test months say one.
    projections, tools : tuple of str
        Those that the bundle's maps and variables have a use for, the first of each shown first.
    model : str
        Where the first view's model comes from, one of `MODELS`.
    impacts : tuple of str
        Names of its impact heads.
    """

    bundle: str
    months: Sequence[str]
    n_latent: int
    link: str = ""
    first: str = ""
    projections: tuple[str, ...] = PROJECTIONS
    tools: tuple[str, ...] = TOOLS
    model: str = MODELS[0]
    impacts: tuple[str, ...] = ()

    def first_month(self) -> str:
        """Return the month shown to a visitor: El Nino at its peak, where nothing else is said."""
        if self.first in self.months:
            return self.first
        if "1997-12" in self.months:
            return "1997-12"
        return self.months[len(self.months) // 2]

    def first_view(self) -> Snapshot:
        """Return the state of a visitor who brings none."""
        return Snapshot(
            month=self.first_month(),
            model=self.model,
            projection=self.projections[0],
            tool=self.tools[0],
        )


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


@dataclass(frozen=True)
class Snapshot:
    """One state, complete and unchangeable.

    Parameters
    ----------
    month : str
        The month shown, ``YYYY-MM``.
    z : tuple of float or None
        The latent vector; None where `model` says what it is.
    model : str
        Where the model's state comes from, one of `MODELS`.
    origin : Origin or None
        Where z came from; None where `model` says it.
    projection, fields, theme, tool : str
        Settings; one of `PROJECTIONS`, `FIELDS`, `THEMES`, `TOOLS`.
    seed : int
        Seed of the next random draw.
    observing : ObservationSettings
        The observations and how they are assimilated.
    perturbing : PerturbationSettings
        The changes of the sea and what is shown of the response.
    impact : str
        The impact head whose series is shown, '' for none.
    """

    month: str
    z: tuple[float, ...] | None = None
    model: str = MODELS[0]
    origin: Origin | None = None
    projection: str = PROJECTIONS[0]
    fields: str = FIELDS[0]
    theme: str = THEMES[0]
    seed: int = 1
    tool: str = TOOLS[0]
    observations: ObservationSettings = field(default_factory=ObservationSettings)
    perturbations: PerturbationSettings = field(default_factory=PerturbationSettings)
    impact: str = ""


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


def one_of(name: str, value: Any, allowed: Sequence[str]) -> str:
    """Return a value if it is one of those allowed, else raise InvalidStateError naming it."""
    if not isinstance(value, str) or value not in allowed:
        shown = str(value)[:24]
        raise InvalidStateError(
            f"There is no {name} '{shown}'; choose one of {', '.join(allowed)}."
        )
    return value


def checked_tool(value: str, limits: Limits) -> str:
    """Return a tool if the bundle has a use for it, else raise InvalidStateError."""
    if value not in limits.tools:
        raise InvalidStateError(NO_TOOL.get(value, f"There is no tool '{value}' for this bundle."))
    return value


def checked_month(value: Any, limits: Limits) -> str:
    """Return a month if the bundle has it, else raise InvalidStateError."""
    if not isinstance(value, str) or value not in limits.months:
        shown = str(value)[:24]
        raise InvalidStateError(
            f"There is no month '{shown}' in this bundle; "
            f"choose one from {limits.months[0]} to {limits.months[-1]}."
        )
    return value


def checked_impact(value: Any, limits: Limits) -> str:
    """Return the name of an impact head of the bundle, or ''; else raise InvalidStateError."""
    if value and value not in limits.impacts:
        has = f"it has {', '.join(limits.impacts)}" if limits.impacts else "it has none"
        raise InvalidStateError(f"There is no impact '{str(value)[:24]}' in this bundle; {has}.")
    return str(value)


def checked_seed(value: Any) -> int:
    """Return a seed from 0 to MAX_SEED, given as a number or text, else raise InvalidStateError."""
    try:
        seed = int(value)
    except (TypeError, ValueError, OverflowError):
        seed = -1
    if isinstance(value, bool | float) or not 0 <= seed <= MAX_SEED:
        raise InvalidStateError(
            f"The seed '{str(value)[:24]}' is not a whole number from 0 to {MAX_SEED}."
        )
    return seed
