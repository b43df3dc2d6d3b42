"""What a session holds: month, latent vector and settings; its history, its JSON and its URL.

Nothing here knows how anything is drawn, and nothing but this is saved.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode

import numpy as np
import param
from numpy.typing import NDArray

from app.state import observations as observing
from app.state import perturbations as perturbing
from app.state.observations import Observing, ObservingError
from app.state.perturbations import Perturbing, PerturbingError
from mlda_core.climate.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = "mlda-state"
VERSION = 2
PROJECTIONS = ("robinson", "atlantic", "platecarree", "north", "south")
FIELDS = ("anomalies", "full")
THEMES = ("light", "dark")
TOOLS = ("observe", "explore", "perturb")
# Where the model's state comes from: the analysis of the observations, the code of the month, or a
# latent vector of one's own.
MODELS = ("analysis", "code", "own")

# Latents are draws of N(0, 1): 8 is beyond anything that happens, and fits 16 bits at 1/4096.
Z_LIMIT = 8.0
_Z_STEP = 1.0 / 4096.0
MAX_SEED = 2**31 - 1
HISTORY = 200
# A state is about 2 kB of JSON, with 20,000 observations 2 MB; whatever is far larger is not one.
MAX_JSON = 5_000_000
# Browsers and mail programs cut longer links: with more rows than fit, a link holds the network.
MAX_ROWS_TEXT = 1800
_MAX_ROWS_JSON = 200_000
# Why a bundle lacks a tool.
NO_TOOL = {
    "perturb": "This model has no sea, so there is no sea to warm: choose another bundle for that.",
    "observe": "This model has no statistics, so nothing can be assimilated: run 'mlda calibrate'.",
}


class StateError(UserError):
    """A saved state or link cannot be used; the message is one sentence for people."""


class OtherBundleError(StateError):
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
    origin : str
        Where z came from, in words.
    projection, fields, theme, tool : str
        Settings; one of `PROJECTIONS`, `FIELDS`, `THEMES`, `TOOLS`.
    seed : int
        Seed of the next random draw.
    observing : Observing
        The observations and how they are assimilated.
    perturbing : Perturbing
        The changes of the sea and what is shown of the response.
    impact : str
        The impact head whose series is shown, '' for none.
    """

    month: str
    z: tuple[float, ...] | None = None
    model: str = MODELS[0]
    origin: str = ""
    projection: str = PROJECTIONS[0]
    fields: str = FIELDS[0]
    theme: str = THEMES[0]
    seed: int = 1
    tool: str = TOOLS[0]
    observing: Observing = field(default_factory=Observing)
    perturbing: Perturbing = field(default_factory=Perturbing)
    impact: str = ""


def snap(z: NDArray[np.floating]) -> NDArray[np.float32]:
    """Round a latent vector to the steps of a link, so that a link restores it exactly."""
    steps = np.rint(np.clip(np.asarray(z, dtype=np.float64), -Z_LIMIT, Z_LIMIT) / _Z_STEP)
    return np.asarray(np.clip(steps, -32767, 32767) * _Z_STEP, dtype=np.float32)


def pack(z: NDArray[np.floating] | Sequence[float]) -> str:
    """Pack a latent vector into URL-safe text: 16 bits a number, to 1/4096.

    >>> unpack(pack([0.5, -1.25]), 2).tolist()
    [0.5, -1.25]
    """
    data = np.rint(snap(np.asarray(z)) / _Z_STEP).astype("<i2").tobytes()
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def unpack(text: str, n_latent: int) -> NDArray[np.float32]:
    """Unpack a latent vector.

    Raises
    ------
    StateError
        If the text is not `n_latent` packed numbers.
    """
    try:
        padded = text + "=" * (-len(text) % 4)
        data = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError, UnicodeEncodeError):
        raise StateError("The link's latent vector is damaged; copy the whole link.") from None
    if len(data) != 2 * n_latent:
        raise StateError(
            f"The link's latent vector is {len(data) // 2} numbers long, not {n_latent}; "
            "copy the whole link, made with this bundle."
        )
    return np.asarray(np.frombuffer(data, dtype="<i2") * np.float32(_Z_STEP), dtype=np.float32)


def _one_of(name: str, value: Any, allowed: Sequence[str]) -> str:
    if not isinstance(value, str) or value not in allowed:
        shown = str(value)[:24]
        raise StateError(f"There is no {name} '{shown}'; choose one of {', '.join(allowed)}.")
    return value


