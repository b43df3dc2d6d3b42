"""A state as a URL's query and as JSON, both ways."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields, replace
from typing import Any
from urllib.parse import parse_qs, urlencode

import numpy as np
from numpy.typing import NDArray

from mlda_core.page_state.observations import PINNED
from mlda_core.page_state.settings import InvalidStateError, declared, json_of
from mlda_core.page_state.snapshot import (
    ORIGINS,
    Z_STEP,
    Limits,
    Origin,
    OtherBundleError,
    Snapshot,
    check_z,
    snap,
)

FORMAT = "mlda-state"
# In version 2 the origin of z was the text on the page, in version 1 there were no observations.
VERSION = 3
READ = (1, 2, 3)
# Characters of a pinned state in a link: 100 numbers and a network of stations are 300 to 800.
MAX_PIN = 2000
# A state is about 2 kB of JSON, with 20,000 observations 2 MB; whatever is far larger is not one.
MAX_JSON = 5_000_000


# -- latent vectors ----------------------------------------------------------------------------


def pack(z: NDArray[np.floating] | Sequence[float]) -> str:
    """Pack a latent vector into URL-safe text: 16 bits a number, to 1/4096.

    >>> unpack(pack([0.5, -1.25]), 2).tolist()
    [0.5, -1.25]
    """
    data = np.rint(snap(np.asarray(z)) / Z_STEP).astype("<i2").tobytes()
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def unpack(text: str, n_latent: int) -> NDArray[np.float32]:
    """Unpack a latent vector.

    Raises
    ------
    InvalidStateError
        If the text is not `n_latent` packed numbers.
    """
    try:
        padded = text + "=" * (-len(text) % 4)
        data = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError, UnicodeEncodeError):
        raise InvalidStateError(
            "The link's latent vector is damaged; copy the whole link."
        ) from None
    if len(data) != 2 * n_latent:
        raise InvalidStateError(
            f"The link's latent vector is {len(data) // 2} numbers long, not {n_latent}; "
            "copy the whole link, made with this bundle."
        )
    return np.asarray(np.frombuffer(data, dtype="<i2") * np.float32(Z_STEP), dtype=np.float32)


# -- the URL -----------------------------------------------------------------------------------


def to_query(snapshot: Snapshot, limits: Limits | None = None) -> str:
    """Write a state as a URL's query; settings at their defaults are left out.

    Rows that are too many for a link are left out too, and a pinned state that has such rows:
    `rows_fit` and `pin_fits` say so.

    Parameters
    ----------
    snapshot : Snapshot
        The state.
    limits : Limits, optional
        Of its bundle, whose defaults and name then count.
    """
    plain = Snapshot() if limits is None else limits.first_view()
    snapshot = _tidy(snapshot if pin_fits(snapshot) else snapshot.replace(pinned=""))
    parts: dict[str, str] = {"bundle": limits.link} if limits is not None and limits.link else {}
    # A link always says its month.
    parts |= snapshot.to_parts(plain.replace(month=""))
    if snapshot.model == "own" and snapshot.z is not None:
        parts.pop("model", None)
        parts["z"] = pack(snapshot.z)
        if snapshot.origin is not None and snapshot.origin.kind == "analysis":
            parts["upon"] = "analysis"
    return urlencode(parts, safe=",:")


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
    InvalidStateError
        If anything in it is wrong: nothing of it is used then.
    """
    try:
        parsed = parse_qs(query.lstrip("?"), keep_blank_values=True, max_num_fields=50)
    except ValueError:
        raise InvalidStateError("The link has too many parts; copy it again.") from None
    given = {key: values[-1] for key, values in parsed.items()}
    values, latent = Snapshot.from_parts(given), {}
    lacking = "The link lacks its pinned state; copy the whole link."
    if "z" in given:
        z = unpack(given["z"], limits.n_latent)
        # An analysis that was moved is shown with what it has beyond its latent vector.
        upon = given.get("upon") == "analysis"
        origin = Origin("analysis", edited=True) if upon else Origin("link")
        values["model"] = "own"
        latent = {"z": tuple(z.tolist()), "origin": origin}
    elif given.get("model") == "own":
        raise InvalidStateError("The link lacks its latent vector; copy the whole link.")
    # The first view's own tool and month are checked too: a bundle may lack them.
    made = _with_pin(limits.first_view().adjust(values, limits.options), limits, lacking)
    return made.replace(**latent) if latent else made


def asked_for(query: str) -> str:
    """Return the key of the bundle that a URL's query asks for; '' where it asks for none."""
    try:
        given = parse_qs(query.lstrip("?"), keep_blank_values=True, max_num_fields=50)
    except ValueError:
        return ""
    return given.get("bundle", [""])[-1]


def rows_fit(snapshot: Snapshot) -> bool:
    """Whether a link holds everything that was done to the observations by hand."""
    return not snapshot.observations.by_hand or bool(snapshot.observations.rows_text())


def pin_fits(snapshot: Snapshot) -> bool:
    """Whether a link holds the pinned state: what was done by hand may be too much."""
    return len(snapshot.pinned) <= MAX_PIN


# -- pinned states -----------------------------------------------------------------------------


def read_pin(text: str, limits: Limits) -> Snapshot:
    """Read a pinned state: a link to it alone.

    Parameters
    ----------
    text : str
        The setting ``pinned``.
    limits : Limits
        What the bundle allows.

    Raises
    ------
    InvalidStateError
        If anything in it is wrong.
    """
    # A state in a state in a state would be read without an end.
    if "pin" in parse_qs(text.lstrip("?"), keep_blank_values=True):
        raise InvalidStateError("A pinned state cannot hold another one; pin it again.")
    try:
        return from_query(text, limits)
    except InvalidStateError as error:
        words = str(error)
        raise InvalidStateError(f"The pinned state cannot be made: {words}") from None