def _tool(value: str, limits: Limits) -> str:
    """Return a tool, if there is something in the bundle that it could be used on."""
    if value not in limits.tools:
        raise StateError(NO_TOOL.get(value, f"There is no tool '{value}' for this bundle."))
    return value


def _month(value: Any, limits: Limits) -> str:
    if not isinstance(value, str) or value not in limits.months:
        shown = str(value)[:24]
        raise StateError(
            f"There is no month '{shown}' in this bundle; "
            f"choose one from {limits.months[0]} to {limits.months[-1]}."
        )
    return value


def _impact(value: Any, limits: Limits) -> str:
    if value and value not in limits.impacts:
        has = f"it has {', '.join(limits.impacts)}" if limits.impacts else "it has none"
        raise StateError(f"There is no impact '{str(value)[:24]}' in this bundle; {has}.")
    return str(value)


def _seed(value: Any) -> int:
    try:
        seed = int(value)
    except (TypeError, ValueError, OverflowError):
        seed = -1
    if isinstance(value, bool | float) or not 0 <= seed <= MAX_SEED:
        raise StateError(
            f"The seed '{str(value)[:24]}' is not a whole number from 0 to {MAX_SEED}."
        )
    return seed


def check_z(values: Any, n_latent: int) -> NDArray[np.float32]:
    """Check a latent vector from outside.

    Raises
    ------
    StateError
        If it is not `n_latent` finite numbers within ``Z_LIMIT``.
    """
    try:
        z = np.asarray(values, dtype=np.float32)
    except (TypeError, ValueError, OverflowError):
        raise StateError("The latent vector holds something that is not a number.") from None
    if z.shape != (n_latent,):
        raise StateError(
            f"The latent vector has shape {z.shape}, but this bundle needs {n_latent} numbers."
        )
    if not np.isfinite(z).all() or np.abs(z).max(initial=0.0) > Z_LIMIT:
        raise StateError(f"The latent vector leaves -{Z_LIMIT:g} to {Z_LIMIT:g}; correct it.")
    return z


def from_query(query: str, limits: Limits) -> Snapshot:
    """Read a state from a URL's query.

    Parameters
    ----------
    query : str
        What follows the question mark; unknown keys are ignored.
    limits : Limits
        What the bundle allows.

    Raises
    ------
    StateError
        If anything in it is wrong: nothing of it is used then.
    """
    try:
        parsed = parse_qs(query.lstrip("?"), keep_blank_values=True, max_num_fields=50)
    except ValueError:
        raise StateError("The link has too many parts; copy it again.") from None
    given = {key: values[-1] for key, values in parsed.items()}
    made = limits.first_view()
    if "month" in given:
        made = replace(made, month=_month(given["month"], limits))
    if "z" in given:
        z = unpack(given["z"], limits.n_latent)
        # An analysis that was moved is shown with what it has beyond its latent vector.
        upon = given.get("upon") == "analysis"
        origin = "analysis, then by hand" if upon else "from a link"
        made = replace(made, z=tuple(z.tolist()), model="own", origin=origin)
    elif given.get("model") == "own":
        raise StateError("The link lacks its latent vector; copy the whole link.")
    for key, allowed in (
        ("model", MODELS),
        ("projection", limits.projections),
        ("fields", FIELDS),
        ("theme", THEMES),
        ("tool", TOOLS),
    ):
        if key in given and not (key == "model" and "z" in given):
            setting: dict[str, Any] = {key: _one_of(key, given[key], allowed)}
            made = replace(made, **setting)
    made = replace(made, tool=_tool(made.tool, limits))
    if "seed" in given:
        made = replace(made, seed=_seed(given["seed"]))
    if "impact" in given:
        made = replace(made, impact=_impact(given["impact"], limits))
    try:
        made = replace(made, perturbing=perturbing.from_parts(given))
    except PerturbingError as error:
        raise StateError(str(error)) from None
    return replace(made, observing=_observing_from(given))


def _observing_from(given: dict[str, str]) -> Observing:
    """Read the observations of a URL's query."""
    values: dict[str, Any] = {}
    for key, name in _OBSERVING_KEYS.items():
        if key not in given:
            continue
        plain = getattr(_PLAIN_OBSERVING, name)
        text = given[key]
        if name in ("variables", "region"):
            parts = [part for part in text.split(",") if part]
            values[name] = parts if name == "variables" else [_number(part) for part in parts]
        elif isinstance(plain, bool):
            values[name] = {"1": True, "0": False}.get(text, text)
        else:
            values[name] = text if isinstance(plain, str) else _number(text)
    try:
        if "rows" in given:
            values |= _rows(given["rows"])
        return observing.from_dict(values)
    except ObservingError as error:
        raise StateError(str(error)) from None


def _number(text: str) -> float | str:
    """Return a number, or the text that is none for the check to name."""
    try:
        return float(text)
    except ValueError:
        return text


def _rows(text: str) -> dict[str, Any]:
    """Read the rows of a link."""
    damaged = StateError("The link's observations are damaged; copy the whole link.")
    try:
        packed = base64.b64decode((text + "=" * (-len(text) % 4)).encode(), b"-_", validate=True)
        # Bounded: a short text may hide a very long one.
        data = json.loads(zlib.decompressobj().decompress(packed, _MAX_ROWS_JSON))
    except (binascii.Error, zlib.error, ValueError, RecursionError):
        raise damaged from None
    if not isinstance(data, dict) or not set(data) <= set(_ROW_KEYS):
        raise damaged
    return data


def rows_fit(snapshot: Snapshot) -> bool:
    """Whether a link holds everything that was done to the observations by hand."""
    return not snapshot.observing.by_hand or bool(_rows_text(snapshot.observing))


def _rows_text(observed: Observing) -> str:
    """Pack what was done by hand into URL-safe text; empty where it is nothing or too much."""
    if not observed.by_hand or observed.by_hand > MAX_ROWS_TEXT:
        return ""
    data = {k: v for k, v in observing.to_dict(observed).items() if k in _ROW_KEYS}
    plain = json.dumps(data, separators=(",", ":")).encode()
    text = base64.urlsafe_b64encode(zlib.compress(plain, 9)).decode().rstrip("=")
    return text if len(text) <= MAX_ROWS_TEXT and len(plain) <= _MAX_ROWS_JSON else ""


_ROW_KEYS = ("withheld", "deleted", "changed", "own")
# What a link calls the settings of the observations.
_OBSERVING_KEYS = {
    "network": "kind",
    "observe": "variables",
    "stations": "count",
    "spacing": "spacing",
    "on": "domain",
    "box": "region",
    "year": "year",
    "places": "seed",
    "error": "error",
    "noise": "noise",
    "method": "method",
    "residual": "residual",
    "reach": "localisation",
    "live": "live",
    "column": "column",
    "hatch": "hatch",
    "beside": "beside",
    "scale": "scale",
    "arrows": "arrows",
}
_PLAIN_OBSERVING = Observing()


def _observing_parts(observed: Observing) -> dict[str, str]:
    parts: dict[str, str] = {}
    for key, name in _OBSERVING_KEYS.items():
        value = getattr(observed, name)
        if value == getattr(_PLAIN_OBSERVING, name):
            continue
        if isinstance(value, tuple):
            parts[key] = ",".join(f"{v:g}" if isinstance(v, float) else str(v) for v in value)
        elif isinstance(value, bool):
            parts[key] = str(int(value))
        else:
            parts[key] = str(value)
    rows = _rows_text(observed)
    return parts | ({"rows": rows} if rows else {})


def to_query(snapshot: Snapshot, limits: Limits | None = None) -> str:
    """Write a state as a URL's query; settings at their defaults are left out.

    Rows that are too many for a link are left out too: `rows_fit` says so.

    Parameters
    ----------
    snapshot : Snapshot
        The state.
    limits : Limits, optional
        Of its bundle, whose defaults and name then count.
    """
    plain = Snapshot(month="") if limits is None else limits.first_view()
    parts: dict[str, str] = {"bundle": limits.link} if limits is not None and limits.link else {}
    parts["month"] = snapshot.month
    for key in ("projection", "fields", "theme", "tool", "seed", "model"):
        value = getattr(snapshot, key)
        if value != getattr(plain, key):
            parts[key] = str(value)
    parts |= _observing_parts(snapshot.observing)
    parts |= perturbing.to_parts(snapshot.perturbing)
    if snapshot.impact:
        parts["impact"] = snapshot.impact
    if snapshot.model == "own" and snapshot.z is not None:
        parts.pop("model", None)
        parts["z"] = pack(snapshot.z)
        if snapshot.origin.startswith("analysis"):
            parts["upon"] = "analysis"
    return urlencode(parts, safe=",:")