def _with_pin(made: Snapshot, limits: Limits, lacking: str) -> Snapshot:
    """Check the pinned state of a state from outside."""
    if made.pinned:
        read_pin(made.pinned, limits)
    elif made.observations.beside == PINNED:
        raise InvalidStateError(lacking)
    return made


def _tidy(snapshot: Snapshot) -> Snapshot:
    """Return a state that shows no pinned state where it has none."""
    if snapshot.pinned or snapshot.observations.beside != PINNED:
        return snapshot
    return snapshot.replace(observations=snapshot.observations.replace(beside="target"))


# -- files -------------------------------------------------------------------------------------


def to_json(snapshot: Snapshot, limits: Limits) -> str:
    """Write a state as JSON, for a file."""
    snapshot = _tidy(snapshot)
    return json.dumps(
        {
            "format": FORMAT,
            "version": VERSION,
            "bundle": limits.bundle,
            "z": None if snapshot.z is None else list(snapshot.z),
            "origin": _origin_values(snapshot.origin),
            **snapshot.to_dict(whole=True),
        }
    )


def from_json(text: str, limits: Limits) -> Snapshot:
    """Read a state from a file's JSON.

    Raises
    ------
    InvalidStateError
        If anything in it is wrong: nothing of it is used then.
    """
    if len(text) > MAX_JSON:
        raise InvalidStateError("The file is far too large to be a saved state; choose another.")
    try:
        data = json_of(text)
    except (ValueError, RecursionError):
        raise InvalidStateError("The file is not JSON; choose one that this page saved.") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise InvalidStateError("The file is not a saved state; choose one that this page saved.")
    if data.get("version") not in READ:
        raise InvalidStateError(
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
    known = {p.metadata["file"] or name: name for name, p in declared(Snapshot).items()}
    values = {name: data[key] for key, name in known.items() if key in data}
    z, origin = values.pop("z", None), values.pop("origin", "from a file")
    # A file that says nothing of its model is of an analysis, and one without a month is damaged.
    values = {"model": "analysis", "month": None} | values
    lacking = "The file lacks its pinned state; save the state again."
    made = _with_pin(limits.first_view().adjust(values, limits.options), limits, lacking)
    if z is None and made.model == "own":
        raise InvalidStateError("The file lacks its latent vector 'z'; save the state again.")
    return made.replace(
        z=None if z is None else tuple(check_z(z, limits.n_latent).tolist()),
        origin=None if made.model == "analysis" else _origin(origin),
    )


def _origin_values(origin: Origin | None) -> dict[str, Any] | None:
    """Return plain JSON values, those at their defaults left out."""
    if origin is None:
        return None
    plain = Origin(origin.kind)
    values = {
        name: value for name, value in asdict(origin).items() if value != getattr(plain, name)
    }
    return {"kind": origin.kind, **values}


def _origin(value: Any) -> Origin | None:
    """Read the origin of a file's latent vector: a record, or the text of versions 1 and 2."""
    if value is None:
        return None
    if isinstance(value, str):
        return _origin_of_text(value)
    damaged = InvalidStateError("The file's 'origin' is damaged; save the state again.")
    if not isinstance(value, dict) or not set(value) <= {item.name for item in fields(Origin)}:
        raise damaged
    kind: Any = value.get("kind")
    month, edited = value.get("month", ""), value.get("edited", False)
    ends, percent, seed = value.get("ends", ["", ""]), value.get("percent", 0), value.get("seed")
    good = (
        kind in ORIGINS
        and isinstance(month, str)
        and isinstance(edited, bool)
        and isinstance(ends, list)
        and len(ends) == 2
        and all(isinstance(end, str) for end in ends)
        and type(percent) is int
        and 0 <= percent <= 100
        and (kind != "draw" or seed is not None)
    )
    if not good:
        raise damaged
    return Origin(
        kind=kind,
        month=month[:10],
        seed=None if seed is None else Snapshot.check("seed", seed),
        ends=(ends[0][:24], ends[1][:24]),
        percent=percent,
        edited=edited,
    )


# What the page wrote of a latent vector's origin until version 2 of its files.
_TEXTS: dict[str, Callable[[re.Match[str]], Origin]] = {
    r"analysis": lambda _: Origin("analysis"),
    r"code of (.+)": lambda found: Origin("code", month=found[1][:7]),
    r"prior mean": lambda _: Origin("prior"),
    r"random draw, seed (\d{1,10})": lambda found: Origin("draw", seed=int(found[1])),
    r"walk from (.+) to (.+), (\d{1,3}) %": lambda found: Origin(
        "walk", ends=(found[1], found[2]), percent=int(found[3])
    ),
    r"from a link": lambda _: Origin("link"),
}


def _origin_of_text(text: str) -> Origin:
    """Return what a text of versions 1 and 2 says; any other text is of a file."""
    plain = text.removesuffix(", then by hand")
    for pattern, make in _TEXTS.items():
        found = re.fullmatch(pattern, plain)
        if found is not None:
            return replace(make(found), edited=plain != text)
    return Origin("file", edited=plain != text)


def _from_version_1(data: dict[str, Any]) -> dict[str, Any]:
    """Return a file from before observations as one with none."""
    follow = data.get("follow", True)
    if not isinstance(follow, bool):
        raise InvalidStateError("The file's 'follow' must be true or false; correct it.")
    return data | {
        "model": "code" if follow else "own",
        "tool": "explore",
        "observing": {"kind": "none"},
    }