def to_json(snapshot: Snapshot, limits: Limits) -> str:
    """Write a state as JSON, for a file."""
    return json.dumps(
        {
            "format": FORMAT,
            "version": VERSION,
            "bundle": limits.bundle,
            "month": snapshot.month,
            "model": snapshot.model,
            "z": None if snapshot.z is None else list(snapshot.z),
            "origin": snapshot.origin,
            "projection": snapshot.projection,
            "fields": snapshot.fields,
            "theme": snapshot.theme,
            "seed": snapshot.seed,
            "tool": snapshot.tool,
            "observing": observing.to_dict(snapshot.observing),
            "perturbing": perturbing.to_dict(snapshot.perturbing),
            "impact": snapshot.impact,
        }
    )


def from_json(text: str, limits: Limits) -> Snapshot:
    """Read a state from a file's JSON.

    Raises
    ------
    StateError
        If anything in it is wrong: nothing of it is used then.
    """
    if len(text) > MAX_JSON:
        raise StateError("The file is far too large to be a saved state; choose another.")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise StateError("The file is not JSON; choose one that this page saved.") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise StateError("The file is not a saved state; choose one that this page saved.")
    if data.get("version") not in (1, VERSION):
        raise StateError(
            f"The file has version {str(data.get('version'))[:24]}, this page reads up to "
            f"{VERSION}; save the state again with a page of the same version."
        )
    if "bundle" in data and data["bundle"] != limits.bundle:
        raise OtherBundleError(
            f"The file is a state of the bundle '{str(data['bundle'])[:40]}', but this page shows "
            f"'{limits.bundle}'; open it with its own bundle.",
            str(data["bundle"]),
        )
    if data["version"] == 1:
        data = _from_version_1(data)
    model = _one_of("model", data.get("model", MODELS[0]), MODELS)
    z = data.get("z")
    if z is None and model == "own":
        raise StateError("The file lacks its latent vector 'z'; save the state again.")
    try:
        observed = observing.from_dict(data.get("observing", {}))
        changed = perturbing.from_dict(data.get("perturbing", {}))
    except (ObservingError, PerturbingError) as error:
        raise StateError(str(error)) from None
    values = None if z is None else tuple(check_z(z, limits.n_latent).tolist())
    return Snapshot(
        month=_month(data.get("month"), limits),
        z=values,
        model=model,
        origin=str(data.get("origin", "from a file"))[:80],
        projection=_one_of(
            "projection", data.get("projection", limits.projections[0]), limits.projections
        ),
        fields=_one_of("fields", data.get("fields", FIELDS[0]), FIELDS),
        theme=_one_of("theme", data.get("theme", THEMES[0]), THEMES),
        seed=_seed(data.get("seed", 1)),
        tool=_tool(_one_of("tool", data.get("tool", limits.tools[0]), TOOLS), limits),
        observing=observed,
        perturbing=changed,
        impact=_impact(data.get("impact", ""), limits),
    )


def _from_version_1(data: dict[str, Any]) -> dict[str, Any]:
    """Return a file from before observations as one with none."""
    follow = data.get("follow", True)
    if not isinstance(follow, bool):
        raise StateError("The file's 'follow' must be true or false; correct it.")
    return data | {
        "model": "code" if follow else "own",
        "tool": "explore",
        "observing": {"kind": "none"},
    }


def _same_work(one: Snapshot, other: Snapshot) -> bool:
    # The theme is about the room, what is selected about the hand and the impact about what one
    # looks at, not about the work: they are no step of the history.
    perturbing = replace(one.perturbing, selected=other.perturbing.selected)
    alike = replace(one, theme=other.theme, perturbing=perturbing, impact=other.impact)
    return alike == other


class State(param.Parameterized):
    """The state of one session.

    Set several parameters at once with ``state.param.update(...)``, so that the page is drawn
    once. `commit` marks the end of a gesture: undo returns to the commit before.

    Parameters
    ----------
    limits : Limits
        What the bundle allows.
    """

    month = param.String(doc="The month shown, YYYY-MM.")
    z = param.Array(allow_None=False, doc="The latent vector, shape (n_latent,), float32.")
    model: Any = param.Selector(default=MODELS[0], objects=list(MODELS))
    origin = param.String(default="", doc="Where z came from, in words.")
    projection = param.String(default=PROJECTIONS[0], doc="One of its limits' projections.")
    fields: Any = param.Selector(default=FIELDS[0], objects=list(FIELDS))
    theme: Any = param.Selector(default=THEMES[0], objects=list(THEMES))
    seed = param.Integer(default=1, bounds=(0, MAX_SEED))
    tool: Any = param.Selector(default=TOOLS[0], objects=list(TOOLS))
    observing: Any = param.ClassSelector(class_=Observing, allow_None=False)
    perturbing: Any = param.ClassSelector(class_=Perturbing, allow_None=False)
    impact = param.String(default="", doc="The impact head whose series is shown, '' for none.")

    can_undo = param.Boolean(default=False)
    can_redo = param.Boolean(default=False)

    def __init__(self, limits: Limits, **params: Any) -> None:
        params.setdefault("month", limits.first_month())
        params.setdefault("projection", limits.projections[0])
        params.setdefault("tool", limits.tools[0])
        params.setdefault("model", limits.model)
        params.setdefault("observing", Observing())
        params.setdefault("perturbing", Perturbing())
        params.setdefault("z", np.zeros(limits.n_latent, dtype=np.float32))
        super().__init__(**params)
        self.limits = limits
        self._past: list[Snapshot] = [self.snapshot()]
        self._future: list[Snapshot] = []

    def snapshot(self) -> Snapshot:
        """Return the state as it is now."""
        return Snapshot(
            month=self.month,
            # An analysis finds its z again; and while it does, its z is no step of the history.
            z=None if self.model == "analysis" else tuple(np.asarray(self.z, dtype=float).tolist()),
            model=self.model,
            origin="" if self.model == "analysis" else self.origin,
            projection=self.projection,
            fields=self.fields,
            theme=self.theme,
            seed=self.seed,
            tool=self.tool,
            observing=self.observing,
            perturbing=self.perturbing,
            impact=self.impact,
        )

    def restore(self, snapshot: Snapshot, z: NDArray[np.floating] | None = None) -> None:
        """Take over a state in one event.

        Parameters
        ----------
        snapshot : Snapshot
            What to show.
        z : ndarray, optional
            The latent vector, where the snapshot has none: the code of its month, or what stands
            until its analysis is there.
        """
        vector = snapshot.z if z is None else z
        if vector is None:
            vector = self.z
        self.param.update(
            month=snapshot.month,
            z=np.asarray(vector, dtype=np.float32),
            model=snapshot.model,
            origin=snapshot.origin,
            projection=snapshot.projection,
            fields=snapshot.fields,
            theme=snapshot.theme,
            seed=snapshot.seed,
            tool=snapshot.tool,
            observing=snapshot.observing,
            perturbing=snapshot.perturbing,
            impact=snapshot.impact,
        )

    def commit(self) -> bool:
        """Put the state into the history, unless nothing but the theme changed; True if it did."""
        now = self.snapshot()
        if _same_work(now, self._past[-1]):
            return False
        self._past.append(now)
        del self._past[:-HISTORY]
        self._future.clear()
        self._flags()
        return True

    def undo(self) -> bool:
        """Return to the commit before; an uncommitted change counts as one."""
        now = self.snapshot()
        if not _same_work(now, self._past[-1]):
            self._future.append(now)
        elif len(self._past) > 1:
            self._future.append(self._past.pop())
        else:
            return False
        self._back_to(self._past[-1])
        return True

    def redo(self) -> bool:
        """Take back an undo."""
        if not self._future:
            return False
        self._past.append(self._future.pop())
        self._back_to(self._past[-1])
        return True

    def forget(self) -> None:
        """Start the history here."""
        self._past = [self.snapshot()]
        self._future.clear()
        self._flags()

    def _back_to(self, snapshot: Snapshot) -> None:
        # Undo leaves the theme and what is looked at below as they are.
        self.restore(replace(snapshot, theme=self.theme, impact=self.impact))
        self._past[-1] = self.snapshot()
        self._flags()

    def _flags(self) -> None:
        self.param.update(can_undo=len(self._past) > 1, can_redo=bool(self._future))

    @contextmanager
    def gesture(self) -> Iterator[None]:
        """Change several parameters as one event and one step of the history."""
        with param.parameterized.batch_call_watchers(self):
            yield
        self.commit()
